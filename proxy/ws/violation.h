// What a peer did that RFC 6455, RFC 7692 or our limits do not allow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/ws/close_code.h"

namespace framewall::ws {

// Kinds as a WebSocket firewall counts them, each with its close code.
enum class ViolationKind : uint8_t {
  kReservedBits,      // 1002: an extension that was not negotiated
  kMasking,           // 1002: an unmasked client frame, a masked server frame
  kProtocol,          // 1002: opcodes, length forms, control frames, order of continuations
  kFrameLength,       // 1009: a frame above its limit
  kFragments,         // 1008: too many frames in a message
  kMessageLength,     // 1009: a message above its limit, inflated or not
  kBinaryNotAllowed,  // 1003
  kTextNotAllowed,    // 1003
  kTextNull,          // 1008: U+0000 in text
  kInvalidUtf8,       // 1007: text, or a close reason
  kClosePayload,      // 1002: one octet, or a code that may not be sent
  kInflateFailed,     // 1007: not DEFLATE data
  kInflateRatio,      // 1009: grows too much for its size
};
inline constexpr size_t kViolationKinds = 13;

// "reserved_bits", "text_null": for metrics and logs.
std::string_view ViolationKindName(ViolationKind kind);

struct Violation {
  ViolationKind kind = ViolationKind::kProtocol;
  CloseCode close_code = CloseCode::kProtocolError;
  std::string_view text;  // a sentence for the log; static
};

}  // namespace framewall::ws
