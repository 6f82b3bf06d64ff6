#include "backend/data_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "proxy/base/log.h"
#include "proxy/base/parse.h"

namespace framewall::backend {
namespace {

Status Make(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return OkStatus();
  const int reason = errno;
  struct stat file {};
  if (reason != EEXIST || ::stat(path.c_str(), &file) != 0) {
    return SystemError(fmt::format("server.data_dir: mkdir() \"{}\" failed", path), reason);
  }
  if (!S_ISDIR(file.st_mode)) {
    return OperatorError(fmt::format("server.data_dir: \"{}\" is no directory", path));
  }
  if ((file.st_mode & 0077) != 0) {
    MainLog().Write(
        LogLevel::kWarn,
        fmt::format("server.data_dir: \"{}\" may be entered by others; chmod 0700 is safer", path));
  }
  return OkStatus();
}

// " (process 123)", as the holder has written it; nothing where that is no number.
std::string HolderOf(int lock) {
  std::array<char, 16> text{};
  const ssize_t size = ::pread(lock, text.data(), text.size(), 0);
  if (size <= 0) return {};
  const std::string_view line(text.data(), static_cast<size_t>(size));
  const auto pid = ParseUnsigned(line.substr(0, line.find('\n')));
  return pid ? fmt::format(" (process {})", *pid) : std::string();
}

// For people and for the error of who comes second; the lock holds without it.
void WriteOwnPid(int lock) {
  const std::string text = fmt::format("{}\n", ::getpid());
  const bool is_written =
      ::ftruncate(lock, 0) == 0 && ::pwrite(lock, text.data(), text.size(), 0) >= 0;
  if (!is_written) {
    MainLog().Write(LogLevel::kWarn,
                    SystemError("cannot write our process id into the lock", errno).message);
  }
}

}  // namespace

Result<DataDirectory> DataDirectory::Open(const std::string& path) {
  FW_TRY(Make(path));
  const std::string name = path + "/backend.lock";
  UniqueFd lock(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock.valid()) {
    return SystemError(fmt::format("server.data_dir: cannot open the lock \"{}\"", name), errno);
  }
  while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) {
      return SystemError(fmt::format("server.data_dir: cannot lock \"{}\"", name), errno);
    }
    return OperatorError(
        fmt::format("server.data_dir: another framewall-backend{} serves from \"{}\" and holds "
                    "\"{}\"; stop it first, or give this one a directory of its own",
                    HolderOf(lock.get()), path, name));
  }
  WriteOwnPid(lock.get());
  return DataDirectory(std::move(lock));
}

}  // namespace framewall::backend
