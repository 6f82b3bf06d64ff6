#include "proxy/process/privileges.h"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>

#include "proxy/base/log.h"

namespace framewall::process {
namespace {

// errno 0 means that there is no such name.
Error NameError(const std::string& call, const std::string& name, int reason) {
  const std::string message = call + "(\"" + name + "\") failed";
  Error error = reason == 0 ? OperatorError(message) : SystemError(message, reason);
  error.source = ErrorSource::kOperator;
  return error;
}

void SetLimit(__rlimit_resource_t resource, const char* name, uint64_t value) {
  const rlimit limit{value, value};
  if (::setrlimit(resource, &limit) != 0) {
    MainLog().Write(LogLevel::kAlert,
                    std::string("setrlimit(") + name + ", " + std::to_string(value) + ") failed",
                    nullptr, errno);
  }
}

Status ChangeUser(const Credentials& credentials) {
  if (::setgid(credentials.gid) != 0) {
    return SystemError("setgid(" + std::to_string(credentials.gid) + ") failed", errno);
  }
  // Root's supplementary groups must not stay.
  if (::initgroups(credentials.user.c_str(), credentials.gid) != 0) {
    return SystemError(
        "initgroups(" + credentials.user + ", " + std::to_string(credentials.gid) + ") failed",
        errno);
  }
  if (::setuid(credentials.uid) != 0) {
    return SystemError("setuid(" + std::to_string(credentials.uid) + ") failed", errno);
  }
  return OkStatus();
}

}  // namespace

Result<Credentials> ResolveCredentials(const config::MainConfig& main) {
  Credentials credentials;
  if (::geteuid() != 0) {
    credentials.uid = ::geteuid();
    credentials.gid = ::getegid();
    return credentials;
  }
  credentials.change = true;
  credentials.user = main.user;
  errno = 0;
  const passwd* user = ::getpwnam(main.user.c_str());
  if (user == nullptr) return NameError("getpwnam", main.user, errno);
  credentials.uid = user->pw_uid;
  credentials.gid = user->pw_gid;
  if (!main.group.empty()) {
    errno = 0;
    const ::group* group = ::getgrnam(main.group.c_str());
    if (group == nullptr) return NameError("getgrnam", main.group, errno);
    credentials.gid = group->gr_gid;
  } else if (main.user_set) {
    // nginx takes the group of the user's name, not the user's group; it fails where none is.
    errno = 0;
    const ::group* group = ::getgrnam(main.user.c_str());
    if (group == nullptr) return NameError("getgrnam", main.user, errno);
    credentials.gid = group->gr_gid;
  }
  return credentials;
}

Status EnterWorker(const config::MainConfig& main, const Credentials& credentials) {
  if (main.worker_priority != 0 && ::setpriority(PRIO_PROCESS, 0, main.worker_priority) != 0) {
    MainLog().Write(LogLevel::kAlert,
                    "setpriority(" + std::to_string(main.worker_priority) + ") failed", nullptr,
                    errno);
  }
  if (main.worker_rlimit_nofile != 0) {
    SetLimit(RLIMIT_NOFILE, "RLIMIT_NOFILE", main.worker_rlimit_nofile);
  }
  if (main.worker_rlimit_core) SetLimit(RLIMIT_CORE, "RLIMIT_CORE", *main.worker_rlimit_core);
  if (credentials.change) FW_TRY(ChangeUser(credentials));
  // No program that a worker might be talked into starting regains anything.
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return SystemError("prctl(PR_SET_NO_NEW_PRIVS) failed", errno);
  }
  // Changing the user made us undumpable. So it stays, because other processes of that user could
  // read our keys with ptrace; who asks for core files wants it otherwise.
  if (main.worker_rlimit_core && ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) {
    MainLog().Write(LogLevel::kAlert, "prctl(PR_SET_DUMPABLE) failed", nullptr, errno);
  }
  if (!main.working_directory.empty() && ::chdir(main.working_directory.c_str()) != 0) {
    return SystemError("chdir(\"" + main.working_directory + "\") failed", errno);
  }
  return OkStatus();
}

}  // namespace framewall::process
