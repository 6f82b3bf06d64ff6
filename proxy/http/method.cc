#include "proxy/http/method.h"

#include <array>
#include <cstddef>

namespace framewall::http {
namespace {

// In the order of Method.
constexpr std::array<std::string_view, 17> kMethods = {
    "",      "GET",      "HEAD",      "POST",  "PUT",  "DELETE", "CONNECT", "OPTIONS", "TRACE",
    "PATCH", "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE",   "LOCK",    "UNLOCK",
};

}  // namespace

Method FindMethod(std::string_view token) {
  for (size_t i = 1; i < kMethods.size(); ++i) {
    if (kMethods[i] == token) return static_cast<Method>(i);
  }
  return Method::kOther;
}

std::string_view MethodName(Method method) { return kMethods[static_cast<size_t>(method)]; }

bool IsIdempotent(Method method) {
  switch (method) {
    case Method::kOther:
    case Method::kPost:
    case Method::kConnect:
    case Method::kPatch:
    case Method::kLock:
      return false;
    default:
      return true;
  }
}

}  // namespace framewall::http
