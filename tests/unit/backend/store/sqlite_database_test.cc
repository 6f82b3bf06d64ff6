#include "backend/store/sqlite_database.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "tests/unit/backend/store/support.h"

namespace framewall::backend::store {
namespace {

// Rows of a table that exists for other reasons.
Result<int64_t> Insert(Connection& c, std::string_view key) {
  Statement insert = c.Prepare(
      "INSERT INTO login_audit (at, name, address, outcome) VALUES (1, ?, '', '') RETURNING id");
  insert.Bind(1, key);
  FW_TRY(insert.Step());
  return insert.Integer(0);
}

std::function<Result<int64_t>(Connection&)> Inserting(std::string key) {
  return [key](Connection& c) { return Insert(c, key); };
}

// Holds a thread of the store up until it is opened, at the latest when it goes.
class Gate {
 public:
  ~Gate() { Open(); }
  void Open() {
    if (!std::exchange(is_open_, true)) open_.set_value();
  }
  std::function<Result<int64_t>(Connection&)> Waiter() {
    return [open = open_.get_future().share(), arrived = arrived_](Connection&) -> Result<int64_t> {
      ++*arrived;
      open.wait();
      return 0;
    };
  }
  void AwaitArrivals(int count) {
    while (*arrived_ < count) std::this_thread::yield();
  }

