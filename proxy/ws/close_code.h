// Status codes of the Close frame (RFC 6455 7.4 and the IANA registry).
#pragma once

#include <cstdint>
#include <string_view>

namespace framewall::ws {

enum class CloseCode : uint16_t {
  kNormal = 1000,
  kGoingAway = 1001,
  kProtocolError = 1002,
  kUnsupportedData = 1003,
  kNoStatus = 1005,  // never on the wire: the Close frame had no code
  kAbnormal = 1006,  // never on the wire: the connection ended without a Close frame
  kInvalidData = 1007,
  kPolicyViolation = 1008,
  kMessageTooBig = 1009,
  kMandatoryExtension = 1010,
  kInternalError = 1011,
  kServiceRestart = 1012,
  kTryAgainLater = 1013,
  kBadGateway = 1014,
  kTlsHandshake = 1015,  // never on the wire
};

constexpr uint16_t CodeOf(CloseCode code) { return static_cast<uint16_t>(code); }

// May a Close frame carry it: 1000-1003, 1007-1014, 3000-4999. A frame with another one is itself
// a protocol error.
bool IsLegalOnWire(uint16_t code);

// For logs: "message too big", "application code" (4000-4999), "unassigned".
std::string_view CloseCodeName(uint16_t code);
inline std::string_view CloseCodeName(CloseCode code) {
  return CloseCodeName(static_cast<uint16_t>(code));
}

}  // namespace framewall::ws
