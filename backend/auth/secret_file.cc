#include "backend/auth/secret_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "proxy/base/digest.h"
#include "proxy/base/encoding.h"
#include "proxy/base/log.h"
#include "proxy/base/unique_fd.h"

namespace framewall::backend::auth {
namespace {

constexpr size_t kMostOctets = 65536;

Error Failed(std::string_view call, const std::string& path) {
  const int reason = errno;
  Error error = SystemError(fmt::format("{}(\"{}\") failed", call, path), reason);
  error.source = ErrorSource::kOperator;
  return error;
}

Error Refused(std::string message) {
  return Error{ErrorKind::kRefused, ErrorSource::kOperator, std::move(message), 0};
}

Status WriteAll(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Failed("write", path);
    text.remove_prefix(static_cast<size_t>(count));
  }
  if (::fsync(fd) != 0) return Failed("fsync", path);
  return OkStatus();
}

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<std::string> ReadSecretFile(const std::string& path, SecretPlace place) {
  const bool is_ours = place == SecretPlace::kOurs;
  // Mounted secrets are links to links where Kubernetes mounts them.
  const UniqueFd file(
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | (is_ours ? O_NOFOLLOW : 0)));
  if (!file.valid()) return Failed("open", path);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return Failed("fstat", path);
  if (!S_ISREG(info.st_mode)) {
    return Refused(fmt::format("\"{}\" holds a secret and is no regular file", path));
  }
  if ((info.st_mode & 077) != 0) {
    const std::string what =
        fmt::format("\"{}\" holds a secret and has mode {:04o}, 0600 was expected (chmod 600)",
                    path, info.st_mode & 07777);
    if (is_ours) return Refused(what);
    MainLog().Write(LogLevel::kWarn, what);
  }
  std::string text(kMostOctets + 1, '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t count = ::read(file.get(), text.data() + size, text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Failed("read", path);
    if (count == 0) break;
    size += static_cast<size_t>(count);
  }
  if (size > kMostOctets) {
    OPENSSL_cleanse(text.data(), text.size());
    return Refused(fmt::format("\"{}\" is longer than {} octets", path, kMostOctets));
  }
  text.resize(size);
  return text;
}

Status WriteSecretFile(const std::string& path, std::string_view text) {
  const std::string beside = path + "." + HexEncode(RandomBytes(8)) + ".new";
  {
    const UniqueFd file(
        ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.valid()) return Failed("open", beside);
    // Whatever the umask says.
    if (::fchmod(file.get(), 0600) != 0) return Failed("fchmod", beside);
    Status written = WriteAll(file.get(), text, beside);
    if (!written.ok()) {
      ::unlink(beside.c_str());
      return written;
    }
  }
  if (std::rename(beside.c_str(), path.c_str()) != 0) {
    Error error = Failed("rename", path);
    ::unlink(beside.c_str());
    return error;
  }
  const std::string directory = DirectoryOf(path);
  const UniqueFd opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.valid() || ::fsync(opened.get()) != 0) return Failed("fsync", directory);
  return OkStatus();
}

Status MakeSecretDirectory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return Failed("mkdir", path);
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return Failed("stat", path);
  if (!S_ISDIR(info.st_mode)) return Refused(fmt::format("\"{}\" is no directory", path));
  if ((info.st_mode & 022) != 0) {
    return Refused(
        fmt::format("others may write into \"{}\" (mode {:04o}), which holds secrets: 0700 was "
                    "expected (chmod 700)",
                    path, info.st_mode & 07777));
  }
  return OkStatus();
}

}  // namespace framewall::backend::auth