 private:
  std::promise<void> open_;
  std::shared_ptr<std::atomic<int>> arrived_ = std::make_shared<std::atomic<int>>(0);
  bool is_open_ = false;
};

using SqliteDatabaseTest = StoreTest;

TEST_F(SqliteDatabaseTest, MakesAFileThatOnlyWeMayRead) {
  Open();
  const auto id = Write<int64_t>(Inserting("a"));
  ASSERT_TRUE(id.ok());
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
    struct stat about {};
    ASSERT_EQ(0, ::stat((path() + suffix).c_str(), &about)) << suffix;
    EXPECT_EQ(0600u, about.st_mode & 0777u) << suffix;
  }
}

TEST_F(SqliteDatabaseTest, TakesAFileAwayFromOthers) {
  Open();
  db.reset();
  ASSERT_EQ(0, ::chmod(path().c_str(), 0644));
  Open();
  struct stat about {};
  ASSERT_EQ(0, ::stat(path().c_str(), &about));
  EXPECT_EQ(0600u, about.st_mode & 0777u);
}

TEST_F(SqliteDatabaseTest, SettingsAreThoseOfDurability) {
  Open();
  const auto mode = Read<std::string>([](Connection& c) -> Result<std::string> {
    Statement statement = c.Prepare("PRAGMA journal_mode");
    FW_TRY(statement.Step());
    return statement.Text(0);
  });
  ASSERT_TRUE(mode.ok());
  EXPECT_EQ("wal", *mode);
  for (const bool writes : {true, false}) {
    const auto sync = WaitFor<int64_t>(loop, *db, writes, [](Connection& c) -> Result<int64_t> {
      Statement full = c.Prepare("PRAGMA synchronous");
      FW_TRY(full.Step());
      Statement keys = c.Prepare("PRAGMA foreign_keys");
      FW_TRY(keys.Step());
      return full.Integer(0) * 10 + keys.Integer(0);
    });
    ASSERT_TRUE(sync.ok());
    EXPECT_EQ(21, *sync);
  }
}

TEST_F(SqliteDatabaseTest, AnswersOnTheLoopFromAnotherThread) {
  Open();
  std::thread::id worked;
  std::thread::id told;
  db->Write<int64_t>(
      [&](Connection&) -> Result<int64_t> {
        worked = std::this_thread::get_id();
        return 1;
      },
      [&](Result<int64_t>) { told = std::this_thread::get_id(); });
  EXPECT_EQ(std::thread::id(), told);
  ASSERT_TRUE(RunUntil(loop, [&] { return told != std::thread::id(); }));
  EXPECT_EQ(std::this_thread::get_id(), told);
  EXPECT_NE(std::this_thread::get_id(), worked);
}

TEST_F(SqliteDatabaseTest, ValuesComeBackAsTheyWere) {
  Open();
  const std::string text("a\0ё 🙂", 9);
  const std::string octets("\0\xff\x80", 3);
  const auto same = Read<bool>([&](Connection& c) -> Result<bool> {
    Statement s = c.Prepare("SELECT ?, ?, ?, ?, '', x''");
    s.Bind(1, text).Bind(2, INT64_MIN).BindBlob(3, octets).BindNull(4);
    FW_TRY(s.Step());
    EXPECT_EQ(text, s.Text(0));
    EXPECT_EQ(INT64_MIN, s.Integer(1));
    EXPECT_EQ(octets, s.Text(2));
    EXPECT_TRUE(s.IsNull(3));
    EXPECT_EQ("", s.Text(3));
    EXPECT_FALSE(s.IsNull(4));
    EXPECT_FALSE(s.IsNull(0));
    FW_ASSIGN(const bool more, s.Step());
    EXPECT_FALSE(more);
    return true;
  });
  EXPECT_TRUE(same.ok());
}

TEST_F(SqliteDatabaseTest, AnEmptyTextIsNotNull) {
  Open();
  const auto is_null = Read<bool>([](Connection& c) -> Result<bool> {
    Statement s = c.Prepare("SELECT ?, ?");
    s.Bind(1, std::string_view()).BindBlob(2, std::string_view());
    FW_TRY(s.Step());
    return s.IsNull(0) || s.IsNull(1);
  });
  ASSERT_TRUE(is_null.ok());
  EXPECT_FALSE(*is_null);
}

TEST_F(SqliteDatabaseTest, AStatementInUseIsPreparedAgain) {
  Open();
  const auto sum = Read<int64_t>([](Connection& c) -> Result<int64_t> {
    int64_t total = 0;
    Statement outer = c.Prepare("SELECT value FROM json_each('[1,2]')");
    for (;;) {
      FW_ASSIGN(const bool row, outer.Step());
      if (!row) return total;
      Statement inner = c.Prepare("SELECT value FROM json_each('[1,2]')");
      while (*inner.Step()) total += outer.Integer(0) * 10 + inner.Integer(0);
    }
  });
  ASSERT_TRUE(sum.ok());
  EXPECT_EQ(66, *sum);
}

TEST_F(SqliteDatabaseTest, WhatWaitsIsCommittedTogetherAndToldInOrder) {
  Open();
  Gate gate;
  int told = 0;
  db->Write<int64_t>(gate.Waiter(), [&](Result<int64_t>) { EXPECT_EQ(0, told++); });
  gate.AwaitArrivals(1);
  for (int i = 1; i <= 100; ++i) {
    db->Write<int64_t>(Inserting(std::to_string(i)), [&, i](Result<int64_t> id) {
      EXPECT_EQ(i, told++);
      EXPECT_TRUE(id.ok());
    });
  }
  const uint64_t before = db->commits();
  gate.Open();
  ASSERT_TRUE(RunUntil(loop, [&] { return told == 101; }));
  // The one that held it up may take the rest along.
  EXPECT_LE(db->commits() - before, 2u);
  EXPECT_EQ(100, Number("SELECT count(*) FROM login_audit"));
}

TEST_F(SqliteDatabaseTest, AGroupHasABound) {
  Database::Options options;
  options.queue_limit = 3 * SqliteDatabase::kGroupLimit;
  Open(options);
  Gate gate;
  size_t told = 0;
  db->Write<int64_t>(gate.Waiter(), [&](Result<int64_t>) { ++told; });
  gate.AwaitArrivals(1);
  for (size_t i = 0; i < 2 * SqliteDatabase::kGroupLimit; ++i) {
    db->Write<int64_t>(Inserting("x"), [&](Result<int64_t>) { ++told; });
  }
  gate.Open();
  ASSERT_TRUE(RunUntil(loop, [&] { return told == 2 * SqliteDatabase::kGroupLimit + 1; }));
  EXPECT_GE(db->commits(), 3u);
}

TEST_F(SqliteDatabaseTest, AnErrorRollsBackThatWriteAlone) {
  Open();
  Gate gate;
  int told = 0;
  db->Write<int64_t>(gate.Waiter(), [&](Result<int64_t>) { ++told; });
  gate.AwaitArrivals(1);
  db->Write<int64_t>(Inserting("first"), [&](Result<int64_t> id) {
    EXPECT_TRUE(id.ok());
    ++told;
  });
  db->Write<int64_t>(
      [](Connection& c) -> Result<int64_t> {
        FW_TRY(Insert(c, "half"));
        return Error{ErrorKind::kNotFound, ErrorSource::kClient, "no such room", 0};
      },
      [&](Result<int64_t> id) {
        EXPECT_FALSE(id.ok());
        EXPECT_EQ(ErrorKind::kNotFound, id.error().kind);
        EXPECT_EQ("no such room", id.error().message);
        ++told;
      });
  db->Write<int64_t>(Inserting("last"), [&](Result<int64_t> id) {
    EXPECT_TRUE(id.ok());
    ++told;
  });
  gate.Open();
  ASSERT_TRUE(RunUntil(loop, [&] { return told == 4; }));
  EXPECT_EQ(2, Number("SELECT count(*) FROM login_audit"));
  EXPECT_EQ(0, Number("SELECT count(*) FROM login_audit WHERE name = 'half'"));
}

TEST_F(SqliteDatabaseTest, WhatMustBeUniqueOrThereIsRefused) {
  Open();
  AddUser("u1", "anna");
  const auto twice = Write<int64_t>([](Connection& c) -> Result<int64_t> {
    return c
        .Prepare(
            "INSERT INTO users (id, name, display_name, password, role, created, changed)"
            " VALUES ('u2', 'anna', '', '*', 'user', 0, 0)")
        .Run();
  });
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(ErrorKind::kRefused, twice.error().kind);
  const auto nobody = Write<int64_t>([](Connection& c) -> Result<int64_t> {
    return c
        .Prepare(
            "INSERT INTO settings (key, value, changed, changed_by) VALUES ('k', '1', 0, 'nobody')")
        .Run();
  });
  ASSERT_FALSE(nobody.ok());
  EXPECT_EQ(ErrorKind::kRefused, nobody.error().kind);
  // Other constraints are mistakes of ours.
  const auto check = Write<int64_t>([](Connection& c) -> Result<int64_t> {
    return c.Prepare("UPDATE users SET role = 'king'").Run();
  });
  ASSERT_FALSE(check.ok());
  EXPECT_EQ(ErrorKind::kSystem, check.error().kind);
}

TEST_F(SqliteDatabaseTest, RunTellsHowManyRowsWereChanged) {
  Open();
  for (const char* key : {"a", "a", "b"}) ASSERT_TRUE(Write<int64_t>(Inserting(key)).ok());
  const auto changed = Write<int64_t>([](Connection& c) -> Result<int64_t> {
    return c.Prepare("DELETE FROM login_audit WHERE name = 'a'").Run();
  });
  ASSERT_TRUE(changed.ok());
  EXPECT_EQ(2, *changed);
}

TEST_F(SqliteDatabaseTest, ReadersSeeWhatIsCommittedAndNothingElse) {
  Open();
  Gate gate;
  const auto waiter = gate.Waiter();
  bool written = false;
  db->Write<int64_t>(
      [waiter](Connection& c) -> Result<int64_t> {
        FW_TRY(Insert(c, "x"));
        return waiter(c);
      },
      [&](Result<int64_t> result) { written = result.ok(); });
  gate.AwaitArrivals(1);
  EXPECT_EQ(0, Number("SELECT count(*) FROM login_audit"));
  gate.Open();
  ASSERT_TRUE(RunUntil(loop, [&] { return written; }));
  EXPECT_EQ(1, Number("SELECT count(*) FROM login_audit"));
}

TEST_F(SqliteDatabaseTest, AReaderMayNotWrite) {
  Open();
  const auto id = Read<int64_t>(Inserting("x"));
  ASSERT_FALSE(id.ok());
  EXPECT_NE(std::string::npos, id.error().message.find("must not be written"))
      << id.error().message;
  EXPECT_EQ(0, Number("SELECT count(*) FROM login_audit"));
}

TEST_F(SqliteDatabaseTest, TakesAsManyAsMayWaitAndRefusesTheNext) {
  for (const bool writes : {true, false}) {
    Database::Options options;
    options.readers = 1;
    options.queue_limit = 3;
    db.reset();
    Open(options);
    Gate gate;
    std::vector<std::optional<ErrorKind>> told;
    const auto add = [&](std::function<Result<int64_t>(Connection&)> work) {
      const auto done = [&](Result<int64_t> result) {
        told.push_back(result.ok() ? std::nullopt : std::optional(result.error().kind));
      };
      if (writes) {
        db->Write<int64_t>(std::move(work), done);
      } else {
        db->Read<int64_t>(std::move(work), done);
      }
    };
    const auto nothing = [](Connection&) -> Result<int64_t> { return 0; };
    add(gate.Waiter());
    gate.AwaitArrivals(1);
    for (int i = 0; i < 3; ++i) add(nothing);
    EXPECT_TRUE(told.empty());
    add(nothing);
    EXPECT_TRUE(told.empty());  // never from inside the call
    ASSERT_TRUE(RunUntil(loop, [&] { return told.size() == 1; }));
    EXPECT_EQ(ErrorKind::kUnavailable, told[0]);
    gate.Open();
    ASSERT_TRUE(RunUntil(loop, [&] { return told.size() == 5; }));
    for (size_t i = 1; i < 5; ++i) EXPECT_EQ(std::nullopt, told[i]) << i;
  }
}

TEST_F(SqliteDatabaseTest, TheEndCommitsWhatWasTakenAndTellsAll) {
  Database::Options options;
  options.readers = 1;
  Open(options);
  Gate writer_gate;
  Gate reader_gate;
  int written = 0;
  int read = 0;
  int unread = 0;
  SqliteDatabase* const closing = db.get();
  db->Write<int64_t>(writer_gate.Waiter(), [&](Result<int64_t> r) { written += r.ok() ? 1 : 0; });
  db->Read<int64_t>(reader_gate.Waiter(), [&](Result<int64_t> r) { read += r.ok() ? 1 : 0; });
  writer_gate.AwaitArrivals(1);
  reader_gate.AwaitArrivals(1);
  for (int i = 0; i < 20; ++i) {
    db->Write<int64_t>(Inserting("x"), [&](Result<int64_t> r) { written += r.ok() ? 1 : 0; });
    db->Read<int64_t>(Inserting("x"), [&](Result<int64_t> r) {
      EXPECT_FALSE(r.ok());
      EXPECT_EQ(ErrorKind::kUnavailable, r.error().kind);
      // Who asks again is told as well.
      if (++unread == 1) {
        closing->Write<int64_t>(Inserting("late"), [&](Result<int64_t> late) {
          EXPECT_FALSE(late.ok());
          EXPECT_EQ(ErrorKind::kUnavailable, late.error().kind);
          ++unread;
        });
      }
    });
  }
  std::thread opener([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    writer_gate.Open();
    reader_gate.Open();
  });
  db.reset();
  opener.join();
  EXPECT_EQ(21, written);
  EXPECT_EQ(1, read);
  EXPECT_EQ(21, unread);
  Open();
  EXPECT_EQ(20, Number("SELECT count(*) FROM login_audit"));
}

TEST_F(SqliteDatabaseTest, WhatIsAskedOfAClosedOneIsRefusedAndTold) {
  Open();
  int refused = 0;
  const auto count = [&](Result<int64_t> result) {
    EXPECT_FALSE(result.ok());
    EXPECT_EQ(ErrorKind::kUnavailable, result.error().kind);
    ++refused;
  };
  db->Close();
  db->Write<int64_t>(Inserting("x"), count);
  db->Read<int64_t>(Inserting("x"), count);
  EXPECT_EQ(0, refused);
  ASSERT_TRUE(RunUntil(loop, [&] { return refused == 2; }));
  db->Write<int64_t>(Inserting("x"), count);
  db.reset();
  EXPECT_EQ(3, refused);
}

TEST_F(SqliteDatabaseTest, WhatAWorkHoldsIsDestroyedOnTheLoop) {
  Open();
  struct Witness {
    std::thread::id* where;
    ~Witness() { *where = std::this_thread::get_id(); }
  };
  for (const bool writes : {true, false}) {
    std::thread::id where;
    auto witness = std::make_shared<Witness>(Witness{&where});
    where = std::thread::id();  // of the temporary above
    bool told = false;
    std::function<Result<int64_t>(Connection&)> work =
        [witness = std::move(witness)](Connection&) -> Result<int64_t> { return 0; };
    if (writes) {
      db->Write<int64_t>(std::move(work), [&](Result<int64_t>) { told = true; });
    } else {
      db->Read<int64_t>(std::move(work), [&](Result<int64_t>) { told = true; });
    }
    work = nullptr;
    ASSERT_TRUE(RunUntil(loop, [&] { return told && where != std::thread::id(); }));
    EXPECT_EQ(std::this_thread::get_id(), where);
  }
}

TEST_F(SqliteDatabaseTest, NoSignalReachesItsThreads) {
  Open();
  for (const bool writes : {true, false}) {
    const auto blocked = WaitFor<int64_t>(loop, *db, writes, [](Connection&) -> Result<int64_t> {
      sigset_t set;
      ::pthread_sigmask(SIG_BLOCK, nullptr, &set);
      return sigismember(&set, SIGTERM) + sigismember(&set, SIGHUP) + sigismember(&set, SIGCHLD);
    });
    ASSERT_TRUE(blocked.ok());
    EXPECT_EQ(3, *blocked);
  }
}

// A second process that holds the file up is seen as it would be with a slow disk.
class OtherProcess {
 public:
  explicit OtherProcess(const std::string& path) { sqlite3_open(path.c_str(), &handle_); }
  ~OtherProcess() { sqlite3_close(handle_); }
  int Do(const char* sql) { return sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr); }

