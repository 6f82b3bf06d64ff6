#include "tests/compat/nginx.h"

#include <unistd.h>

#include <fstream>

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

std::string DebianRules(const TempDir& folder) {
  std::ifstream model("/etc/nginx/modsecurity.conf");
  std::string rules = "SecRuleEngine On\n";
  for (std::string line; std::getline(model, line);) {
    const bool is_ours = line.starts_with("SecRuleEngine") || line.starts_with("SecAudit") ||
                         line.starts_with("SecStatusEngine") || line.starts_with("SecTmpDir") ||
                         line.starts_with("SecDataDir");
    if (line.starts_with("SecUnicodeMapFile")) {
      line = "SecUnicodeMapFile /etc/nginx/unicode.mapping 20127";
    }
    if (!is_ours) rules += line + "\n";
  }
  rules +=
      "Include /etc/modsecurity/crs/crs-setup.conf\n"
      "Include /usr/share/modsecurity-crs/rules/*.conf\n";
  return "modsecurity_rules_file " + folder.Write("debian.conf", rules) + ";";
}

}  // namespace framewall::test
