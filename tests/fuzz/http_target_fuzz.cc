// Targets, paths and hosts: the parts lie within the target, a normal path stays what it is and
// never leaves its root. Octet 0 chooses the form and merge_slashes.
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/check.h"
#include "proxy/http/target.h"

namespace framewall::http {
namespace {

void CheckPath(std::string_view path, bool merge) {
  const auto normal = NormalizePath(path, merge);
  const bool is_normal = IsNormalPath(path, merge);
  FW_CHECK(is_normal == (normal.ok() && *normal == path));
  if (!normal.ok() || path == "*") return;
  FW_CHECK(!normal->empty() && normal->front() == '/');
  FW_CHECK(normal->size() <= path.size() && normal->find('\0') == std::string::npos);
  const std::string closed = *normal + "/";
  FW_CHECK(closed.find("/../") == std::string::npos && closed.find("/./") == std::string::npos);
  FW_CHECK(!merge || normal->find("//") == std::string::npos);
}

void CheckHost(std::string_view text) {
  const auto host = ParseHost(text);
  if (!host.ok()) return;
  FW_CHECK(!host->host.empty() && host->host.find_first_of("/@ \t\r\n") == std::string::npos);
  // A second trailing dot cannot be left: two dots in a row are refused.
  const auto again = ParseHost(host->host);
  FW_CHECK(again.ok() && again->host == host->host && !again->port);
}

}  // namespace
}  // namespace framewall::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace framewall::http;
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool merge = (data[0] & 1) != 0;
  const auto target = ParseTarget(text, (data[0] & 2) != 0);
  if (target.ok()) {
    FW_CHECK(!target->path.empty());
    FW_CHECK(target->query.empty() || target->has_query);
    FW_CHECK(target->path.size() + target->query.size() + target->authority.size() <=
             text.size() + 1);
    CheckPath(target->path, merge);
    if (!target->authority.empty()) CheckHost(target->authority);
  }
  CheckPath(text, merge);
  CheckHost(text);
  return 0;
}
