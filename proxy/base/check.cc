#include "proxy/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace framewall {

void CheckFailed(const char* file, int line, const char* what) {
  std::fprintf(stderr, "framewall: %s:%d: check failed: %s\n", file, line, what);
  std::abort();
}

}  // namespace framewall
