#include "backend/store/migrations.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "backend/store/sqlite_open.h"
#include "tests/unit/backend/store/support.h"

namespace framewall::backend::store {
namespace {

constexpr Migration kOne{1, "one", "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1);"};
constexpr Migration kTwo{2, "two", "CREATE TABLE b (x INTEGER); UPDATE a SET x = x + 1;"};
constexpr Migration kWrong{3, "wrong", "CREATE TABLE c (x INTEGER); UPDATE missing SET x = 1;"};

class MigrationsTest : public testing::Test {
 protected:
  Status Run(std::span<const Migration> migrations) { return Migrate(path(), migrations); }
  std::string path() const { return directory.File("m.db"); }
  // -1 where it cannot be asked.
  int64_t Number(const std::string& sql) {
    auto db = SqliteConnection::Open(path(), SqliteConnection::Use::kRead);
    if (!db.ok()) return -1;
    const auto number = (*db)->Number(sql);
    return number.ok() ? *number : -1;
  }
  bool HasTable(const std::string& name) {
    return Number("SELECT count(*) FROM sqlite_schema WHERE name = '" + name + "'") == 1;
  }
  void Change(const char* sql) {
    sqlite3* handle = nullptr;
    ASSERT_EQ(SQLITE_OK, sqlite3_open(path().c_str(), &handle));
    EXPECT_EQ(SQLITE_OK, sqlite3_exec(handle, sql, nullptr, nullptr, nullptr));
    sqlite3_close(handle);
  }

