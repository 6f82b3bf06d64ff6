#include "proxy/exchange/body_buffer.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace framewall::exchange {
namespace {

Status WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return SystemError("write() to a request body's temporary file failed", errno);
    }
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return OkStatus();
}

}  // namespace

void BodyBuffer::Configure(uint64_t memory_limit, std::string temp_path, bool file_only,
                           bool keep_name) {
  memory_limit_ = memory_limit;
  temp_path_ = std::move(temp_path);
  file_only_ = file_only;
  keep_name_ = keep_name;
}

Status BodyBuffer::Append(std::string_view piece) {
  if (piece.empty()) return OkStatus();
  if (!file_.valid() && (file_only_ || memory_.size() + piece.size() > memory_limit_)) {
    FW_TRY(SpillToFile());
  }
  if (file_.valid()) {
    FW_TRY(WriteAll(file_.get(), piece));
  } else {
    memory_.append(piece);
  }
  size_ += piece.size();
  return OkStatus();
}

Status BodyBuffer::SpillToFile() {
  std::string name = temp_path_ + "/bodyXXXXXX";
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) {
    return SystemError("open() of a request body's temporary file \"" + name + "\" failed", errno);
  }
  file_.Reset(fd);
  // $request_body_file shows it in any case, as nginx does.
  file_path_ = name;
  if (!keep_name_) ::unlink(name.c_str());
  FW_TRY(WriteAll(fd, memory_));
  memory_.clear();
  memory_.shrink_to_fit();
  return OkStatus();
}

Result<size_t> BodyBuffer::ReadAt(uint64_t offset, char* out, size_t capacity) const {
  if (!file_.valid()) {
    if (offset >= memory_.size()) return size_t{0};
    const size_t start = static_cast<size_t>(offset);
    const size_t count = std::min(capacity, memory_.size() - start);
    std::memcpy(out, memory_.data() + start, count);
    return count;
  }
  for (;;) {
    const ssize_t n = ::pread(file_.get(), out, capacity, static_cast<off_t>(offset));
    if (n >= 0) return static_cast<size_t>(n);
    if (errno != EINTR) {
      return SystemError("read() of a request body's temporary file failed", errno);
    }
  }
}

void BodyBuffer::RemoveFile() {
  if (keep_name_ && !file_path_.empty()) ::unlink(file_path_.c_str());
  file_path_.clear();
}

void BodyBuffer::Clear() {
  file_.Reset();
  file_path_.clear();
  memory_.clear();
  // A large body's memory goes back; an idle connection keeps little.
  if (memory_.capacity() > 16384) memory_.shrink_to_fit();
  size_ = 0;
}

}  // namespace framewall::exchange
