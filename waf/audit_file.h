// A file that records are appended to, by several processes at once.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "waf/engine.h"

namespace framewall::waf {

// Opened in the master and inherited by the workers. A record leaves in one
// write() on an O_APPEND descriptor: the kernel places it whole at the end under
// the inode's lock, so records of several processes do not mix and nobody waits
// for another process. (On a pipe that holds up to PIPE_BUF bytes.)
class AuditFile {
 public:
  AuditFile(std::string path, int mode);
  ~AuditFile();
  AuditFile(const AuditFile&) = delete;
  AuditFile& operator=(const AuditFile&) = delete;

  const std::string& path() const { return path_; }

  // Opens the file by its path, for the first time or anew; a failure keeps the
  // descriptor there was. False with `error` filled.
  bool Open(std::string* error);
  // Gives the open file to `owner`, readable and writable for it.
  bool Give(FileOwner owner, std::string* error);
  bool Append(std::string_view record, std::string* error);

 private:
  std::string path_;
  int mode_;
  int fd_ = -1;
  // A record was cut off by a full disk; the next one starts on a line of its own.
  bool cut_off_ = false;
};

// "open() \"x\" failed (2: No such file or directory)"
std::string SystemError(std::string_view call, std::string_view path, int error_number);

}  // namespace framewall::waf