  test::TempDir directory;
};

TEST(Migrations, AreNumberedWithoutGaps) {
  int expected = 1;
  for (const Migration& migration : Migrations()) {
    EXPECT_EQ(expected++, migration.number);
    EXPECT_FALSE(migration.name.empty());
  }
}

TEST_F(MigrationsTest, RunOnceInOrder) {
  const std::array both = {kOne, kTwo};
  ASSERT_TRUE(Run(std::span(both).first(1)).ok());
  EXPECT_EQ(1, Number("PRAGMA user_version"));
  EXPECT_FALSE(HasTable("b"));
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(Run(both).ok());
    EXPECT_EQ(2, Number("PRAGMA user_version"));
    EXPECT_EQ(2, Number("SELECT x FROM a"));
  }
}

TEST_F(MigrationsTest, NothingOfAFailedOneStays) {
  const std::array all = {kOne, kTwo, kWrong};
  ASSERT_TRUE(Run(std::span(all).first(1)).ok());
  const Status status = Run(all);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(std::string::npos, status.error().message.find("migration 3 (wrong)"));
  EXPECT_NE(std::string::npos, status.error().message.find("no such table: missing"));
  EXPECT_EQ(1, Number("PRAGMA user_version"));
  EXPECT_EQ(1, Number("SELECT x FROM a"));
  EXPECT_FALSE(HasTable("b"));
  EXPECT_FALSE(HasTable("c"));
}

TEST_F(MigrationsTest, ABrokenReferenceIsRefused) {
  const std::array bad = {Migration{1, "refs",
                                    "CREATE TABLE p (id INTEGER PRIMARY KEY);"
                                    "CREATE TABLE q (p INTEGER REFERENCES p (id));"
                                    "INSERT INTO q VALUES (7);"}};
  const Status status = Run(bad);
  ASSERT_FALSE(status.ok());
  EXPECT_FALSE(HasTable("q"));
}

TEST_F(MigrationsTest, ANewerSchemaIsRefusedAndLeftAlone) {
  const std::array both = {kOne, kTwo};
  ASSERT_TRUE(Run(both).ok());
  const Status status = Run(std::span(both).first(1));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(ErrorSource::kOperator, status.error().source);
  EXPECT_NE(std::string::npos,
            status.error().message.find("has schema 2, this program knows schemas up to 1"))
      << status.error().message;
  EXPECT_EQ(2, Number("PRAGMA user_version"));
}

TEST_F(MigrationsTest, AnotherProgramsFileIsRefused) {
  Change("CREATE TABLE theirs (x)");
  const std::array one = {kOne};
  const Status status = Run(one);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(std::string::npos, status.error().message.find("is of another program"));
  EXPECT_FALSE(HasTable("a"));
}

TEST_F(MigrationsTest, WhatIsNoDatabaseIsRefused) {
  directory.Write("m.db", std::string(5000, 'z'));
  const std::array one = {kOne};
  const Status status = Run(one);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(std::string::npos, status.error().message.find("the file is damaged"))
      << status.error().message;
  EXPECT_EQ(std::string(5000, 'z'), directory.Read("m.db"));
}

// Many processes at once on a file that is not there: one migrates, the others find it done.
TEST_F(MigrationsTest, ProcessesThatStartAtOnceTakeTurns) {
  const std::array both = {kOne, kTwo};
  std::vector<pid_t> children;
  for (int i = 0; i < 6; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(Run(both).ok() ? 0 : 1);
    ASSERT_GT(pid, 0);
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = 0;
    ASSERT_EQ(pid, ::waitpid(pid, &status, 0));
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  EXPECT_EQ(2, Number("SELECT x FROM a"));  // twice run it would be 3
}

// Killed in the middle: the next start finds the file as before and goes on.
TEST_F(MigrationsTest, AKilledOneLeavesNothing) {
  const std::array slow = {
      kOne, Migration{2, "slow",
                      "CREATE TABLE b (x INTEGER);"
                      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT "
                      "100000000) INSERT INTO b SELECT i FROM n;"}};
  ASSERT_TRUE(Run(std::span(slow).first(1)).ok());
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(Run(slow).ok() ? 0 : 1);
  ASSERT_GT(pid, 0);
  // Until it holds the lock and has begun to write.
  sqlite3* handle = nullptr;
  ASSERT_EQ(SQLITE_OK, sqlite3_open(path().c_str(), &handle));
  int begin = SQLITE_OK;
  while (begin != SQLITE_BUSY) {
    begin = sqlite3_exec(handle, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
    if (begin == SQLITE_OK) sqlite3_exec(handle, "ROLLBACK", nullptr, nullptr, nullptr);
  }
  sqlite3_close(handle);
  ::kill(pid, SIGKILL);
  int status = 0;
  ASSERT_EQ(pid, ::waitpid(pid, &status, 0));
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(1, Number("PRAGMA user_version"));
  EXPECT_FALSE(HasTable("b"));
  const std::array quick = {kOne, kTwo};
  EXPECT_TRUE(Run(quick).ok());
}

// The lock of a process that hangs is waited for, not taken.
TEST_F(MigrationsTest, WaitsForTheLock) {
  const std::array one = {kOne};
  int fds[2];
  ASSERT_EQ(0, ::pipe(fds));
  const pid_t holder = ::fork();
  if (holder == 0) {
    const int fd = ::open((path() + ".lock").c_str(), O_RDWR | O_CREAT, 0600);
    ::flock(fd, LOCK_EX);
    [[maybe_unused]] const ssize_t told = ::write(fds[1], "x", 1);
    ::pause();
    ::_exit(0);
  }
  ASSERT_GT(holder, 0);
  char byte;
  ASSERT_EQ(1, ::read(fds[0], &byte, 1));
  const pid_t waiter = ::fork();
  if (waiter == 0) ::_exit(Run(one).ok() ? 0 : 1);
  ASSERT_GT(waiter, 0);
  ::usleep(200'000);
  int status = 0;
  EXPECT_EQ(0, ::waitpid(waiter, &status, WNOHANG));
  ::kill(holder, SIGKILL);
  ASSERT_EQ(holder, ::waitpid(holder, nullptr, 0));
  ASSERT_EQ(waiter, ::waitpid(waiter, &status, 0));
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_TRUE(HasTable("a"));
  ::close(fds[0]);
  ::close(fds[1]);
}

}  // namespace
}  // namespace framewall::backend::store
