#include "proxy/http/http1/server_codec.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <optional>
#include <string>

#include "proxy/base/check.h"
#include "proxy/base/text.h"
#include "proxy/http/http1/body_framing.h"
#include "proxy/http/http1/chunked_reader.h"
#include "proxy/http/http1/head_reader.h"
#include "proxy/http/http1/writer.h"

namespace framewall::http {
namespace {

constexpr StreamId kOnlyStream = 1;
constexpr MessageError kInvalidChunk{400, "client sent invalid chunked body"};
constexpr MessageError kLargeChunk{400, "client sent too large chunk line or trailer"};

// Fields that a request has once: two of them mean two readers may take different ones. The list
// is nginx's.
constexpr std::array kSingleFields = {
    FieldId::kHost,          FieldId::kIfModifiedSince, FieldId::kIfUnmodifiedSince,
    FieldId::kIfMatch,       FieldId::kIfNoneMatch,     FieldId::kIfRange,
    FieldId::kContentLength, FieldId::kContentRange,    FieldId::kTransferEncoding,
    FieldId::kExpect,        FieldId::kAuthorization,
};

using FieldSet = std::bitset<static_cast<size_t>(FieldId::kCount)>;

const FieldSet& SingleFields() {
  static const FieldSet set = [] {
    FieldSet made;
    for (FieldId id : kSingleFields) made.set(static_cast<size_t>(id));
    return made;
  }();
  return set;
}

// One pass over the fields: what may stand once only, and what Connection says.
struct HeadCheck {
  std::optional<MessageError> error;
  bool has_close = false;
  bool has_keep_alive = false;
};

HeadCheck CheckHead(const RequestHead& head) {
  HeadCheck check;
  const FieldSet& single = SingleFields();
  FieldSet seen;
  for (const Field& field : head.fields) {
    const size_t id = static_cast<size_t>(field.id);
    if (single[id] && seen[id]) {
      check.error = field.id == FieldId::kHost
                        ? MessageError{400, "client sent duplicate host header"}
                        : MessageError{400, "client sent duplicate header line"};
      return check;
    }
    seen.set(id);
    if (field.id == FieldId::kConnection) {
      ForEachListElement(field.value, [&check](std::string_view element) {
        check.has_close = check.has_close || EqualsIgnoreCase(element, "close");
        check.has_keep_alive = check.has_keep_alive || EqualsIgnoreCase(element, "keep-alive");
      });
    }
  }
  if (head.version != Version::kHttp10 && !seen[static_cast<size_t>(FieldId::kHost)]) {
    check.error = {400, "client sent HTTP/1.1 request without \"Host\" header"};
  }
  return check;
}

}  // namespace

// Reading:  kIdle -> kHead -> kBody -> kComplete -> (BeginNext) kIdle
//           any -> kFailed (bytes are thrown away) or kUpgraded (bytes are left alone)
// Writing:  kBeforeHead -> kInBody -> kEnded -> (BeginNext) kBeforeHead
class Http1ServerCodec::State {
 public:
  State(const HeadLimits& limits, const HeadPolicy& policy, ServerCodecEvents* events,
        CodecOutput* output)
      : limits_(limits), policy_(policy), events_(events), output_(output) {}

  void SetLimits(const HeadLimits& limits, const HeadPolicy& policy) {
    limits_ = limits;
    policy_ = policy;
  }

  size_t Receive(ByteView bytes);
  void BeginNext();
  void Discard() { discarding_ = true; }
  void SendInterim(const ResponseHead& head);
  void SendHead(const ResponseHead& head, const ResponseOptions& options);
  void SendBody(ByteView piece);
  void SendEnd(const HeaderMap* trailers);
  void Abort() { must_close_ = true; }

  bool in_head() const { return reading_ == Reading::kHead; }
  bool keeps_alive() const { return keep_alive_ && !must_close_; }
  bool client_wants_keep_alive() const { return client_keep_alive_; }
  bool request_complete() const {
    return reading_ == Reading::kComplete || reading_ == Reading::kUpgraded;
  }
  uint64_t bytes_sent() const { return sent_; }
  uint64_t body_bytes_sent() const { return sent_ - head_sent_; }
  uint64_t bytes_received() const { return received_; }

 private:
  enum class Reading : uint8_t { kIdle, kHead, kBody, kComplete, kFailed, kUpgraded };
  enum class Writing : uint8_t { kBeforeHead, kInBody, kEnded };

