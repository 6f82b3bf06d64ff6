#include "proxy/ws/message_reader.h"

#include <algorithm>
#include <cstring>

#include "proxy/base/check.h"

namespace framewall::ws {
namespace {

// Masked octets are unmasked through a buffer of this size on their way to the inflater.
constexpr size_t kUnmaskChunk = 4096;

// DEFLATE may make a message longer than it was, by a few octets for each stored block and flush.
// A compressed message may have this much on the wire for `max_message` octets of output.
uint64_t MostOnWire(uint64_t max_message) {
  const uint64_t slack = max_message / 64 + 1024;
  return max_message > UINT64_MAX - slack ? UINT64_MAX : max_message + slack;
}

// Where text that `before` leads up to stops being UTF-8. Requires: it does.
size_t FirstInvalid(Utf8Validator before, ByteView text) {
  size_t at = 0;
  while (before.Feed(text.substr(at, 1))) ++at;
  return at;
}

}  // namespace

MessageReader::MessageReader(const ReaderOptions& options, ZlibPool* pool) : options_(options) {
  options_.max_control = std::min(options_.max_control, kMaxControlPayload);
  if (options_.deflate) {
    const Role sender = options_.role == Role::kServer ? Role::kClient : Role::kServer;
    inflater_ = std::make_unique<Inflater>(
        SideOf(*options_.deflate, sender),
        InflateLimits{options_.max_message, options_.max_inflate_ratio}, pool);
  }
}

ReadEvent MessageReader::Read(ByteView* input) {
  if (state_ == State::kEnded) {
    *input = {};
    return ReadEvent::kNeedMore;
  }
  ReleaseMessage();
  for (;;) {
    const Step step = state_ == State::kHeader ? ReadHeader(input) : ReadPayload(input);
    if (step) return *step;
  }
}

void MessageReader::ReleaseMessage() {
  if (!announced_) return;
  announced_ = false;
  payload_.clear();
  if (payload_.capacity() > kKeptCapacity) FreePayload();
}

// Assigning an empty string would keep the buffer.
void MessageReader::FreePayload() { std::string().swap(payload_); }

void MessageReader::BorrowBuffer(std::string& buffer) {
  if (payload_.capacity() < buffer.capacity() && payload_.empty()) payload_.swap(buffer);
}

void MessageReader::ReturnBuffer(std::string& buffer) {
  if (in_message_ || announced_) return;
  if (payload_.capacity() > buffer.capacity()) payload_.swap(buffer);
  FreePayload();
}

size_t MessageReader::held() const {
  if (!in_message_) return 0;
  return payload_.capacity() + (inflater_ ? inflater_->held() : 0);
}

// --- Header ------------------------------------------------------------------------------------

// A header that came whole is decoded where it lies; of one that did not, the beginning is kept and
// decoded again with what comes next.
MessageReader::Step MessageReader::ReadHeader(ByteView* input) {
  if (input->empty()) return ReadEvent::kNeedMore;
  ByteView octets = *input;
  const size_t kept = header_size_;
  if (kept > 0) {
    const size_t more = std::min(input->size(), kMaxFrameHeader - kept);
    std::memcpy(header_octets_.data() + kept, input->data(), more);
    octets = ByteView(header_octets_.data(), kept + more);
  }

  size_t size = 0;
  const HeaderReach reach = DecodeFrameHeader(octets, &frame_, &size);
  if ((reach >= HeaderReach::kOpcode && !CheckOpcode()) ||
      (reach >= HeaderReach::kLengthCode && !CheckLengthCode()) ||
      (reach >= HeaderReach::kLength && !CheckLength())) {
    return ReadEvent::kViolation;
  }
  if (reach == HeaderReach::kAll) {
    input->remove_prefix(size - kept);
    header_size_ = 0;
    BeginFrame();
    return std::nullopt;
  }
  if (kept == 0) std::memcpy(header_octets_.data(), octets.data(), octets.size());
  header_size_ = static_cast<uint8_t>(octets.size());
  *input = {};
  return ReadEvent::kNeedMore;
}

// What octet 0 says. Requires: nothing was changed by this header yet.
bool MessageReader::CheckOpcode() {
  const bool starts = frame_.opcode == Opcode::kText || frame_.opcode == Opcode::kBinary;
  if (frame_.rsv2 || frame_.rsv3) {
    return Refuse(ViolationKind::kReservedBits, CloseCode::kProtocolError,
                  "RSV2 or RSV3 is set, which no extension has negotiated");
  }
  if (frame_.rsv1 && !(starts && inflater_)) {
    return Refuse(ViolationKind::kReservedBits, CloseCode::kProtocolError,
                  inflater_ ? "RSV1 is set on a frame that does not begin a message"
                            : "RSV1 is set, but no compression was negotiated");
  }
  if (!IsKnownOpcode(frame_.opcode)) {
    return Refuse(ViolationKind::kProtocol, CloseCode::kProtocolError, "reserved opcode");
  }
  if (IsControl(frame_.opcode)) {
    if (frame_.fin) return true;
    return Refuse(ViolationKind::kProtocol, CloseCode::kProtocolError, "fragmented control frame");
  }
  if (starts && in_message_) {
    return Refuse(ViolationKind::kProtocol, CloseCode::kProtocolError,
                  "a message begins inside an unfinished one");
  }
  if (!starts && !in_message_) {
    return Refuse(ViolationKind::kProtocol, CloseCode::kProtocolError,
                  "continuation without a message to continue");
  }
  if (frame_.opcode == Opcode::kText && !options_.text_allowed) {
    return Refuse(ViolationKind::kTextNotAllowed, CloseCode::kUnsupportedData,
                  "text messages are not allowed");
  }
  if (frame_.opcode == Opcode::kBinary && !options_.binary_allowed) {
    return Refuse(ViolationKind::kBinaryNotAllowed, CloseCode::kUnsupportedData,
                  "binary messages are not allowed");
  }
  if ((starts ? 0 : fragments_) >= options_.max_fragments) {
    return Refuse(ViolationKind::kFragments, CloseCode::kPolicyViolation,
                  "too many frames in a message");
  }
  return true;
}

// What octet 1 says.
bool MessageReader::CheckLengthCode() {
  const bool must_be_masked = options_.role == Role::kServer;
  if (frame_.masked != must_be_masked) {
    return Refuse(ViolationKind::kMasking, CloseCode::kProtocolError,
                  must_be_masked ? "unmasked frame from a client" : "masked frame from a server");
  }
  if (IsControl(frame_.opcode) && frame_.length_code > kMaxControlPayload) {
    return Refuse(ViolationKind::kProtocol, CloseCode::kProtocolError,
                  "control frame of more than 125 octets");
  }
  return true;
}

bool MessageReader::CheckLength() {
  if (HasOddLength(frame_)) {
    return Refuse(ViolationKind::kProtocol, CloseCode::kProtocolError,
                  "frame length is not in its shortest form, or has 64 bits");
  }
  if (IsControl(frame_.opcode)) {
    if (frame_.length <= options_.max_control) return true;
    return Refuse(ViolationKind::kFrameLength, CloseCode::kMessageTooBig,
                  "control frame is too long");
  }
  if (frame_.length > options_.max_frame) {
    return Refuse(ViolationKind::kFrameLength, CloseCode::kMessageTooBig, "frame is too long");
  }
  const bool starts = frame_.opcode != Opcode::kContinuation;
  const bool compressed = starts ? frame_.rsv1 : compressed_;
  const uint64_t most = compressed ? MostOnWire(options_.max_message) : options_.max_message;
  if (frame_.length > most - (starts ? 0 : wire_size_)) {
    return Refuse(ViolationKind::kMessageLength, CloseCode::kMessageTooBig, "message is too long");
  }
  return true;
}

void MessageReader::BeginFrame() {
  state_ = State::kPayload;
  frame_taken_ = 0;
  if (IsControl(frame_.opcode)) {
    control_.clear();
    return;
  }
  if (frame_.opcode != Opcode::kContinuation) {
    in_message_ = true;
    message_opcode_ = frame_.opcode;
    compressed_ = frame_.rsv1;
    fragments_ = 0;
    wire_size_ = 0;
    utf8_.Reset();
  }
  ++fragments_;
}

// --- Payload -----------------------------------------------------------------------------------

MessageReader::Step MessageReader::ReadPayload(ByteView* input) {
  const ByteView piece = input->substr(0, frame_.length - frame_taken_);
  if (IsControl(frame_.opcode)) {
    const size_t from = control_.size();
    control_.resize(from + piece.size());
    CopyMasked(control_.data() + from, piece.data(), piece.size(), frame_.mask, frame_taken_);
  } else if (!piece.empty() && !TakeData(piece)) {
    return ReadEvent::kViolation;
  }
  input->remove_prefix(piece.size());
  frame_taken_ += piece.size();
  if (frame_taken_ < frame_.length) return ReadEvent::kNeedMore;
  return EndFrame();
}

bool MessageReader::TakeData(ByteView piece) {
  wire_size_ += piece.size();
  const size_t from = payload_.size();
  if (!compressed_) {
    Grow(piece.size());
    CopyMasked(payload_.data() + from, piece.data(), piece.size(), frame_.mask, frame_taken_);
    return CheckText(from);
  }
  if (!frame_.masked) return TakeInflated(inflater_->Inflate(piece, payload_), from);
  std::array<char, kUnmaskChunk> chunk;
  for (size_t at = 0; at < piece.size(); at += chunk.size()) {
    const ByteView part = piece.substr(at, chunk.size());
    CopyMasked(chunk.data(), part.data(), part.size(), frame_.mask, frame_taken_ + at);
    const size_t before = payload_.size();
    if (!TakeInflated(inflater_->Inflate({chunk.data(), part.size()}, payload_), before)) {
      return false;
    }
  }
  return true;
}

// By doubling, but not beyond what the frame will take: most messages are one frame in one or two
// pieces, and need no second buffer.
void MessageReader::Grow(size_t more) {
  const size_t size = payload_.size() + more;
  if (size > payload_.capacity()) {
    payload_.reserve(std::min<uint64_t>(size + (frame_.length - frame_taken_ - more), 2 * size));
  }
  payload_.resize(size);
}

// Judges what was inflated behind `from`, then how that ended: the first fault counts.
bool MessageReader::TakeInflated(Inflater::Outcome outcome, size_t from) {
  if (!CheckText(from)) return false;
  switch (outcome) {
    case Inflater::Outcome::kOk:
      return true;
    case Inflater::Outcome::kBroken:
      return Refuse(ViolationKind::kInflateFailed, CloseCode::kInvalidData,
                    "compressed message is not DEFLATE data");
    case Inflater::Outcome::kTooLong:
      return Refuse(ViolationKind::kMessageLength, CloseCode::kMessageTooBig,
                    "message is too long when inflated");
    case Inflater::Outcome::kRatio:
      return Refuse(ViolationKind::kInflateRatio, CloseCode::kMessageTooBig,
                    "compressed message grows too much");
  }
  FW_UNREACHABLE();
}

bool MessageReader::CheckText(size_t from) {
  if (message_opcode_ != Opcode::kText) return true;
  const ByteView fresh = ByteView(payload_).substr(from);
  const Utf8Validator before = utf8_;
  const bool is_utf8 = utf8_.Feed(fresh);
  const size_t null = options_.allow_text_null ? ByteView::npos : fresh.find('\0');
  if (is_utf8 && null == ByteView::npos) return true;
  if (!is_utf8 && (null == ByteView::npos || FirstInvalid(before, fresh) <= null)) {
    return Refuse(ViolationKind::kInvalidUtf8, CloseCode::kInvalidData, "text is not UTF-8");
  }
  return Refuse(ViolationKind::kTextNull, CloseCode::kPolicyViolation, "text contains U+0000");
}

// --- Ends --------------------------------------------------------------------------------------

MessageReader::Step MessageReader::EndFrame() {
  state_ = State::kHeader;
  if (IsControl(frame_.opcode)) return EndControl();
  if (!frame_.fin) return std::nullopt;
  return EndMessage();
}

MessageReader::Step MessageReader::EndMessage() {
  if (compressed_) {
    const size_t from = payload_.size();
    if (!TakeInflated(inflater_->Finish(payload_), from)) return ReadEvent::kViolation;
  }
  if (message_opcode_ == Opcode::kText && !utf8_.complete()) {
    Refuse(ViolationKind::kInvalidUtf8, CloseCode::kInvalidData, "text ends within a character");
    return ReadEvent::kViolation;
  }
  in_message_ = false;
  announced_ = true;
  return ReadEvent::kMessage;
}

MessageReader::Step MessageReader::EndControl() {
  if (frame_.opcode == Opcode::kPing) return ReadEvent::kPing;
  if (frame_.opcode == Opcode::kPong) return ReadEvent::kPong;

  if (control_.size() == 1) {
    Refuse(ViolationKind::kClosePayload, CloseCode::kProtocolError,
           "Close frame with one octet of payload");
    return ReadEvent::kViolation;
  }
  if (!control_.empty() && !IsLegalOnWire(close_code())) {
    Refuse(ViolationKind::kClosePayload, CloseCode::kProtocolError,
           "Close frame with a code that may not be sent");
    return ReadEvent::kViolation;
  }
  if (!IsValidUtf8(close_reason())) {
    Refuse(ViolationKind::kInvalidUtf8, CloseCode::kInvalidData, "close reason is not UTF-8");
    return ReadEvent::kViolation;
  }
  End();
  return ReadEvent::kClose;
}

uint16_t MessageReader::close_code() const {
  return control_.size() < 2 ? static_cast<uint16_t>(CloseCode::kNoStatus)
                             : ReadBig16(control_payload());
}

ByteView MessageReader::close_reason() const {
  return control_.size() < 2 ? ByteView() : control_payload().substr(2);
}

// Always false, for its callers to return.
bool MessageReader::Refuse(ViolationKind kind, CloseCode code, std::string_view text) {
  violation_ = {kind, code, text};
  End();
  return false;
}

void MessageReader::End() {
  state_ = State::kEnded;
  in_message_ = false;
  announced_ = false;
  FreePayload();
  inflater_.reset();
}

}  // namespace framewall::ws
