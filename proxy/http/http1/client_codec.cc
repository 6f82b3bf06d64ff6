#include "proxy/http/http1/client_codec.h"

#include <algorithm>

#include "proxy/base/check.h"
#include "proxy/http/http1/body_framing.h"
#include "proxy/http/http1/chunked_reader.h"
#include "proxy/http/http1/head_reader.h"
#include "proxy/http/http1/writer.h"

namespace framewall::http {
namespace {

constexpr MessageError kPrematureClose{502, "upstream prematurely closed connection"};
constexpr MessageError kInvalidChunk{502, "upstream sent invalid chunked response"};
constexpr MessageError kLargeChunk{502, "upstream sent too large chunk line or trailer"};
constexpr MessageError kManyInterim{502, "upstream sent too many interim responses"};

// A final response has to come some time; each interim head takes memory of the exchange.
constexpr int kMostInterim = 32;

}  // namespace

// kIdle -> (BeginResponse) kHead -> kBody -> kDone -> (BeginResponse) kHead
//          kHead -> kUpgraded after 101; any -> kFailed
class Http1ClientCodec::State {
 public:
  State(const HeadLimits& limits, ClientCodecEvents* events) : limits_(limits), events_(events) {}

  void SetEvents(ClientCodecEvents* events) { events_ = events; }
  void BeginResponse(Method method, ResponseHead* head);
  size_t Receive(ByteView bytes);
  void ReceiveEnd();

  bool head_received() const {
    return reading_ == Reading::kBody || reading_ == Reading::kDone ||
           reading_ == Reading::kUpgraded || (reading_ == Reading::kFailed && had_head_);
  }
  bool response_done() const { return reading_ == Reading::kDone; }
  bool keeps_alive() const { return reading_ == Reading::kDone && keep_alive_ && !has_extra_; }

 private:
  enum class Reading : uint8_t { kIdle, kHead, kBody, kDone, kFailed, kUpgraded };

  size_t ReceiveHead(ByteView bytes);
  void AcceptHead();
  size_t ReceiveBody(ByteView bytes);
  size_t ReceiveChunked(ByteView bytes);
  void End(const HeaderMap* trailers);
  void Fail(MessageError error);

