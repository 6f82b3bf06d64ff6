#include "backend/store/sqlite_connection.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cstdio>
#include <utility>

#include "backend/store/statement_driver.h"
#include "proxy/base/check.h"

namespace framewall::backend::store {
namespace {

// A sentence for the one who runs the machine; empty: SQLite's own words do.
std::string_view Advice(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return "the disk is full; nothing is stored until there is room";
    case SQLITE_READONLY:
      return "the file or its directory must not be written";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process held its lock for too long";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "the file is damaged; stop and restore a backup";
    case SQLITE_CANTOPEN:
      return "the file cannot be opened";
    case SQLITE_IOERR:
      return "the disk reports an error";
    default:
      return {};
  }
}

bool IsRefusal(int extended) {
  return extended == SQLITE_CONSTRAINT_UNIQUE || extended == SQLITE_CONSTRAINT_PRIMARYKEY ||
         extended == SQLITE_CONSTRAINT_ROWID || extended == SQLITE_CONSTRAINT_FOREIGNKEY;
}

}  // namespace

Error SqliteConnection::LastError(std::string_view doing) const {
  const int extended = sqlite3_extended_errcode(handle_);
  const std::string_view advice = Advice(extended);
  std::string message = fmt::format("database \"{}\": {}: {}{}{} (SQLite {})", path_, doing, advice,
                                    advice.empty() ? "" : ": ", sqlite3_errmsg(handle_), extended);
  const int primary = extended & 0xff;
  const bool of_the_system =
      primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN || primary == SQLITE_FULL;
  const int number = of_the_system ? sqlite3_system_errno(handle_) : 0;
  if (number != 0) return SystemError(message, number);
  return Error{IsRefusal(extended) ? ErrorKind::kRefused : ErrorKind::kSystem,
               ErrorSource::kInternal, std::move(message), 0};
}

// Lent to one Statement at a time. After an error of Bind, Step tells it.
class SqliteConnection::Prepared final : public Statement::Driver {
 public:
  // `once`: destroys itself when it is released.
  Prepared(SqliteConnection& owner, std::string_view sql, bool once) : owner_(owner), once_(once) {
    const char* rest = nullptr;
    const int code =
        sqlite3_prepare_v3(owner.handle_, sql.data(), static_cast<int>(sql.size()),
                           once ? 0U : unsigned{SQLITE_PREPARE_PERSISTENT}, &handle_, &rest);
    if (code == SQLITE_ERROR || (code == SQLITE_OK && handle_ == nullptr)) {
      std::fprintf(stderr, "a statement of ours is wrong: %s: %.*s\n",
                   sqlite3_errmsg(owner.handle_), static_cast<int>(sql.size()), sql.data());
      FW_CHECK(code != SQLITE_ERROR && handle_ != nullptr);
    }
    // The schema could not be read: the disk, memory, a lock. The next one tries again.
    if (code != SQLITE_OK) failed_.emplace(owner_.LastError("preparing a statement"));
  }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;
  ~Prepared() override { sqlite3_finalize(handle_); }

  bool lent() const { return lent_; }
  bool usable() const { return handle_ != nullptr; }
  Statement Lend() {
    lent_ = true;
    return Statement(this);
  }

  void Bind(int parameter, std::string_view text) override {
    // A null pointer would be NULL.
    const char* data = text.data() != nullptr ? text.data() : "";
    Bound(handle_ == nullptr ? SQLITE_OK
                             : sqlite3_bind_text64(handle_, parameter, data, text.size(),
                                                   SQLITE_TRANSIENT, SQLITE_UTF8));
  }
  void Bind(int parameter, int64_t number) override {
    Bound(handle_ == nullptr ? SQLITE_OK : sqlite3_bind_int64(handle_, parameter, number));
  }
  void BindBlob(int parameter, std::string_view octets) override {
    const char* data = octets.data() != nullptr ? octets.data() : "";
    Bound(handle_ == nullptr
              ? SQLITE_OK
              : sqlite3_bind_blob64(handle_, parameter, data, octets.size(), SQLITE_TRANSIENT));
  }
  void BindNull(int parameter) override {
    Bound(handle_ == nullptr ? SQLITE_OK : sqlite3_bind_null(handle_, parameter));
  }

  Result<bool> Step() override {
    if (failed_) return *failed_;
    switch (sqlite3_step(handle_)) {
      case SQLITE_ROW:
        return true;
      case SQLITE_DONE:
        return false;
      default:
        failed_.emplace(owner_.LastError(Doing()));
        return *failed_;
    }
  }

  Result<int64_t> Run() override {
    for (;;) {
      FW_ASSIGN(const bool row, Step());
      if (!row) return sqlite3_stmt_readonly(handle_) != 0 ? 0 : sqlite3_changes64(owner_.handle_);
    }
  }

  std::string Text(int column) const override {
    // The size is asked for behind the text: that may be converted.
    const auto* data = static_cast<const char*>(sqlite3_column_blob(handle_, column));
    const int size = sqlite3_column_bytes(handle_, column);
    return data == nullptr ? std::string() : std::string(data, static_cast<size_t>(size));
  }
  int64_t Integer(int column) const override { return sqlite3_column_int64(handle_, column); }
  bool IsNull(int column) const override {
    return sqlite3_column_type(handle_, column) == SQLITE_NULL;
  }

