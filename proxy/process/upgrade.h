// USR2: a new binary takes over the listening sockets while the old one still serves.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/process/listen_sockets.h"

namespace framewall::process {

// The variable that names the sockets, as nginx's: "6;7;".
inline constexpr char kInheritanceVariable[] = "NGINX";

// Moves the pid file out of the way (".oldbin") and starts our program anew with our arguments,
// `environment` and the sockets. Returns its process id. On failure the pid file is back.
Result<pid_t> StartNewBinary(const std::string& pid_path, const ListenSockets& sockets,
                             std::vector<std::string> environment);

// The new binary has died: our pid file gets its name back.
void RestorePidFile(const std::string& pid_path);

}  // namespace framewall::process