  HeadLimits limits_;
  ClientCodecEvents* events_;
  Reading reading_ = Reading::kIdle;
  Method method_ = Method::kGet;
  ResponseHead* head_ = nullptr;
  HeadReader head_reader_;
  ChunkedReader chunked_;
  BodyFraming framing_;
  uint64_t body_left_ = 0;
  int interim_count_ = 0;
  bool had_head_ = false;
  bool keep_alive_ = false;
  bool has_extra_ = false;  // octets behind the end: whose answer are they?
  uint64_t generation_ = 0;
};

void Http1ClientCodec::State::BeginResponse(Method method, ResponseHead* head) {
  ++generation_;
  reading_ = Reading::kHead;
  method_ = method;
  head_ = head;
  framing_ = {};
  body_left_ = 0;
  interim_count_ = 0;
  had_head_ = false;
  keep_alive_ = false;
  head_reader_.StartResponse(head, limits_);
}

size_t Http1ClientCodec::State::Receive(ByteView bytes) {
  const uint64_t generation = generation_;
  size_t used = 0;
  while (generation == generation_ && reading_ == Reading::kHead && used < bytes.size()) {
    used += ReceiveHead(bytes.substr(used));
  }
  if (generation == generation_ && reading_ == Reading::kBody && used < bytes.size()) {
    used += ReceiveBody(bytes.substr(used));
  }
  if (reading_ == Reading::kFailed) return bytes.size();
  if (used < bytes.size() && (reading_ == Reading::kDone || reading_ == Reading::kIdle)) {
    has_extra_ = true;
  }
  return used;
}

size_t Http1ClientCodec::State::ReceiveHead(ByteView bytes) {
  size_t used = 0;
  const HeadReader::Outcome outcome = head_reader_.Read(bytes, &used);
  if (outcome == HeadReader::Outcome::kDone) {
    AcceptHead();
  } else if (outcome == HeadReader::Outcome::kError) {
    Fail(head_reader_.error());
  }
  return used;
}

void Http1ClientCodec::State::AcceptHead() {
  const uint64_t generation = generation_;
  if (head_->status < 200 && head_->status != 101) {
    if (++interim_count_ > kMostInterim) return Fail(kManyInterim);
    events_->OnInterimResponse(*head_);
    if (generation == generation_ && reading_ == Reading::kHead) {
      head_reader_.StartResponse(head_, limits_);
    }
    return;
  }
  if (auto error = DecideResponseFraming(*head_, method_, &framing_)) return Fail(*error);
  had_head_ = true;
  if (head_->status == 101) {
    reading_ = Reading::kUpgraded;
    events_->OnResponseHead(framing_);
    return;
  }
  const bool says_close = head_->fields.ListHas(FieldId::kConnection, "close");
  keep_alive_ = !says_close && framing_.kind != BodyFraming::Kind::kUntilClose &&
                (head_->version != Version::kHttp10 ||
                 head_->fields.ListHas(FieldId::kConnection, "keep-alive"));
  body_left_ = framing_.length;
  const bool is_empty = framing_.kind == BodyFraming::Kind::kNone ||
                        (framing_.kind == BodyFraming::Kind::kLength && body_left_ == 0);
  if (framing_.kind == BodyFraming::Kind::kChunked) {
    chunked_.Start(limits_, ChunkedReader::LineEnds::kLfToo);
  }
  reading_ = Reading::kBody;
  events_->OnResponseHead(framing_);
  if (is_empty && generation == generation_ && reading_ == Reading::kBody) End(nullptr);
}

size_t Http1ClientCodec::State::ReceiveBody(ByteView bytes) {
  switch (framing_.kind) {
    case BodyFraming::Kind::kChunked:
      return ReceiveChunked(bytes);
    case BodyFraming::Kind::kUntilClose:
      events_->OnResponseBody(bytes);
      return bytes.size();
    default:
      break;
  }
  const uint64_t generation = generation_;
  const size_t size = static_cast<size_t>(std::min<uint64_t>(body_left_, bytes.size()));
  body_left_ -= size;
  events_->OnResponseBody(bytes.substr(0, size));
  if (body_left_ == 0 && generation == generation_ && reading_ == Reading::kBody) End(nullptr);
  return size;
}

size_t Http1ClientCodec::State::ReceiveChunked(ByteView bytes) {
  const uint64_t generation = generation_;
  size_t total = 0;
  while (true) {
    size_t used = 0;
    ByteView piece;
    const ChunkedReader::Outcome outcome = chunked_.Read(bytes.substr(total), &used, &piece);
    total += used;
    switch (outcome) {
      case ChunkedReader::Outcome::kMore:
        return total;
      case ChunkedReader::Outcome::kData:
        events_->OnResponseBody(piece);
        if (generation != generation_ || reading_ != Reading::kBody) return total;
        break;
      case ChunkedReader::Outcome::kDone:
        End(chunked_.trailers());
        return total;
      case ChunkedReader::Outcome::kError:
        Fail(chunked_.too_large() ? kLargeChunk : kInvalidChunk);
        return total;
    }
  }
}

void Http1ClientCodec::State::ReceiveEnd() {
  switch (reading_) {
    case Reading::kBody:
      if (framing_.kind == BodyFraming::Kind::kUntilClose) return End(nullptr);
      return Fail(kPrematureClose);
    case Reading::kHead:
      return Fail(kPrematureClose);
    default:
      keep_alive_ = false;
  }
}

void Http1ClientCodec::State::End(const HeaderMap* trailers) {
  reading_ = Reading::kDone;
  events_->OnResponseEnd(trailers);
}

void Http1ClientCodec::State::Fail(MessageError error) {
  reading_ = Reading::kFailed;
  events_->OnResponseError(error);
}

Http1ClientCodec::Http1ClientCodec(const HeadLimits& limits, ClientCodecEvents* events)
    : state_(std::make_unique<State>(limits, events)) {}

Http1ClientCodec::~Http1ClientCodec() = default;

void Http1ClientCodec::SetEvents(ClientCodecEvents* events) { state_->SetEvents(events); }

void Http1ClientCodec::WriteRequestHead(const RequestHead& head, const RequestFraming& framing,
                                        const std::string_view* connection_override,
                                        std::string& out) {
  // RFC 9112 6.1: no chunked coding to whom we speak 1.0.
  FW_CHECK(framing.body.kind != BodyFraming::Kind::kUntilClose &&
           (framing.body.kind != BodyFraming::Kind::kChunked || head.version != Version::kHttp10));
  AppendRequestLine(head, out);
  for (const Field& field : head.fields) {
    if (IsHopByHop(field.id) || field.id == FieldId::kContentLength) continue;
    AppendField(field.name, field.value, out);
  }
  if (framing.body.kind == BodyFraming::Kind::kLength) {
    AppendNumberField(FieldName(FieldId::kContentLength), framing.body.length, out);
  } else if (framing.body.kind == BodyFraming::Kind::kChunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  }
  if (connection_override != nullptr) {
    if (!connection_override->empty()) {
      AppendField(FieldName(FieldId::kConnection), *connection_override, out);
    }
  } else if (!framing.keep_alive) {
    out.append("Connection: close\r\n");
  } else if (head.version == Version::kHttp10) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
}

void Http1ClientCodec::WriteBodyPrefix(const RequestFraming& framing, size_t piece_size,
                                       std::string& out) {
  if (framing.body.kind == BodyFraming::Kind::kChunked) AppendChunkSize(piece_size, out);
}

void Http1ClientCodec::WriteBodySuffix(const RequestFraming& framing, std::string& out) {
  if (framing.body.kind == BodyFraming::Kind::kChunked) out.append("\r\n");
}

void Http1ClientCodec::WriteEnd(const RequestFraming& framing, std::string& out) {
  if (framing.body.kind == BodyFraming::Kind::kChunked) AppendLastChunk(nullptr, out);
}

void Http1ClientCodec::BeginResponse(Method method, ResponseHead* head) {
  state_->BeginResponse(method, head);
}

size_t Http1ClientCodec::Receive(ByteView bytes) { return state_->Receive(bytes); }
void Http1ClientCodec::ReceiveEnd() { state_->ReceiveEnd(); }
bool Http1ClientCodec::head_received() const { return state_->head_received(); }
bool Http1ClientCodec::response_done() const { return state_->response_done(); }
bool Http1ClientCodec::keeps_alive() const { return state_->keeps_alive(); }

}  // namespace framewall::http
