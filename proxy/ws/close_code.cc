#include "proxy/ws/close_code.h"

namespace framewall::ws {

bool IsLegalOnWire(uint16_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

std::string_view CloseCodeName(uint16_t code) {
  switch (static_cast<CloseCode>(code)) {
    case CloseCode::kNormal:
      return "normal";
    case CloseCode::kGoingAway:
      return "going away";
    case CloseCode::kProtocolError:
      return "protocol error";
    case CloseCode::kUnsupportedData:
      return "unsupported data";
    case CloseCode::kNoStatus:
      return "no status";
    case CloseCode::kAbnormal:
      return "abnormal";
    case CloseCode::kInvalidData:
      return "invalid data";
    case CloseCode::kPolicyViolation:
      return "policy violation";
    case CloseCode::kMessageTooBig:
      return "message too big";
    case CloseCode::kMandatoryExtension:
      return "mandatory extension";
    case CloseCode::kInternalError:
      return "internal error";
    case CloseCode::kServiceRestart:
      return "service restart";
    case CloseCode::kTryAgainLater:
      return "try again later";
    case CloseCode::kBadGateway:
      return "bad gateway";
    case CloseCode::kTlsHandshake:
      return "TLS handshake";
  }
  if (code >= 3000 && code <= 3999) return "registered code";
  if (code >= 4000 && code <= 4999) return "application code";
  return "unassigned";
}

}  // namespace framewall::ws