  size_t ReceiveHead(ByteView bytes);
  void AcceptHead();
  size_t ReceiveBody(ByteView bytes);
  size_t ReceiveChunked(ByteView bytes);
  void GivePiece(ByteView piece);
  void EndRequest(const HeaderMap* trailers);
  void Fail(MessageError error);
  void Write(std::span<const ByteView> pieces);

  HeadLimits limits_;
  HeadPolicy policy_;
  ServerCodecEvents* events_;
  CodecOutput* output_;

  // The request.
  Reading reading_ = Reading::kIdle;
  HeadReader head_reader_;
  RequestHead* head_ = nullptr;
  ChunkedReader chunked_;
  BodyFraming framing_;
  uint64_t body_left_ = 0;
  uint64_t received_ = 0;
  Version client_version_ = Version::kHttp10;
  bool client_keep_alive_ = false;
  bool discarding_ = false;
  // Counts requests, so that a callback that went on to the next one is noticed.
  uint64_t generation_ = 0;

  // The response.
  Writing writing_ = Writing::kBeforeHead;
  OutgoingFraming outgoing_;
  uint64_t outgoing_left_ = 0;
  uint64_t sent_ = 0;
  uint64_t head_sent_ = 0;
  bool keep_alive_ = false;
  bool must_close_ = false;
  std::string buffer_;  // heads and chunk frames are made here
};

size_t Http1ServerCodec::State::Receive(ByteView bytes) {
  const uint64_t generation = generation_;
  size_t used = 0;
  if (reading_ == Reading::kIdle) {
    // RFC 9112 2.2: empty lines before a request line are skipped.
    while (used < bytes.size() && (bytes[used] == '\r' || bytes[used] == '\n')) ++used;
    if (used == bytes.size()) return used;
    head_ = &events_->NewRequestHead(kOnlyStream);
    head_reader_.StartRequest(head_, limits_, policy_);
    reading_ = Reading::kHead;
  }
  if (reading_ == Reading::kHead && used < bytes.size()) {
    used += ReceiveHead(bytes.substr(used));
  }
  if (generation == generation_ && reading_ == Reading::kBody && used < bytes.size()) {
    used += ReceiveBody(bytes.substr(used));
  }
  // After an error whatever comes is thrown away until the owner closes.
  return reading_ == Reading::kFailed ? bytes.size() : used;
}

size_t Http1ServerCodec::State::ReceiveHead(ByteView bytes) {
  size_t used = 0;
  const HeadReader::Outcome outcome = head_reader_.Read(bytes, &used);
  received_ = head_reader_.size();
  if (outcome == HeadReader::Outcome::kDone) {
    AcceptHead();
  } else if (outcome == HeadReader::Outcome::kError) {
    Fail(head_reader_.error());
  }
  return used;
}

void Http1ServerCodec::State::AcceptHead() {
  const HeadCheck check = CheckHead(*head_);
  client_version_ = head_->version;
  client_keep_alive_ =
      !check.has_close && (client_version_ != Version::kHttp10 || check.has_keep_alive);
  if (check.error) return Fail(*check.error);
  if (auto error = DecideRequestFraming(*head_, &framing_)) return Fail(*error);

  body_left_ = framing_.length;
  const bool has_body = framing_.kind == BodyFraming::Kind::kChunked || body_left_ != 0;
  if (framing_.kind == BodyFraming::Kind::kChunked) {
    chunked_.Start(limits_, ChunkedReader::LineEnds::kCrlf);
  }
  reading_ = has_body ? Reading::kBody : Reading::kComplete;
  const uint64_t generation = generation_;
  events_->OnRequestHead(kOnlyStream, framing_);
  if (!has_body && generation == generation_ && reading_ == Reading::kComplete) {
    events_->OnRequestEnd(kOnlyStream, nullptr);
  }
}

size_t Http1ServerCodec::State::ReceiveBody(ByteView bytes) {
  if (framing_.kind == BodyFraming::Kind::kChunked) return ReceiveChunked(bytes);
  const size_t size = static_cast<size_t>(std::min<uint64_t>(body_left_, bytes.size()));
  body_left_ -= size;
  received_ += size;
  const uint64_t generation = generation_;
  GivePiece(bytes.substr(0, size));
  if (body_left_ == 0 && generation == generation_ && reading_ == Reading::kBody) {
    EndRequest(nullptr);
  }
  return size;
}

size_t Http1ServerCodec::State::ReceiveChunked(ByteView bytes) {
  const uint64_t generation = generation_;
  size_t total = 0;
  while (true) {
    size_t used = 0;
    ByteView piece;
    const ChunkedReader::Outcome outcome = chunked_.Read(bytes.substr(total), &used, &piece);
    total += used;
    received_ += used;
    switch (outcome) {
      case ChunkedReader::Outcome::kMore:
        return total;
      case ChunkedReader::Outcome::kData:
        GivePiece(piece);
        // The owner may have ended the exchange, or upgraded, in the callback.
        if (generation != generation_ || reading_ != Reading::kBody) return total;
        break;
      case ChunkedReader::Outcome::kDone:
        EndRequest(chunked_.trailers());
        return total;
      case ChunkedReader::Outcome::kError:
        Fail(chunked_.too_large() ? kLargeChunk : kInvalidChunk);
        return total;
    }
  }
}

void Http1ServerCodec::State::GivePiece(ByteView piece) {
  if (!discarding_) events_->OnRequestBody(kOnlyStream, piece);
}

void Http1ServerCodec::State::EndRequest(const HeaderMap* trailers) {
  reading_ = Reading::kComplete;
  events_->OnRequestEnd(kOnlyStream, discarding_ ? nullptr : trailers);
}

void Http1ServerCodec::State::Fail(MessageError error) {
  reading_ = Reading::kFailed;
  must_close_ = true;
  events_->OnRequestError(kOnlyStream, error);
}

void Http1ServerCodec::State::BeginNext() {
  FW_CHECK(reading_ == Reading::kComplete);
  ++generation_;
  reading_ = Reading::kIdle;
  head_ = nullptr;
  framing_ = {};
  body_left_ = 0;
  received_ = 0;
  client_version_ = Version::kHttp10;
  client_keep_alive_ = false;
  discarding_ = false;
  writing_ = Writing::kBeforeHead;
  outgoing_ = {};
  outgoing_left_ = 0;
  sent_ = 0;
  head_sent_ = 0;
  keep_alive_ = false;
}

void Http1ServerCodec::State::SendInterim(const ResponseHead& head) {
  if (client_version_ == Version::kHttp10 || writing_ != Writing::kBeforeHead) return;
  buffer_.clear();
  AppendStatusLine(head, buffer_);
  for (const Field& field : head.fields) {
    if (IsHopByHop(field.id) || field.id == FieldId::kContentLength) continue;
    AppendField(field.name, field.value, buffer_);
  }
  buffer_.append("\r\n");
  head_sent_ += buffer_.size();
  const ByteView piece = buffer_;
  Write({&piece, 1});
}

void Http1ServerCodec::State::SendHead(const ResponseHead& head, const ResponseOptions& options) {
  FW_CHECK(writing_ == Writing::kBeforeHead);
  writing_ = Writing::kInBody;
  outgoing_ = DecideOutgoingFraming(head, options, client_version_);
  outgoing_left_ = outgoing_.body.length;
  keep_alive_ = options.keep_alive && client_keep_alive_ && !must_close_ && !outgoing_.needs_close;

  buffer_.clear();
  AppendStatusLine(head, buffer_);
  buffer_.append(options.preamble);
  for (const Field& field : head.fields) {
    if (IsHopByHop(field.id)) continue;
    if (field.id == FieldId::kContentLength && !outgoing_.send_length) continue;
    AppendField(field.name, field.value, buffer_);
  }
  if (outgoing_.body.kind == BodyFraming::Kind::kChunked) {
    buffer_.append("Transfer-Encoding: chunked\r\n");
  }
  if (head.status == 101) {
    buffer_.append("Connection: upgrade\r\n");
    reading_ = Reading::kUpgraded;
    keep_alive_ = false;
  } else if (keep_alive_) {
    buffer_.append("Connection: keep-alive\r\n");
    if (options.keep_alive_header >= 0) {
      buffer_.append("Keep-Alive: timeout=");
      buffer_.append(std::to_string(options.keep_alive_header));
      buffer_.append("\r\n");
    }
  } else {
    buffer_.append("Connection: close\r\n");
  }
  buffer_.append("\r\n");
  head_sent_ += buffer_.size();
  const ByteView piece = buffer_;
  Write({&piece, 1});
}

void Http1ServerCodec::State::SendBody(ByteView piece) {
  FW_CHECK(writing_ == Writing::kInBody);
  switch (outgoing_.body.kind) {
    case BodyFraming::Kind::kNone:
      return;
    case BodyFraming::Kind::kLength:
      piece =
          piece.substr(0, static_cast<size_t>(std::min<uint64_t>(outgoing_left_, piece.size())));
      outgoing_left_ -= piece.size();
      break;
    case BodyFraming::Kind::kChunked: {
      if (piece.empty()) return;  // an empty chunk would be the last one
      buffer_.clear();
      AppendChunkSize(piece.size(), buffer_);
      const std::array<ByteView, 3> pieces = {buffer_, piece, "\r\n"};
      Write(pieces);
      return;
    }
    case BodyFraming::Kind::kUntilClose:
      break;
  }
  if (!piece.empty()) Write({&piece, 1});
}

void Http1ServerCodec::State::SendEnd(const HeaderMap* trailers) {
  FW_CHECK(writing_ == Writing::kInBody);
  writing_ = Writing::kEnded;
  if (outgoing_.body.kind == BodyFraming::Kind::kChunked) {
    buffer_.clear();
    AppendLastChunk(trailers, buffer_);
    const ByteView piece = buffer_;
    Write({&piece, 1});
  }
  // The client still waits for what was promised: only a close tells that it will not come.
  if (outgoing_left_ != 0) must_close_ = true;
  // Nobody is left to take the rest of the request.
  discarding_ = true;
}

void Http1ServerCodec::State::Write(std::span<const ByteView> pieces) {
  for (ByteView piece : pieces) sent_ += piece.size();
  output_->WriteBytes(pieces);
}

Http1ServerCodec::Http1ServerCodec(const HeadLimits& limits, const HeadPolicy& policy,
                                   ServerCodecEvents* events, CodecOutput* output)
    : state_(std::make_unique<State>(limits, policy, events, output)) {}

Http1ServerCodec::~Http1ServerCodec() = default;

Http1ServerCodec::State& Http1ServerCodec::state() {
  FW_CHECK(state_ != nullptr);
  return *state_;
}

void Http1ServerCodec::SetLimits(const HeadLimits& limits, const HeadPolicy& policy) {
  state().SetLimits(limits, policy);
}

void Http1ServerCodec::LeaveStream() {
  if (state_ == nullptr) return;
  counts_ = {state_->bytes_sent(), state_->body_bytes_sent(), state_->bytes_received()};
  state_.reset();
}

size_t Http1ServerCodec::Receive(ByteView bytes) {
  return state_ == nullptr ? 0 : state_->Receive(bytes);
}

bool Http1ServerCodec::in_head() const { return state_ != nullptr && state_->in_head(); }
void Http1ServerCodec::BeginNext() { state().BeginNext(); }
void Http1ServerCodec::DiscardBody(StreamId /*stream*/) { state().Discard(); }

void Http1ServerCodec::SendInterim(StreamId /*stream*/, const ResponseHead& head) {
  state().SendInterim(head);
}

void Http1ServerCodec::SendHead(StreamId /*stream*/, const ResponseHead& head,
                                const ResponseOptions& options) {
  state().SendHead(head, options);
}

void Http1ServerCodec::SendBody(StreamId /*stream*/, ByteView piece) { state().SendBody(piece); }

void Http1ServerCodec::SendEnd(StreamId /*stream*/, const HeaderMap* trailers) {
  state().SendEnd(trailers);
}

void Http1ServerCodec::Abort(StreamId /*stream*/) {
  if (state_ != nullptr) state_->Abort();
}

bool Http1ServerCodec::keeps_alive() const { return state_ != nullptr && state_->keeps_alive(); }

uint64_t Http1ServerCodec::bytes_sent(StreamId /*stream*/) const {
  return state_ == nullptr ? counts_.sent : state_->bytes_sent();
}

uint64_t Http1ServerCodec::body_bytes_sent(StreamId /*stream*/) const {
  return state_ == nullptr ? counts_.body_sent : state_->body_bytes_sent();
}

uint64_t Http1ServerCodec::bytes_received(StreamId /*stream*/) const {
  return state_ == nullptr ? counts_.received : state_->bytes_received();
}

bool Http1ServerCodec::client_wants_keep_alive() const {
  return state_ != nullptr && state_->client_wants_keep_alive();
}

bool Http1ServerCodec::request_complete() const {
  return state_ == nullptr || state_->request_complete();
}

}  // namespace framewall::http
