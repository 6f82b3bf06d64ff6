#include "backend/store/sqlite_open.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "backend/store/sqlite_connection.h"
#include "proxy/base/log.h"

namespace framewall::backend::store {
namespace {

constexpr int64_t kApplicationId = 0x46574244;  // "FWBD"; file(1) and we tell our files by it
constexpr std::chrono::seconds kLongestLock{60};

// Held while the schema may change.
Result<UniqueFd> LockMigrations(const std::string& path) {
  const std::string name = path + ".lock";
  UniqueFd lock(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock.valid()) return SystemError(fmt::format("cannot open the lock \"{}\"", name), errno);
  const auto deadline = std::chrono::steady_clock::now() + kLongestLock;
  while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return SystemError(fmt::format("cannot lock \"{}\"", name), errno);
    }
    if (std::chrono::steady_clock::now() > deadline) {
      return Error{ErrorKind::kTimeout, ErrorSource::kOperator,
                   fmt::format("another process has held \"{}\" for {} s: it migrates the database "
                               "or hangs; start again when it is done",
                               name, kLongestLock.count()),
                   0};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return lock;
}

Status RunMissing(SqliteConnection& db, const std::string& path,
                  std::span<const Migration> migrations) {
  FW_ASSIGN(const int64_t version, db.Number("PRAGMA user_version"));
  FW_ASSIGN(const int64_t application, db.Number("PRAGMA application_id"));
  FW_ASSIGN(const int64_t tables, db.Number("SELECT count(*) FROM sqlite_schema"));
  const int64_t newest = migrations.empty() ? 0 : migrations.back().number;
  if (application != kApplicationId && (version != 0 || tables != 0)) {
    return OperatorError(
        fmt::format("database \"{}\": is of another program; nothing was changed", path));
  }
  if (version > newest) {
    return OperatorError(
        fmt::format("database \"{}\": has schema {}, this program knows schemas up to {}; run the "
                    "newer program again, or restore a backup made before its start",
                    path, version, newest));
  }
  if (version == newest) return {};
  for (const Migration& migration : migrations) {
    if (migration.number <= version) continue;
    if (Status status = db.Execute(std::string(migration.sql)); !status.ok()) {
      Error error = std::move(status).error();
      error.message = fmt::format("migration {} ({}): {}; the database is as it was before",
                                  migration.number, migration.name, error.message);
      return error;
    }
  }
  FW_ASSIGN(const int64_t dangling, db.Number("SELECT count(*) FROM pragma_foreign_key_check"));
  if (dangling != 0) {
    return OperatorError(fmt::format(
        "database \"{}\": after migration {} {} rows would name what is not there; the database is "
        "as it was before",
        path, newest, dangling));
  }
  FW_TRY(db.Execute(fmt::format("PRAGMA application_id = {}", kApplicationId)));
  return db.Execute(fmt::format("PRAGMA user_version = {}", newest));
}

}  // namespace

Status SyncDirectoryOf(const std::string& path) {
  const std::string directory = path.substr(0, path.rfind('/') + 1);
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0) {
    return SystemError(fmt::format("cannot sync the directory \"{}\"", directory), errno);
  }
  return {};
}

Status MakePrivateFile(const std::string& path) {
  UniqueFd made(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (made.valid()) return SyncDirectoryOf(path);
  if (errno != EEXIST) return SystemError(fmt::format("cannot make \"{}\"", path), errno);
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  struct stat about {};
  if (!fd.valid() || ::fstat(fd.get(), &about) != 0) {
    return SystemError(fmt::format("cannot open \"{}\"", path), errno);
  }
  if (!S_ISREG(about.st_mode)) {
    return OperatorError(fmt::format("\"{}\" is not a file, so it cannot be the database", path));
  }
  if ((about.st_mode & 077) == 0) return {};
  if (::fchmod(fd.get(), 0600) != 0) {
    return SystemError(
        fmt::format("\"{}\" can be read by others, and that cannot be changed", path), errno);
  }
  MainLog().Write(LogLevel::kWarn,
                  fmt::format("\"{}\" could be read by others: its mode is 0600 now", path));
  return {};
}

Status Migrate(const std::string& path, std::span<const Migration> migrations) {
  FW_ASSIGN(const UniqueFd lock, LockMigrations(path));
  FW_TRY(MakePrivateFile(path));
  FW_ASSIGN(const std::unique_ptr<SqliteConnection> db,
            SqliteConnection::Open(path, SqliteConnection::Use::kWrite));
  // Tables may be made anew while others refer to them; checked before the commit.
  FW_TRY(db->Execute("PRAGMA foreign_keys = OFF"));
  FW_TRY(db->Execute("BEGIN IMMEDIATE"));
  // Its end rolls back what is not committed.
  FW_TRY(RunMissing(*db, path, migrations));
  return db->Execute("COMMIT");
}

}  // namespace framewall::backend::store
