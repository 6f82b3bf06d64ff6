// Where things are unless the command line or the configuration says otherwise.
#pragma once

#include <string_view>

namespace framewall::config {

constexpr std::string_view kDefaultPrefix = "/usr/share/framewall/";
constexpr std::string_view kDefaultConfPath = "/etc/framewall/framewall.conf";
constexpr std::string_view kDefaultPidPath = "/run/framewall.pid";
constexpr std::string_view kDefaultErrorLog = "/var/log/framewall/error.log";
constexpr std::string_view kDefaultAccessLog = "/var/log/framewall/access.log";
// Request bodies on disk, with the default prefix; else client_body_temp under the prefix.
constexpr std::string_view kDefaultBodyTempPath = "/var/lib/framewall/client_body_temp";
constexpr std::string_view kDefaultUser = "www-data";

}  // namespace framewall::config
