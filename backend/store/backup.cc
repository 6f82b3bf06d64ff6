#include "backend/store/backup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "backend/store/sqlite_open.h"
#include "proxy/base/unique_fd.h"

namespace framewall::backend::store {
namespace {

Status CopyInto(SqliteConnection& db, const std::string& partial, const std::string& target,
                const std::function<bool()>& go_on) {
  FW_TRY(db.CopyTo(partial, go_on));
  {
    const UniqueFd fd(::open(partial.c_str(), O_RDWR | O_CLOEXEC));
    if (!fd.valid() || ::fsync(fd.get()) != 0) {
      return SystemError(fmt::format("cannot sync the backup \"{}\"", partial), errno);
    }
  }
  if (::renameat2(AT_FDCWD, partial.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) != 0) {
    return SystemError(fmt::format("cannot give the backup its name \"{}\"", target), errno);
  }
  return SyncDirectoryOf(target);
}

}  // namespace

Status BackUp(SqliteConnection& db, const std::string& target, const std::function<bool()>& go_on) {
  std::error_code failed;
  const std::string path = std::filesystem::absolute(target, failed).string();
  if (failed || target.empty()) return OperatorError("a backup needs the path of a file");
  if (::access(path.c_str(), F_OK) == 0) {
    return SystemError(fmt::format("backup \"{}\": is there already and is left alone", path),
                       EEXIST);
  }
  const std::string partial = path + ".partial";
  {
    const UniqueFd made(::open(partial.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!made.valid() && errno == EEXIST) {
      return SystemError(fmt::format("backup \"{}\": is of a backup under way, or of one that was "
                                     "broken off; remove it in that case",
                                     partial),
                         EEXIST);
    }
    if (!made.valid()) return SystemError(fmt::format("cannot make \"{}\"", partial), errno);
  }
  Status status = CopyInto(db, partial, path, go_on);
  if (!status.ok()) {
    for (const char* suffix : {"", "-journal", "-wal", "-shm"}) {
      ::unlink((partial + suffix).c_str());
    }
  }
  return status;
}

Status BackUp(const std::string& database, const std::string& target) {
  std::error_code failed;
  const std::string path = std::filesystem::absolute(database, failed).string();
  if (failed || database.empty()) return OperatorError("a backup needs the path of the database");
  FW_ASSIGN(const auto db, SqliteConnection::Open(path, SqliteConnection::Use::kRead));
  return BackUp(*db, target, [] { return true; });
}

}  // namespace framewall::backend::store
