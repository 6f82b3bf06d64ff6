// Octets in, whole messages and control frames out (RFC 6455 5, RFC 7692): frames are checked,
// unmasked, put together, inflated and checked as text. No I/O, no clock.
//
// Pull: each Read stops behind one event, so whoever cannot take another message simply does not
// call. Memory grows with what arrived, never with what was declared.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "proxy/base/bytes.h"
#include "proxy/base/utf8.h"
#include "proxy/ws/deflate.h"
#include "proxy/ws/frame.h"
#include "proxy/ws/violation.h"
#include "proxy/ws/zlib_pool.h"

namespace framewall::ws {

// Limits are inclusive: a message of exactly max_message octets passes.
struct ReaderOptions {
  Role role = Role::kServer;                 // ours: a server reads masked frames, a client never
  uint64_t max_message = uint64_t{1} << 20;  // octets of a message, inflated
  uint64_t max_frame = uint64_t{1} << 20;    // octets of a data frame's payload on the wire
  uint32_t max_fragments = 1024;             // data frames of a message
  size_t max_control = kMaxControlPayload;   // octets of a control frame's payload, at most 125
  bool text_allowed = true;
  bool binary_allowed = true;
  bool allow_text_null = true;           // U+0000 in text
  std::optional<DeflateParams> deflate;  // as negotiated on this connection
  uint32_t max_inflate_ratio = 0;        // see kRatioFreeOutput; 0: any
};

enum class ReadEvent : uint8_t {
  kNeedMore,   // all input is used
  kMessage,    // payload(), message_opcode()
  kPing,       // control_payload()
  kPong,       // control_payload()
  kClose,      // close_code(), close_reason(); nothing is read any more
  kViolation,  // violation(); nothing is read any more
};

// State of the input: header -> payload -> header ... -> ended. Beside it the message that is being
// put together, which control frames may interrupt.
class MessageReader {
 public:
  // A payload buffer up to this size stays for the next message; a larger one is freed.
  static constexpr size_t kKeptCapacity = 1024;

  // `pool` outlives us; it may be null where nothing is inflated.
  MessageReader(const ReaderOptions& options, ZlibPool* pool);

  // Takes what it uses from the front of `*input` and stops behind the first event. After kClose
  // and kViolation all input is thrown away (RFC 6455 5.5.1, 7.1.7) and the answer is kNeedMore.
  // The verdict depends on the octets only, never on how they are cut into calls.
  ReadEvent Read(ByteView* input);

  // Of the message that kMessage announced, until the next Read. The caller may move the payload
  // out or change it.
  Opcode message_opcode() const { return message_opcode_; }
  std::string& payload() { return payload_; }
  bool compressed() const { return compressed_; }
  // Octets of its frames' payloads on the wire.
  uint64_t wire_size() const { return wire_size_; }
  uint32_t fragments() const { return fragments_; }

  // Of the control frame just announced, until the next Read.
  ByteView control_payload() const { return control_; }
  // 1005 where the Close frame had none.
  uint16_t close_code() const;
  ByteView close_reason() const;

  // Requires: Read said kViolation.
  const Violation& violation() const { return violation_; }
  // Read said kClose or kViolation.
  bool ended() const { return state_ == State::kEnded; }

  // Says that the message just announced is done with: a buffer above kKeptCapacity is freed. Read
  // does it too; who waits for input calls it, so that an idle connection costs little.
  void ReleaseMessage();

  // Lets readers take turns with one buffer: it is ours while we read, and a reader without a
  // message gives it back. `buffer` is empty where another one has it.
  void BorrowBuffer(std::string& buffer);
  void ReturnBuffer(std::string& buffer);

  // Octets of memory that an unfinished message holds now: its payload and the state that inflates
  // it. 0 between messages. Context takeover's window is not counted: it stays.
  size_t held() const;
  // No unfinished message and no unfinished frame.
  bool between_messages() const {
    return !in_message_ && state_ == State::kHeader && header_size_ == 0;
  }

 private:
  enum class State : uint8_t { kHeader, kPayload, kEnded };

  // What a step came to: go on, wait for input, or an event to report.
  using Step = std::optional<ReadEvent>;

  Step ReadHeader(ByteView* input);
  bool CheckOpcode();
  bool CheckLengthCode();
  bool CheckLength();
  void BeginFrame();
  Step ReadPayload(ByteView* input);
  bool TakeData(ByteView piece);
  void Grow(size_t more);
  bool TakeInflated(Inflater::Outcome outcome, size_t from);
  bool CheckText(size_t from);
  Step EndFrame();
  Step EndMessage();
  Step EndControl();
  Step EndClose();
  bool Refuse(ViolationKind kind, CloseCode code, std::string_view text);
  void End();
  void FreePayload();

  ReaderOptions options_;
  State state_ = State::kHeader;
  bool in_message_ = false;  // a data frame was begun and the message is not complete
  bool announced_ = false;   // payload_ belongs to a message that was reported
  bool compressed_ = false;
  Opcode message_opcode_ = Opcode::kText;
  uint8_t header_size_ = 0;  // octets in header_octets_
  uint32_t fragments_ = 0;
  FrameHeader frame_;
  uint64_t frame_taken_ = 0;  // octets of the frame's payload so far
  uint64_t wire_size_ = 0;
  Utf8Validator utf8_;
  std::string payload_;
  std::unique_ptr<Inflater> inflater_;  // null without permessage-deflate
  Violation violation_;
  std::array<char, kMaxFrameHeader> header_octets_{};
  std::string control_;  // at most kMaxControlPayload octets
};

}  // namespace framewall::ws
