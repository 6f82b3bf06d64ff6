// A check of WebSocket messages, and its answer. The order is message/pipeline.cc.
#pragma once

#include <cstdint>
#include <string_view>

#include "proxy/base/bytes.h"
#include "proxy/exchange/exchange.h"

namespace framewall::filter {

using exchange::Exchange;

// A whole message, or the reason of a Close frame, before any octet of it is passed on.
struct Message {
  enum class Direction : uint8_t { kClientToUpstream, kUpstreamToClient };
  enum class Kind : uint8_t { kText, kBinary, kCloseReason };
  Direction direction = Direction::kClientToUpstream;
  Kind kind = Kind::kText;
  ByteView payload;        // inflated and unmasked
  uint64_t wire_size = 0;  // octets of payload as they came
  uint64_t number = 0;     // in its direction, from 1
};

struct MessageVerdict {
  enum class Kind : uint8_t {
    kPass,
    kDrop,   // leave it out, go on
    kTaken,  // the same, but nothing was refused: it was for us
    kClose,  // close both sides with `code` and `reason`
    kReset,  // both connections end without a word
  };
  Kind kind = Kind::kPass;
  uint16_t code = 0;
  std::string_view reason;  // static
  int64_t rule_id = 0;      // of the rule that refused; 0: none

  static MessageVerdict Pass() { return {}; }
};

// One for each socket and check; what it needs between messages is its state.
class MessageFilter {
 public:
  virtual ~MessageFilter() = default;
  virtual MessageVerdict OnMessage(Exchange& exchange, const Message& message) = 0;
};

}  // namespace framewall::filter
