#include "backend/store/sqlite_database.h"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include "backend/store/backup.h"
#include "backend/store/migrations.h"
#include "backend/store/sqlite_open.h"
#include "proxy/base/log.h"

namespace framewall::backend::store {
namespace {

constexpr size_t kBackupsWaiting = 4;

Error Closing() {
  return Error{ErrorKind::kUnavailable, ErrorSource::kInternal, "the database is closing", 0};
}

Status Run(SqliteConnection& db, std::string_view sql) {
  Statement statement = db.Prepare(sql);
  FW_TRY(statement.Run());
  return {};
}

// Where even the undoing fails, the whole transaction goes: the group sees that it is over.
void Undo(SqliteConnection& db) {
  if (!db.in_transaction()) return;
  if (Run(db, "ROLLBACK TO work").ok() && Run(db, "RELEASE work").ok()) return;
  if (db.in_transaction()) (void)db.Execute("ROLLBACK");
}

Status RunInSavepoint(SqliteConnection& db, const std::function<Status(Connection&)>& work) {
  FW_TRY(Run(db, "SAVEPOINT work"));
  Status status = work(db);
  if (status.ok()) status = Run(db, "RELEASE work");
  if (!status.ok()) Undo(db);
  return status;
}

}  // namespace

Result<std::unique_ptr<Database>> Database::Open(event::EventLoop& loop, const Options& options) {
  FW_ASSIGN(std::unique_ptr<Database> database, SqliteDatabase::Open(loop, options));
  return database;
}

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(event::EventLoop& loop,
                                                             const Options& options) {
  if (options.path.empty() || options.path.front() == ':') {
    return OperatorError(
        fmt::format("database \"{}\": the path of a file is expected", options.path));
  }
  // An absolute path is never taken for a URI.
  std::error_code failed;
  const std::string path = std::filesystem::absolute(options.path, failed).string();
  if (failed) return SystemError("cannot find the current directory", failed.value());
  FW_TRY(Migrate(path, Migrations()));
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(path, options));
  FW_TRY(database->Start(loop, options.readers));
  return database;
}

SqliteDatabase::SqliteDatabase(std::string path, const Options& options)
    : path_(std::move(path)),
      writes_(options.queue_limit),
      reads_(options.queue_limit),
      backups_(kBackupsWaiting) {}

Status SqliteDatabase::Start(event::EventLoop& loop, size_t readers) {
  using Use = SqliteConnection::Use;
  wakeup_ = event::Wakeup::Make(loop, [this] { TellFinished(); });
  if (!wakeup_) return SystemError("cannot make an eventfd for the database", errno);
  finished_.SetNotifier(wakeup_->notifier());
  // Stands before the first thread: they hold references into it.
  const size_t count = std::max<size_t>(readers, 1) + 2;
  for (size_t i = 0; i < count; ++i) {
    FW_ASSIGN(auto connection, SqliteConnection::Open(path_, i == 0 ? Use::kWrite : Use::kRead));
    connections_.push_back(std::move(connection));
  }
  FW_TRY(StartThread("store-write", [this] { WriteUntilClosed(*connections_[0]); }));
  FW_TRY(StartThread("store-backup", [this] { BackUpUntilClosed(*connections_[1]); }));
  for (size_t i = 2; i < count; ++i) {
    FW_TRY(StartThread("store-read", [this, i] { ReadUntilClosed(*connections_[i]); }));
  }
  return {};
}

