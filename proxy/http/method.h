// Request methods: the known ones as numbers, any other token as kOther.
#pragma once

#include <cstdint>
#include <string_view>

namespace framewall::http {

enum class Method : uint8_t {
  kOther = 0,
  kGet,
  kHead,
  kPost,
  kPut,
  kDelete,
  kConnect,
  kOptions,
  kTrace,
  kPatch,
  kPropfind,
  kProppatch,
  kMkcol,
  kCopy,
  kMove,
  kLock,
  kUnlock,
};

// Case-sensitive, as RFC 9110 9.1 says.
Method FindMethod(std::string_view token);
std::string_view MethodName(Method method);
// RFC 9110 9.2.2: may be repeated without other effect. kOther is not.
bool IsIdempotent(Method method);

}  // namespace framewall::http
