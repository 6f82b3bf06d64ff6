#include "proxy/process/upgrade.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "proxy/base/log.h"
#include "proxy/process/pid_file.h"
#include "proxy/process/process_title.h"
#include "proxy/process/signals.h"

namespace framewall::process {
namespace {

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// In the child. Libraries open files without close-on-exec; nothing but the sockets may pass.
void LeaveOnlySockets(const std::vector<int>& descriptors) {
  ::close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
  for (const int fd : descriptors) ::fcntl(fd, F_SETFD, 0);
}

}  // namespace

Result<pid_t> StartNewBinary(const std::string& pid_path, const ListenSockets& sockets,
                             std::vector<std::string> environment) {
  const std::string old_path = OldPidPath(pid_path);
  if (std::rename(pid_path.c_str(), old_path.c_str()) != 0) {
    return SystemError("rename() " + pid_path + " to " + old_path +
                           " failed before executing new binary process \"" + ProgramPath() + "\"",
                       errno);
  }
  environment.push_back(std::string(kInheritanceVariable) + "=" + sockets.ForInheritance());
  std::vector<std::string> arguments = SavedArguments();
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(environment);
  const std::vector<int> descriptors = sockets.descriptors();
  const pid_t pid = ::fork();
  if (pid < 0) {
    const int reason = errno;
    RestorePidFile(pid_path);
    return SystemError("fork() failed while spawning \"new binary process\"", reason);
  }
  if (pid == 0) {
    RestoreDefaultSignals();
    LeaveOnlySockets(descriptors);
    ::execve(ProgramPath().c_str(), argv.data(), envp.data());
    MainLog().Write(LogLevel::kAlert,
                    "execve() failed while executing new binary process \"" + ProgramPath() + "\"",
                    nullptr, errno);
    ::_exit(1);
  }
  MainLog().Write(LogLevel::kNotice, "start new binary process " + std::to_string(pid));
  return pid;
}

void RestorePidFile(const std::string& pid_path) {
  const std::string old_path = OldPidPath(pid_path);
  if (std::rename(old_path.c_str(), pid_path.c_str()) != 0) {
    MainLog().Write(LogLevel::kAlert,
                    "rename() " + old_path + " back to " + pid_path +
                        " failed after the new binary process \"" + ProgramPath() + "\" exited",
                    nullptr, errno);
  }
}

}  // namespace framewall::process