 private:
  sqlite3* handle_ = nullptr;
};

TEST_F(SqliteDatabaseTest, WaitsForAnotherProcessThatWrites) {
  Open();
  OtherProcess other(path());
  ASSERT_EQ(SQLITE_OK, other.Do("BEGIN IMMEDIATE"));
  std::optional<bool> ok;
  db->Write<int64_t>(Inserting("x"), [&](Result<int64_t> result) { ok = result.ok(); });
  loop.RunOnce(std::chrono::milliseconds(100));
  EXPECT_FALSE(ok.has_value());
  ASSERT_EQ(SQLITE_OK, other.Do("COMMIT"));
  ASSERT_TRUE(RunUntil(loop, [&] { return ok.has_value(); }));
  EXPECT_TRUE(*ok);
}

// A disk that is full, as far as SQLite sees it.
TEST_F(SqliteDatabaseTest, AFullDiskIsSaidAndNothingIsAcknowledgedThatIsNotThere) {
  Open();
  const auto limit = Write<int64_t>([](Connection& c) -> Result<int64_t> {
    Statement pages = c.Prepare("PRAGMA page_count");
    FW_TRY(pages.Step());
    const std::string sql = "PRAGMA max_page_count = " + std::to_string(pages.Integer(0) + 8);
    return c.Prepare(sql).Run();
  });
  ASSERT_TRUE(limit.ok());
  const std::string kilobyte(1024, 'x');
  int acknowledged = 0;
  int told = 0;
  std::string message;
  for (int i = 0; i < 200; ++i) {
    db->Write<int64_t>(Inserting(kilobyte), [&](Result<int64_t> result) {
      ++told;
      if (result.ok()) {
        ++acknowledged;
      } else {
        EXPECT_EQ(ErrorKind::kSystem, result.error().kind);
        message = result.error().message;
      }
    });
  }
  ASSERT_TRUE(RunUntil(loop, [&] { return told == 200; }));
  EXPECT_LT(acknowledged, 200);
  EXPECT_NE(std::string::npos, message.find("the disk is full")) << message;
  EXPECT_EQ(acknowledged, Number("SELECT count(*) FROM login_audit"));
  const auto room = Write<int64_t>([](Connection& c) -> Result<int64_t> {
    return c.Prepare("PRAGMA max_page_count = 100000").Run();
  });
  ASSERT_TRUE(room.ok());
  EXPECT_TRUE(Write<int64_t>(Inserting(kilobyte)).ok());
}

