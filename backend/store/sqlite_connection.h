// One connection to an SQLite file. Used by one thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "backend/store/database.h"

struct sqlite3;

namespace framewall::backend::store {

class SqliteConnection final : public Connection {
 public:
  enum class Use : uint8_t { kWrite, kRead };

  // `path` is absolute, and the file is there. WAL, synchronous=FULL and foreign keys stand after
  // it; a reader refuses to write. Waits for locks of other processes up to kLockWaitMilliseconds.
  static Result<std::unique_ptr<SqliteConnection>> Open(const std::string& path, Use use);
  ~SqliteConnection() override;

  static constexpr int kLockWaitMilliseconds = 10'000;

  Statement Prepare(std::string_view sql) override;

  // Several statements without parameters and rows.
  Status Execute(const std::string& sql);
  // The first column of the first row; 0 where there is none.
  Result<int64_t> Number(std::string_view sql);
  // Between BEGIN and COMMIT? Some errors end a transaction by themselves.
  bool in_transaction() const;
  // Copies all of it, as of one moment, into the file `path`, which is there and empty; others
  // write meanwhile. Asked now and then whether to go on.
  Status CopyTo(const std::string& path, const std::function<bool()>& go_on);

  // What went wrong last, for whoever runs the machine.
  Error LastError(std::string_view doing) const;

 private:
  class Prepared;
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  SqliteConnection(std::string path, sqlite3* handle);

  Status CopyPages(sqlite3* target, const std::function<bool()>& go_on,
                   const std::function<Error()>& target_error);

  const std::string path_;
  sqlite3* handle_;
  // By their text; emptied before the handle goes.
  std::unordered_map<std::string, std::unique_ptr<Prepared>, Hash, std::equal_to<>> prepared_;
};

}  // namespace framewall::backend::store
