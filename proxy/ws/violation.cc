#include "proxy/ws/violation.h"

#include "proxy/base/check.h"

namespace framewall::ws {

std::string_view ViolationKindName(ViolationKind kind) {
  switch (kind) {
    case ViolationKind::kReservedBits:
      return "reserved_bits";
    case ViolationKind::kMasking:
      return "masking";
    case ViolationKind::kProtocol:
      return "protocol";
    case ViolationKind::kFrameLength:
      return "frame_length";
    case ViolationKind::kFragments:
      return "fragments";
    case ViolationKind::kMessageLength:
      return "message_length";
    case ViolationKind::kBinaryNotAllowed:
      return "binary_not_allowed";
    case ViolationKind::kTextNotAllowed:
      return "text_not_allowed";
    case ViolationKind::kTextNull:
      return "text_null";
    case ViolationKind::kInvalidUtf8:
      return "invalid_utf8";
    case ViolationKind::kClosePayload:
      return "close_payload";
    case ViolationKind::kInflateFailed:
      return "inflate_failed";
    case ViolationKind::kInflateRatio:
      return "inflate_ratio";
  }
  FW_UNREACHABLE();
}

}  // namespace framewall::ws
