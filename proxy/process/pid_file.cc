#include "proxy/process/pid_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

#include "proxy/base/parse.h"
#include "proxy/base/unique_fd.h"

namespace framewall::process {
namespace {

Error OpenError(const std::string& path, int reason) {
  Error error = SystemError("open() \"" + path + "\" failed", reason);
  error.source = ErrorSource::kOperator;
  return error;
}

}  // namespace

Status WritePidFile(const std::string& path, pid_t pid) {
  const UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file.valid()) return OpenError(path, errno);
  const std::string text = std::to_string(pid) + "\n";
  const ssize_t written = ::write(file.get(), text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size())) {
    return SystemError("write() \"" + path + "\" failed", written < 0 ? errno : ENOSPC);
  }
  return OkStatus();
}

Status CheckPidFile(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (file.valid()) return OkStatus();
  if (errno != ENOENT) return OpenError(path, errno);
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  if (::access(folder.empty() ? "." : folder.c_str(), W_OK) != 0) return OpenError(path, errno);
  return OkStatus();
}

Result<pid_t> ReadPidFile(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return OpenError(path, errno);
  char buffer[32];
  const ssize_t length = ::read(file.get(), buffer, sizeof(buffer));
  if (length < 0) return SystemError("read() \"" + path + "\" failed", errno);
  std::string_view text(buffer, static_cast<size_t>(length));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  const auto number = ParseUnsigned(text);
  // Zero would be our own process group.
  if (!number || *number == 0 ||
      *number > static_cast<uint64_t>(std::numeric_limits<pid_t>::max())) {
    return OperatorError("invalid PID number \"" + std::string(text) + "\" in \"" + path + "\"");
  }
  return static_cast<pid_t>(*number);
}

}  // namespace framewall::process
