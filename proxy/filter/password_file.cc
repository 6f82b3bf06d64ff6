#include "proxy/filter/password_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>

#include "proxy/base/unique_fd.h"
#include "proxy/filter/password.h"

namespace framewall::filter {
namespace {

// File systems keep times in steps, some of whole seconds: two writes within one look like one.
constexpr int64_t kSettlesAfterSeconds = 3;

bool IsSame(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
         a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

Error OpenError(std::string_view what, const std::string& path) {
  const int reason = errno;
  return Error{ErrorKind::kSystem, ErrorSource::kOperator,
               fmt::format("{} \"{}\" failed", what, path), reason};
}

void Cleanse(std::string& text) { OPENSSL_cleanse(text.data(), text.size()); }

Result<std::string> ReadAll(int fd, const std::string& path) {
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t count = ::read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return OpenError("read()", path);
    if (count == 0) break;
    text.append(buffer, static_cast<size_t>(count));
  }
  OPENSSL_cleanse(buffer, sizeof buffer);
  return text;
}

}  // namespace

PasswordFile::PasswordFile(std::string_view text) {
  std::map<std::string_view, size_t> kinds;  // of lines in `text`
  std::string_view typical_kind;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t colon = line.find(':');
    if (line.starts_with('#') || colon == std::string_view::npos) continue;
    std::string_view hash = line.substr(colon + 1);
    hash = hash.substr(0, hash.find_first_of("\r:"));
    const auto [entry, is_new] = users_.try_emplace(std::string(line.substr(0, colon)), hash);
    if (!is_new) continue;
    const std::string_view kind = PasswordKind(hash);
    const size_t count = ++kinds[kind];
    if (typical_.empty() || (kind != typical_kind && count > kinds[typical_kind])) {
      typical_ = entry->second;
      typical_kind = kind;
    }
  }
}

PasswordFile::~PasswordFile() {
  for (auto& [user, hash] : users_) Cleanse(hash);
  Cleanse(typical_);
}

const std::string* PasswordFile::Find(std::string_view user) const {
  const auto found = users_.find(user);
  return found == users_.end() ? nullptr : &found->second;
}

Result<std::shared_ptr<const PasswordFile>> PasswordFiles::Get(const std::string& path) {
  const auto known = files_.find(path);
  if (known != files_.end() && known->second.is_settled) {
    struct stat now {};
    if (::stat(path.c_str(), &now) == 0 && IsSame(now, known->second.seen)) {
      return known->second.file;
    }
  }
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return OpenError("open()", path);
  Known entry;
  if (::fstat(fd.get(), &entry.seen) != 0) return OpenError("fstat()", path);
  FW_ASSIGN(std::string text, ReadAll(fd.get(), path));
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const int64_t changed = std::max(entry.seen.st_mtim.tv_sec, entry.seen.st_ctim.tv_sec);
  entry.is_settled = now.tv_sec - changed >= kSettlesAfterSeconds;
  entry.file = std::make_shared<const PasswordFile>(text);
  Cleanse(text);
  if (known == files_.end() && files_.size() >= kMostFiles) files_.clear();
  std::shared_ptr<const PasswordFile> file = entry.file;
  files_[path] = std::move(entry);
  return file;
}

}  // namespace framewall::filter