  void Release() override {
    if (once_) {
      delete this;
      return;
    }
    sqlite3_reset(handle_);
    sqlite3_clear_bindings(handle_);
    lent_ = false;
    if (usable()) failed_.reset();
  }

 private:
  // The beginning of the statement: a constant of ours, so no value is in it.
  std::string Doing() const {
    constexpr size_t kShown = 60;
    const std::string_view sql = sqlite3_sql(handle_);
    return fmt::format("\"{}{}\"", sql.substr(0, kShown), sql.size() > kShown ? "…" : "");
  }
  void Bound(int code) {
    // A number that no parameter has.
    FW_CHECK(code != SQLITE_RANGE && code != SQLITE_MISUSE);
    if (code != SQLITE_OK && !failed_) failed_.emplace(owner_.LastError("binding a value"));
  }

  SqliteConnection& owner_;
  const bool once_;
  sqlite3_stmt* handle_ = nullptr;
  bool lent_ = false;
  std::optional<Error> failed_;
};

SqliteConnection::SqliteConnection(std::string path, sqlite3* handle)
    : path_(std::move(path)), handle_(handle) {}

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(const std::string& path, Use use) {
  FW_CHECK(!path.empty() && path.front() == '/');  // else it could be a URI or in memory
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (handle == nullptr) return SystemError("opening a database: no memory", ENOMEM);
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(path, handle));
  if (code != SQLITE_OK) return connection->LastError("opening it");
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kLockWaitMilliseconds);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // The WAL shrinks again after a large write.
  FW_TRY(connection->Execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
      "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8000;"
      "PRAGMA journal_size_limit = 33554432;"));
  if (use == Use::kRead) FW_TRY(connection->Execute("PRAGMA query_only = ON"));
  return connection;
}

SqliteConnection::~SqliteConnection() {
  prepared_.clear();
  sqlite3_close(handle_);
}

Statement SqliteConnection::Prepare(std::string_view sql) {
  const auto found = prepared_.find(sql);
  if (found != prepared_.end()) {
    if (!found->second->lent() && found->second->usable()) return found->second->Lend();
    // In use further out, or it could not be prepared the last time.
    return (new Prepared(*this, sql, true))->Lend();
  }
  auto prepared = std::make_unique<Prepared>(*this, sql, false);
  if (!prepared->usable()) return (new Prepared(*this, sql, true))->Lend();
  return prepared_.emplace(std::string(sql), std::move(prepared)).first->second->Lend();
}

Status SqliteConnection::Execute(const std::string& sql) {
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return LastError("running \"" + sql.substr(0, sql.find('\n')) + "\"");
}

Result<int64_t> SqliteConnection::Number(std::string_view sql) {
  Prepared once(*this, sql, false);
  FW_ASSIGN(const bool row, once.Step());
  return row ? once.Integer(0) : 0;
}

bool SqliteConnection::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

Status SqliteConnection::CopyTo(const std::string& path, const std::function<bool()>& go_on) {
  sqlite3* target = nullptr;
  const int opened =
      sqlite3_open_v2(path.c_str(), &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  const auto target_error = [&] {
    return Error{ErrorKind::kSystem, ErrorSource::kInternal,
                 fmt::format("backup \"{}\": {} (SQLite {})", path, sqlite3_errmsg(target),
                             sqlite3_extended_errcode(target)),
                 target != nullptr ? sqlite3_system_errno(target) : ENOMEM};
  };
  Status status;
  if (opened != SQLITE_OK) {
    status = target_error();
  } else {
    sqlite3_exec(target, "PRAGMA synchronous = FULL", nullptr, nullptr, nullptr);
    status = CopyPages(target, go_on, target_error);
  }
  if (sqlite3_close(target) != SQLITE_OK && status.ok()) status = target_error();
  return status;
}

Status SqliteConnection::CopyPages(sqlite3* target, const std::function<bool()>& go_on,
                                   const std::function<Error()>& target_error) {
  constexpr int kPagesAtOnce = 2048;
  // The read transaction stays open between the pieces, so that they are of one moment.
  FW_TRY(Execute("BEGIN; SELECT count(*) FROM sqlite_schema"));
  Status status;
  if (sqlite3_backup* copy = sqlite3_backup_init(target, "main", handle_, "main")) {
    int step = SQLITE_OK;
    while (step == SQLITE_OK && go_on()) step = sqlite3_backup_step(copy, kPagesAtOnce);
    // The errors of both sides are the target's; a lock is an error of the step alone.
    const int finish = sqlite3_backup_finish(copy);
    if (finish != SQLITE_OK) {
      status = target_error();
    } else if (step != SQLITE_DONE) {
      status = Error{ErrorKind::kUnavailable, ErrorSource::kInternal,
                     step == SQLITE_OK ? "the backup was broken off: we are closing"
                                       : "the backup was broken off: the file is locked",
                     0};
    }
  } else {
    status = target_error();
  }
  FW_TRY(Execute("ROLLBACK"));
  return status;
}

}  // namespace framewall::backend::store
