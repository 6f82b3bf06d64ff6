#include "tests/compat/nginx.h"

#include <unistd.h>

namespace framewall::test {
namespace {

constexpr const char* kModules[] = {"/usr/lib/nginx/modules/ndk_http_module.so",
                                    "/usr/lib/nginx/modules/ngx_http_modsecurity_module.so"};

}  // namespace

bool HasNginx() {
  if (::access(kNginx, X_OK) != 0) return false;
  for (const char* module : kModules) {
    if (::access(module, R_OK) != 0) return false;
  }
  return true;
}

std::string LoadModules() {
  std::string lines;
  for (const char* module : kModules) lines += "load_module " + std::string(module) + ";\n";
  return lines;
}

}  // namespace framewall::test