// Files of this process may not grow beyond it, as long as it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t octets) : old_handler_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = octets;
    EXPECT_EQ(0, ::setrlimit(RLIMIT_FSIZE, &limit));
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit before_{};
  void (*old_handler_)(int);
};

// A disk that takes no more: the error comes with the commit, so the whole group hears of it.
TEST_F(SqliteDatabaseTest, WhatTheDiskDoesNotTakeIsNotAcknowledgedAndTheProbeSaysSo) {
  Open();
  const auto probe = [&] {
    std::optional<bool> ok;
    db->Probe([&](Status status) { ok = status.ok(); });
    EXPECT_TRUE(RunUntil(loop, [&] { return ok.has_value(); }));
    return ok.value_or(false);
  };
  EXPECT_TRUE(probe());
  int acknowledged = 0;
  std::string message;
  {
    const FileSizeLimit limit(300'000);
    int told = 0;
    for (int i = 0; i < 600; ++i) {
      db->Write<int64_t>(Inserting(std::string(1024, 'x')), [&](Result<int64_t> result) {
        ++told;
        if (result.ok()) {
          ++acknowledged;
        } else {
          message = result.error().message;
        }
      });
    }
    ASSERT_TRUE(RunUntil(loop, [&] { return told == 600; }));
    EXPECT_LT(acknowledged, 600);
    EXPECT_NE(std::string::npos, message.find("the disk reports an error")) << message;
    EXPECT_EQ(acknowledged, Number("SELECT count(*) FROM login_audit"));
    // There is room for a little one, so all is well.
    EXPECT_TRUE(probe());
  }
  {
    const FileSizeLimit limit(4096);
    EXPECT_TRUE(probe());  // nobody wrote: nothing to complain about yet
    EXPECT_FALSE(Write<int64_t>(Inserting("x")).ok());
    EXPECT_FALSE(probe());
    EXPECT_FALSE(probe());
  }
  EXPECT_TRUE(probe());
  EXPECT_TRUE(Write<int64_t>(Inserting("x")).ok());
  EXPECT_EQ(acknowledged + 1, Number("SELECT count(*) FROM login_audit"));
}

TEST_F(SqliteDatabaseTest, NamesOnlyFiles) {
  for (const char* bad : {"", ":memory:"}) {
    Database::Options options;
    options.path = bad;
    const auto opened = Database::Open(loop, options);
    ASSERT_FALSE(opened.ok());
    EXPECT_NE(std::string::npos, opened.error().message.find("the path of a file is expected"));
  }
  Database::Options options;
  options.path = directory.File("missing/framewall.db");
  const auto opened = Database::Open(loop, options);
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(std::string::npos, opened.error().message.find("missing/framewall.db"));
}

}  // namespace
}  // namespace framewall::backend::store
