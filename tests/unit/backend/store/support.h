// What the tests of the store share: a database of their own, and waiting for its answers.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "backend/store/sqlite_database.h"
#include "proxy/event/loop.h"
#include "tests/support/temp_dir.h"

namespace framewall::backend::store {

// Runs the loop until `done`, at most twenty seconds.
inline bool RunUntil(event::EventLoop& loop, const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    loop.RunOnce(std::chrono::milliseconds(50));
  }
  return true;
}

inline Error NotAnswered() {
  return Error{ErrorKind::kTimeout, ErrorSource::kInternal, "no answer in twenty seconds", 0};
}

// A write or a read, and its answer.
template <class T>
Result<T> WaitFor(event::EventLoop& loop, Database& db, bool writes,
                  std::function<Result<T>(Connection&)> work) {
  auto answer = std::make_shared<std::optional<Result<T>>>();
  const auto done = [answer](Result<T> result) { answer->emplace(std::move(result)); };
  if (writes) {
    db.Write<T>(std::move(work), done);
  } else {
    db.Read<T>(std::move(work), done);
  }
  if (!RunUntil(loop, [&] { return answer->has_value(); })) return NotAnswered();
  return std::move(**answer);
}

class StoreTest : public testing::Test {
 protected:
  void Open(Database::Options options = {}) {
    options.path = path();
    auto opened = SqliteDatabase::Open(loop, options);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    db = std::move(opened).value();
  }
  std::string path() const { return directory.File("framewall.db"); }

  template <class T>
  Result<T> Write(std::function<Result<T>(Connection&)> work) {
    return WaitFor<T>(loop, *db, true, std::move(work));
  }
  template <class T>
  Result<T> Read(std::function<Result<T>(Connection&)> work) {
    return WaitFor<T>(loop, *db, false, std::move(work));
  }
  // In one transaction of the writer; a failure of the test where it does not succeed.
  //   const bool changed = Must([&](Connection& c) { return ChangeRoom(c, …); });
  template <class Work>
  auto Must(Work work) {
    using Answer = std::invoke_result_t<Work, Connection&>;
    if constexpr (std::is_same_v<Answer, Status>) {
      const auto done = Write<bool>([work](Connection& c) -> Result<bool> {
        FW_TRY(work(c));
        return true;
      });
      EXPECT_TRUE(done.ok()) << done.error().message;
    } else {
      using Value = std::decay_t<decltype(*std::declval<Answer&>())>;
      Result<Value> answer = Write<Value>(work);
      EXPECT_TRUE(answer.ok()) << answer.error().message;
      return answer.ok() ? std::move(answer).value() : Value{};
    }
  }
  // The kind of the error with which it fails.
  template <class Work>
  ErrorKind FailureOf(Work work) {
    const auto done = Write<bool>([work](Connection& c) -> Result<bool> {
      auto answer = work(c);
      if (!answer.ok()) return std::move(answer).error();
      return true;
    });
    EXPECT_FALSE(done.ok());
    return done.ok() ? ErrorKind::kOther : done.error().kind;
  }

  // The first column of the first row; -1 where there is none.
  int64_t Number(std::string sql) {
    const Result<int64_t> number = Read<int64_t>([sql](Connection& c) -> Result<int64_t> {
      Statement statement = c.Prepare(sql);
      FW_ASSIGN(const bool row, statement.Step());
      return row ? statement.Integer(0) : -1;
    });
    EXPECT_TRUE(number.ok()) << number.error().message;
    return number.ok() ? *number : -2;
  }
  // An account, because nearly everything belongs to one.
  void AddUser(std::string id, std::string name) {
    const auto added = Write<int64_t>([id, name](Connection& c) -> Result<int64_t> {
      Statement insert = c.Prepare(
          "INSERT INTO users (id, name, display_name, password, role, created, changed)"
          " VALUES (?, ?, ?, '*', 'user', 0, 0)");
      insert.Bind(1, id).Bind(2, name).Bind(3, name);
      return insert.Run();
    });
    ASSERT_TRUE(added.ok()) << added.error().message;
  }

  test::TempDir directory;
  event::EventLoop loop;
  std::unique_ptr<SqliteDatabase> db;
};

}  // namespace framewall::backend::store
