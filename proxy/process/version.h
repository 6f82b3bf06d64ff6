// What -v, -V and -h print: nginx's texts, because scripts and nginx's tests read features there.
#pragma once

#include <string>

#include "proxy/process/command_line.h"

namespace framewall::process {

// The behaviour we match, and the version that scripts see.
inline constexpr char kNginxVersion[] = "1.22.1";

std::string VersionText(const CommandLine& line);

}  // namespace framewall::process
