#include "backend/store/backup.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include "tests/unit/backend/store/support.h"

namespace framewall::backend::store {
namespace {

class BackupTest : public StoreTest {
 protected:
  void Insert(int count) {
    int told = 0;
    for (int i = 0; i < count; ++i) {
      db->Write<int64_t>(
          [](Connection& c) -> Result<int64_t> {
            return c
                .Prepare(
                    "INSERT INTO login_audit (at, name, address, outcome)"
                    " VALUES (0, hex(randomblob(500)), '', '')")
                .Run();
          },
          [&](Result<int64_t> result) {
            EXPECT_TRUE(result.ok());
            ++told;
          });
    }
    ASSERT_TRUE(RunUntil(loop, [&] { return told == count; }));
  }
  Status BackUpTo(const std::string& target) {
    std::optional<Status> answer;
    db->Backup(target, [&](Status status) { answer.emplace(std::move(status)); });
    if (!RunUntil(loop, [&] { return answer.has_value(); })) return NotAnswered();
    return std::move(*answer);
  }
  // Rows in a copy that somebody opens as it is.
  int64_t Rows(const std::string& file) {
    auto copy = SqliteConnection::Open(file, SqliteConnection::Use::kRead);
    if (!copy.ok()) return -1;
    const auto damaged = (*copy)->Number(
        "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check != 'ok'");
    EXPECT_TRUE(damaged.ok() && *damaged == 0);
    const auto rows = (*copy)->Number("SELECT count(*) FROM login_audit");
    return rows.ok() ? *rows : -1;
  }
};

TEST_F(BackupTest, IsTheWholeDatabaseForUsOnly) {
  Open();
  Insert(300);
  const std::string target = directory.File("copy.db");
  const Status status = BackUpTo(target);
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_EQ(300, Rows(target));
  struct stat about {};
  ASSERT_EQ(0, ::stat(target.c_str(), &about));
  EXPECT_EQ(0600u, about.st_mode & 0777u);
  EXPECT_FALSE(directory.Has("copy.db.partial"));
  EXPECT_FALSE(directory.Has("copy.db.partial-journal"));
}

TEST_F(BackupTest, ServesAsADatabase) {
  Open();
  Insert(10);
  ASSERT_TRUE(BackUpTo(directory.File("copy.db")).ok());
  db.reset();
  Database::Options options;
  options.path = directory.File("copy.db");
  auto opened = SqliteDatabase::Open(loop, options);
  ASSERT_TRUE(opened.ok());
  db = std::move(opened).value();
  EXPECT_EQ(10, Number("SELECT count(*) FROM login_audit"));
  Insert(1);
}

// Writes go on meanwhile, and the copy is of one moment.
TEST_F(BackupTest, IsOfOneMomentWhileOthersWrite) {
  Database::Options options;
  options.queue_limit = 20000;
  Open(options);
  Insert(20000);
  std::optional<Status> answer;
  int written = 0;
  bool waiting = false;
  db->Backup(directory.File("copy.db"), [&](Status status) { answer.emplace(std::move(status)); });
  int during = 0;
  ASSERT_TRUE(RunUntil(loop, [&] {
    if (!waiting && !answer) {
      waiting = true;
      // Two rows that belong together.
      db->Write<int64_t>(
          [](Connection& c) -> Result<int64_t> {
            for (int i = 0; i < 2; ++i) {
              FW_TRY(c.Prepare("INSERT INTO login_audit (at, name, address, outcome)"
                               " VALUES (1, '', '', '')")
                         .Run());
            }
            return 0;
          },
          [&](Result<int64_t> result) {
            EXPECT_TRUE(result.ok());
            waiting = false;
            ++written;
            if (!answer) ++during;
          });
    }
    return answer.has_value() && !waiting;
  }));
  ASSERT_TRUE(answer->ok()) << answer->error().message;
  EXPECT_GT(during, 0);
  const int64_t rows = Rows(directory.File("copy.db"));
  EXPECT_GE(rows, 20000);
  EXPECT_EQ(0, rows % 2);
  EXPECT_EQ(20000 + 2 * written, Number("SELECT count(*) FROM login_audit"));
}

TEST_F(BackupTest, LeavesAloneWhatIsThere) {
  Open();
  directory.Write("copy.db", "something else");
  const Status status = BackUpTo(directory.File("copy.db"));
  ASSERT_FALSE(status.ok());
  EXPECT_NE(std::string::npos, status.error().message.find("is there already and is left alone"));
  EXPECT_EQ("something else", directory.Read("copy.db"));
}

TEST_F(BackupTest, SaysWhereItCannotBe) {
  Open();
  const Status status = BackUpTo(directory.File("missing/copy.db"));
  ASSERT_FALSE(status.ok());
  EXPECT_NE(std::string::npos, status.error().message.find("missing/copy.db"));
}

TEST_F(BackupTest, ABrokenOffOneLeavesNothing) {
  Open();
  Insert(10);
  auto connection = SqliteConnection::Open(path(), SqliteConnection::Use::kRead);
  ASSERT_TRUE(connection.ok());
  const Status status = BackUp(**connection, directory.File("copy.db"), [] { return false; });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(ErrorKind::kUnavailable, status.error().kind);
  for (const char* name : {"copy.db", "copy.db.partial", "copy.db.partial-journal"}) {
    EXPECT_FALSE(directory.Has(name)) << name;
  }
}

TEST_F(BackupTest, AnotherProcessMayMakeIt) {
  Open();
  Insert(10);
  const Status status = BackUp(path(), directory.File("copy.db"));
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_EQ(10, Rows(directory.File("copy.db")));
  EXPECT_FALSE(BackUp(directory.File("none.db"), directory.File("copy2.db")).ok());
  EXPECT_FALSE(directory.Has("none.db"));
  EXPECT_FALSE(directory.Has("copy2.db"));
}

}  // namespace
}  // namespace framewall::backend::store
