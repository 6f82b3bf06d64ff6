// FW_CHECK: a state that cannot be. Aborts with file and line; never for input.
#pragma once

namespace framewall {

[[noreturn]] void CheckFailed(const char* file, int line, const char* what);

}  // namespace framewall

#define FW_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::framewall::CheckFailed(__FILE__, __LINE__, #condition))
#define FW_UNREACHABLE() ::framewall::CheckFailed(__FILE__, __LINE__, "unreachable")
