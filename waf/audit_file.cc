#include "waf/audit_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace framewall::waf {

std::string SystemError(std::string_view call, std::string_view path, int error_number) {
  std::string text(call);
  text.append("() \"").append(path).append("\" failed (");
  text.append(std::to_string(error_number)).append(": ").append(std::strerror(error_number));
  return text.append(")");
}

AuditFile::AuditFile(std::string path, int mode) : path_(std::move(path)), mode_(mode) {}

AuditFile::~AuditFile() {
  if (fd_ >= 0) ::close(fd_);
}

bool AuditFile::Open(std::string* error) {
  // Not blocking matters for pipes and terminals only: a reader that has
  // stopped costs records, which are counted, and not the event loop.
  const int fd = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK,
                        static_cast<mode_t>(mode_));
  if (fd < 0) {
    const int number = errno;
    struct stat now {};
    // /dev/stdout and its like cannot be opened by an unprivileged worker, and
    // need not be: nobody renames them.
    if (fd_ >= 0 && ::fstat(fd_, &now) == 0 && !S_ISREG(now.st_mode)) return true;
    *error = SystemError("open", path_, number);
    return false;
  }
  if (fd_ < 0) {
    fd_ = fd;
    return true;
  }
  if (::dup3(fd, fd_, O_CLOEXEC) < 0) {
    *error = SystemError("dup3", path_, errno);
    ::close(fd);
    return false;
  }
  ::close(fd);
  cut_off_ = false;
  return true;
}

bool AuditFile::Give(FileOwner owner, std::string* error) {
  struct stat now {};
  if (fd_ < 0 || ::fstat(fd_, &now) != 0 || !S_ISREG(now.st_mode)) return true;
  if (::geteuid() != 0) return true;  // the workers run as whoever we are
  if (now.st_uid != owner.user && ::fchown(fd_, owner.user, owner.group) != 0) {
    *error = SystemError("fchown", path_, errno);
    return false;
  }
  if ((now.st_mode & 0600) != 0600 && ::fchmod(fd_, (now.st_mode & 07777) | 0600) != 0) {
    *error = SystemError("fchmod", path_, errno);
    return false;
  }
  return true;
}

bool AuditFile::Append(std::string_view record, std::string* error) {
  if (fd_ < 0) {
    *error = "\"" + path_ + "\" is not open";
    return false;
  }
  char line_end[] = "\n";
  iovec pieces[2] = {{line_end, cut_off_ ? 1U : 0U},
                     {const_cast<char*>(record.data()), record.size()}};
  ssize_t written;
  do {
    written = ::writev(fd_, pieces, 2);
  } while (written < 0 && errno == EINTR);
  if (written < 0) {
    *error = SystemError("write", path_, errno);
    return false;
  }
  const std::size_t whole = record.size() + (cut_off_ ? 1U : 0U);
  if (static_cast<std::size_t>(written) < whole) {
    // Writing the rest would mix with another process's record.
    cut_off_ = written > 0;
    *error = "write() to \"" + path_ + "\" was cut off after " + std::to_string(written) + " of " +
             std::to_string(whole) + " bytes";
    return false;
  }
  cut_off_ = false;
  return true;
}

}  // namespace framewall::waf
