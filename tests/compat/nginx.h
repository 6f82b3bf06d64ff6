// Debian's nginx with the ModSecurity connector, to compare with.
#pragma once

#include <string>

#include "tests/support/temp_dir.h"

namespace framewall::test {

inline constexpr char kNginx[] = "/usr/sbin/nginx";

// Both nginx and the connector's modules are installed.
bool HasNginx();
// load_module lines; framewall takes them as built in.
std::string LoadModules();
// modsecurity_rules_file: Debian's own modsecurity.conf, blocking and without its log, then CRS.
// The file is written into `folder`.
std::string DebianRules(const TempDir& folder);

}  // namespace framewall::test
