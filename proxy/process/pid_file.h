// The file with the master's process id, and its second name while a binary is exchanged.
#pragma once

#include <sys/types.h>

#include <string>

#include "proxy/base/result.h"

namespace framewall::process {

// Replaces the file: decimal digits and a newline.
Status WritePidFile(const std::string& path, pid_t pid);

// -t: could it be written? Leaves nothing behind.
Status CheckPidFile(const std::string& path);

// The number in it. Errors are nginx's texts.
Result<pid_t> ReadPidFile(const std::string& path);

// "/run/nginx.pid.oldbin": the old master's while a new binary runs.
inline std::string OldPidPath(const std::string& path) { return path + ".oldbin"; }

}  // namespace framewall::process
