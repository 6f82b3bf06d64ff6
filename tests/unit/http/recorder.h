// What a codec reported, as text: one line an event, so that a test compares strings.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/arena.h"
#include "proxy/http/http1/client_codec.h"
#include "proxy/http/http1/server_codec.h"

namespace framewall::http {

inline std::string FieldsText(const HeaderMap& fields) {
  std::string text;
  for (const Field& field : fields) {
    text.append("[").append(field.name).append("=").append(field.value).append("]");
  }
  return text;
}

inline std::string FramingText(BodyFraming framing) {
  switch (framing.kind) {
    case BodyFraming::Kind::kNone:
      return "none";
    case BodyFraming::Kind::kLength:
      return "length " + std::to_string(framing.length);
    case BodyFraming::Kind::kChunked:
      return "chunked";
    case BodyFraming::Kind::kUntilClose:
      return "close";
  }
  return "?";
}

// A server codec with its owner. Consecutive pieces of body are joined, so that the splits of the
// input do not show.
class ServerRecorder : public ServerCodecEvents, public CodecOutput {
 public:
  explicit ServerRecorder(const HeadLimits& limits = {}, const HeadPolicy& policy = {})
      : codec(limits, policy, this, this) {}

  RequestHead& NewRequestHead(StreamId /*stream*/) override {
    arenas.push_back(std::make_unique<Arena>());
    heads.push_back(std::make_unique<RequestHead>(arenas.back().get()));
    return *heads.back();
  }
  void OnRequestHead(StreamId /*stream*/, BodyFraming framing) override {
    const RequestHead& head = *heads.back();
    log.append(head.method_name).append(" ").append(head.target).append(" ");
    log.append(head.version_name.empty() ? VersionName(head.version) : head.version_name);
    log.append(" ").append(FieldsText(head.fields)).append(" ").append(FramingText(framing));
    log.append("\n");
    if (on_head) on_head();
  }
  void OnRequestBody(StreamId /*stream*/, ByteView piece) override {
    body.append(piece);
    ++pieces;
  }
  void OnRequestEnd(StreamId /*stream*/, const HeaderMap* trailers) override {
    if (!body.empty()) log.append("body ").append(body).append("\n");
    body.clear();
    log.append("end");
    if (trailers != nullptr) log.append(" ").append(FieldsText(*trailers));
    log.append("\n");
    if (next_after_end) codec.BeginNext();
  }
  void OnRequestError(StreamId /*stream*/, MessageError error) override {
    log.append("error ").append(std::to_string(error.status)).append(" ");
    log.append(error.reason).append("\n");
    status = error.status;
  }
  void OnStreamReset(StreamId /*stream*/) override { log.append("reset\n"); }
  void WriteBytes(std::span<const ByteView> written) override {
    for (ByteView piece : written) wire.append(piece);
  }

  // Feeds `bytes` in pieces of `step` (0: whole), again and again as the owner of a connection
  // does; returns how many octets the codec took.
  size_t Feed(std::string_view bytes, size_t step = 0) {
    size_t taken = 0;
    while (taken < bytes.size()) {
      const std::string piece(bytes.substr(taken, step == 0 ? bytes.npos : step));
      const size_t used = codec.Receive(piece);
      taken += used;
      if (used < piece.size() && used == 0) break;
    }
    return taken;
  }

  std::vector<std::unique_ptr<Arena>> arenas;
  std::vector<std::unique_ptr<RequestHead>> heads;
  std::string log;
  std::string body;
  std::string wire;
  int pieces = 0;
  int status = 0;
  bool next_after_end = false;
  std::function<void()> on_head;
  Http1ServerCodec codec;
};

class ClientRecorder : public ClientCodecEvents {
 public:
  explicit ClientRecorder(const HeadLimits& limits = {.first_buffer_size = 4096})
      : codec(limits, this) {}

  void OnInterimResponse(const ResponseHead& response) override {
    log.append("interim ").append(std::to_string(response.status)).append(" ");
    log.append(FieldsText(response.fields)).append("\n");
  }
  void OnResponseHead(BodyFraming framing) override {
    log.append(std::to_string(head.status)).append(" '").append(head.reason).append("' ");
    log.append(FieldsText(head.fields)).append(" ").append(FramingText(framing)).append("\n");
  }
  void OnResponseBody(ByteView piece) override { body.append(piece); }
  void OnResponseEnd(const HeaderMap* trailers) override {
    if (!body.empty()) log.append("body ").append(body).append("\n");
    body.clear();
    log.append("end");
    if (trailers != nullptr) log.append(" ").append(FieldsText(*trailers));
    log.append("\n");
  }
  void OnResponseError(MessageError error) override {
    if (!body.empty()) log.append("body ").append(body).append("\n");
    body.clear();
    log.append("error ").append(std::to_string(error.status)).append(" ");
    log.append(error.reason).append("\n");
  }

  size_t Feed(std::string_view bytes, size_t step = 0) {
    size_t taken = 0;
    while (taken < bytes.size()) {
      const std::string piece(bytes.substr(taken, step == 0 ? bytes.npos : step));
      const size_t used = codec.Receive(piece);
      taken += used;
      if (used == 0) break;
    }
    return taken;
  }

  Arena arena;
  ResponseHead head{&arena};
  std::string log;
  std::string body;
  Http1ClientCodec codec;
};

}  // namespace framewall::http