Status SqliteDatabase::StartThread(const char* name, std::function<void()> body) {
  // Inherited by the thread: signals are the loop's.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  Status status;
  try {
    threads_.emplace_back([name, body = std::move(body)] {
      ::pthread_setname_np(::pthread_self(), name);
      body();
    });
  } catch (const std::system_error& error) {
    status = SystemError("cannot start a thread of the database", error.code().value());
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return status;
}

SqliteDatabase::~SqliteDatabase() { Close(); }

void SqliteDatabase::Close() {
  writes_.Close();
  reads_.Close();
  backups_.Close();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  // A `done` may ask for more, which is refused and told as well.
  while (TellFinished()) {
  }
  // The last connection to close empties the WAL into the file: the writer's.
  while (!connections_.empty()) connections_.pop_back();
}

void SqliteDatabase::Enqueue(bool writes, Work work) {
  Add(writes ? writes_ : reads_, std::move(work));
}

void SqliteDatabase::Add(WaitingWorks<Work>& queue, Work work) {
  if (queue.Add(work)) return;
  Error error = Closing();
  if (!queue.closed()) error.message = "too much waits for the database already";
  std::vector<Finished<Work>> refused;
  refused.push_back({std::move(work), std::move(error)});
  finished_.Add(std::move(refused));
}

void SqliteDatabase::Probe(std::function<void(Status)> done) {
  // Through the writer's queue: nothing is written, unless the last write failed.
  Work probe;
  probe.run = [this](Connection& db) -> Status {
    Statement version = db.Prepare("PRAGMA user_version");
    FW_TRY(version.Step());
    if (!write_failed_) return {};
    const std::string same = fmt::format("PRAGMA user_version = {}", version.Integer(0));
    FW_TRY(db.Prepare(same).Run());
    return {};
  };
  probe.done = std::move(done);
  Add(writes_, std::move(probe));
}

void SqliteDatabase::Backup(const std::string& path, std::function<void(Status)> done) {
  Work backup;
  backup.run = [this, path](Connection& db) {
    return BackUp(static_cast<SqliteConnection&>(db), path, [this] { return !backups_.closed(); });
  };
  backup.done = std::move(done);
  Add(backups_, std::move(backup));
}

void SqliteDatabase::WriteUntilClosed(SqliteConnection& db) {
  while (std::optional<Work> first = writes_.Take()) {
    finished_.Add(RunGroup(db, std::move(*first)));
  }
}

std::vector<Finished<Database::Work>> SqliteDatabase::RunGroup(SqliteConnection& db, Work first) {
  const auto began = std::chrono::steady_clock::now();
  const Status begun = Run(db, "BEGIN IMMEDIATE");
  std::vector<Finished<Work>> group;
  for (std::optional<Work> next(std::move(first)); next; next = writes_.TakeIfThere()) {
    group.push_back({std::move(*next), begun});
    if (begun.ok()) group.back().status = RunInSavepoint(db, group.back().work.run);
    if (begun.ok() && !db.in_transaction()) break;
    if (group.size() >= kGroupLimit || std::chrono::steady_clock::now() - began > kGroupTime) break;
  }
  Status committed = begun;
  if (begun.ok()) committed = db.in_transaction() ? Commit(db) : group.back().status;
  if (!committed.ok()) {
    Error error = std::move(committed).error();
    error.kind = ErrorKind::kSystem;
    for (Finished<Work>& finished : group) {
      if (finished.status.ok()) finished.status = error;
    }
  }
  write_failed_ = std::any_of(group.begin(), group.end(), [](const Finished<Work>& finished) {
    return !finished.status.ok() && finished.status.error().kind == ErrorKind::kSystem;
  });
  return group;
}

Status SqliteDatabase::Commit(SqliteConnection& db) {
  Status committed = Run(db, "COMMIT");
  if (committed.ok()) {
    commits_.fetch_add(1, std::memory_order_relaxed);
  } else if (db.in_transaction()) {
    (void)db.Execute("ROLLBACK");
  }
  return committed;
}

void SqliteDatabase::ReadUntilClosed(SqliteConnection& db) {
  while (std::optional<Work> work = reads_.Take()) {
    Status status = Closing();
    if (!reads_.closed()) {
      status = Run(db, "BEGIN");
      if (status.ok()) status = work->run(db);
      if (db.in_transaction()) (void)Run(db, "ROLLBACK");
    }
    std::vector<Finished<Work>> finished;
    finished.push_back({std::move(*work), std::move(status)});
    finished_.Add(std::move(finished));
  }
}

void SqliteDatabase::BackUpUntilClosed(SqliteConnection& db) {
  while (std::optional<Work> work = backups_.Take()) {
    Status status = backups_.closed() ? Status(Closing()) : work->run(db);
    std::vector<Finished<Work>> finished;
    finished.push_back({std::move(*work), std::move(status)});
    finished_.Add(std::move(finished));
  }
}

bool SqliteDatabase::TellFinished() {
  std::vector<Finished<Work>> finished = finished_.TakeAll();
  std::string logged;
  for (Finished<Work>& each : finished) {
    if (!each.status.ok() && each.status.error().kind == ErrorKind::kSystem) {
      const Error& error = each.status.error();
      // A full disk fails the whole group: one line.
      if (error.message != logged) MainLog().Write(LogLevel::kCrit, error.message);
      logged = error.message;
    }
    each.work.done(std::move(each.status));
  }
  return !finished.empty();
}

}  // namespace framewall::backend::store
