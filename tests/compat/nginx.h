// Debian's nginx with the ModSecurity connector, to compare with.
#pragma once

#include <string>

namespace framewall::test {

inline constexpr char kNginx[] = "/usr/sbin/nginx";

// Both nginx and the connector's modules are installed.
bool HasNginx();
// load_module lines; framewall takes them as built in.
std::string LoadModules();

}  // namespace framewall::test
