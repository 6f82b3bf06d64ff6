#include "backend/backup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "backend/auth/first_admin.h"
#include "backend/auth/secret_file.h"
#include "backend/store/backup.h"
#include "proxy/base/unique_fd.h"

namespace framewall::backend {
namespace {

namespace fs = std::filesystem;

// Keys come and go while they are copied: one that has gone meanwhile was not needed any more.
Status CopySecret(const std::string& from, const std::string& to, size_t& copied) {
  if (::access(from.c_str(), F_OK) != 0 && errno == ENOENT) return OkStatus();
  FW_ASSIGN(const std::string text, auth::ReadSecretFile(from, auth::SecretPlace::kOurs));
  FW_TRY(auth::WriteSecretFile(to, text));
  ++copied;
  return OkStatus();
}

Result<size_t> CopyKeys(const std::string& from, const std::string& to) {
  FW_TRY(auth::MakeSecretDirectory(to));
  size_t copied = 0;
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator(from, failed)) {
    const std::string name = entry.path().filename().string();
    const bool is_whole = name.ends_with(".pem") || name.ends_with(".key");
    if (is_whole) FW_TRY(CopySecret(entry.path().string(), to + "/" + name, copied));
  }
  if (failed && failed != std::errc::no_such_file_or_directory) {
    return SystemError(fmt::format("cannot read the keys in \"{}\"", from), failed.value());
  }
  return copied;
}

Status SyncDirectory(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.valid() && ::fsync(fd.get()) == 0) return OkStatus();
  return SystemError(fmt::format("cannot sync \"{}\"", path), errno);
}

Result<size_t> Fill(const Settings& settings, const std::string& partial) {
  // The database first: keys that sign are older than what they have signed.
  FW_TRY(store::BackUp(DatabasePath(settings), partial + "/backend.db"));
  FW_ASSIGN(size_t keys, CopyKeys(settings.data_dir + "/keys", partial + "/keys"));
  FW_TRY(CopySecret(auth::AdminPasswordPath(settings), partial + "/admin-password", keys));
  FW_TRY(SyncDirectory(partial + "/keys"));
  FW_TRY(SyncDirectory(partial));
  return keys;
}

Status GiveName(const std::string& partial, const std::string& directory) {
  if (::renameat2(AT_FDCWD, partial.c_str(), AT_FDCWD, directory.c_str(), RENAME_NOREPLACE) != 0) {
    return SystemError(fmt::format("cannot give the backup its name \"{}\"", directory), errno);
  }
  const std::string parent = fs::path(directory).parent_path().string();
  return SyncDirectory(parent);
}

}  // namespace

std::string DatabasePath(const Settings& settings) { return settings.data_dir + "/backend.db"; }

Result<std::string> MakeBackup(const Settings& settings, const std::string& directory) {
  std::error_code failed;
  fs::path path = fs::absolute(directory, failed).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // of "name/"
  const std::string target = path.string();
  if (failed || directory.empty() || !path.has_filename()) {
    return OperatorError("a backup needs the name of a directory that is not there yet");
  }
  if (::access(DatabasePath(settings).c_str(), F_OK) != 0) {
    return SystemError(
        fmt::format("there is no database \"{}\" to back up", DatabasePath(settings)), errno);
  }
  struct stat about {};
  if (::lstat(target.c_str(), &about) == 0) {
    return OperatorError(fmt::format("\"{}\" is there already and is left alone", target));
  }
  const std::string partial = target + ".partial";
  if (::mkdir(partial.c_str(), 0700) != 0) {
    const int reason = errno;
    return SystemError(
        fmt::format(
            "cannot make \"{}\"{}", partial,
            reason == EEXIST ? " (of a backup under way, or broken off: remove it then)" : ""),
        reason);
  }
  const Result<size_t> secrets = Fill(settings, partial);
  Status named = secrets.ok() ? GiveName(partial, target) : Status(secrets.error());
  if (!named.ok()) {
    fs::remove_all(partial, failed);
    return std::move(named).error();
  }
  const uintmax_t size = fs::file_size(target + "/backend.db", failed);
  return fmt::format(
      "backup of \"{}\" in \"{}\": a database of {} octets, {} secret files; to restore it, make "
      "it "
      "(or a copy with its modes) server.data_dir{}",
      settings.data_dir, target, failed ? 0 : size, *secrets,
      settings.signing_key_dir.empty() ? "" : "; accounts.signing_key_dir is not part of it");
}

}  // namespace framewall::backend
