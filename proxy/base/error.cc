#include "proxy/base/error.h"

#include <cstring>

namespace framewall {

std::string_view ErrorKindName(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kSyntax:
      return "syntax";
    case ErrorKind::kLimit:
      return "limit";
    case ErrorKind::kTimeout:
      return "timeout";
    case ErrorKind::kClosed:
      return "closed";
    case ErrorKind::kRefused:
      return "refused";
    case ErrorKind::kUnavailable:
      return "unavailable";
    case ErrorKind::kNotFound:
      return "not_found";
    case ErrorKind::kSystem:
      return "system";
    case ErrorKind::kOther:
      return "other";
  }
  return "other";
}

std::string_view ErrorSourceName(ErrorSource source) {
  switch (source) {
    case ErrorSource::kClient:
      return "client";
    case ErrorSource::kUpstream:
      return "upstream";
    case ErrorSource::kOperator:
      return "operator";
    case ErrorSource::kInternal:
      return "internal";
  }
  return "internal";
}

Error SystemError(std::string_view message, int system_errno) {
  std::string text(message);
  text += " (" + std::to_string(system_errno) + ": " + std::strerror(system_errno) + ")";
  return Error{ErrorKind::kSystem, ErrorSource::kInternal, std::move(text), system_errno};
}

}  // namespace framewall
