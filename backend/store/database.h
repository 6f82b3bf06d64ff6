// The database as the rest of the backend sees it. Statements run in threads of the store, never on
// the loop; what is written together is committed together.
//
//   database.Write<Room>(
//       [name](Connection& db) -> Result<Room> {
//         Statement insert = db.Prepare("INSERT INTO rooms (id, name) VALUES (?, ?)");
//         insert.Bind(1, id).Bind(2, name);
//         FW_TRY(insert.Run());
//         return Room{...};
//       },
//       [call](Result<Room> room) { ... });   // on the loop
//
// One thread writes: all writes that wait are run in one transaction, each in a savepoint of its
// own (an error rolls back that write alone), and `done` is called once the commit is on the disk.
// Other threads read, each in a transaction of its own, and see all that was committed before.
// `done` is always called, also while shutting down; who may be gone by then holds a weak pointer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/event/loop.h"

namespace framewall::backend::store {

// A prepared statement, lent by its connection; parameters and columns as in SQL, from 1 and from
// 0. Texts are copied.
class Statement {
 public:
  class Driver;
  explicit Statement(Driver* driver) : driver_(driver) {}
  Statement(Statement&& other) noexcept : driver_(other.driver_) { other.driver_ = nullptr; }
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  Statement& Bind(int parameter, std::string_view text);
  Statement& Bind(int parameter, const char* text) {
    return Bind(parameter, std::string_view(text));
  }
  Statement& Bind(int parameter, int64_t number);
  Statement& BindBlob(int parameter, std::string_view octets);
  Statement& BindNull(int parameter);

  // To the next row: true where there is one.
  Result<bool> Step();
  // All of it, for what returns no rows; how many rows were changed.
  Result<int64_t> Run();

  std::string Text(int column) const;  // blobs too; null is empty
  int64_t Integer(int column) const;
  bool IsNull(int column) const;

 private:
  Driver* driver_;
};

class Connection {
 public:
  virtual ~Connection() = default;
  // `sql` is a constant of ours; prepared once for each connection. Never null: a mistake in it is
  // a bug and stops the program.
  virtual Statement Prepare(std::string_view sql) = 0;
};

// Error::kind of a broken UNIQUE or foreign key is kRefused; all else is kSystem and logged.
class Database {
 public:
  struct Options {
    std::string path;           // of the file; ":memory:" is refused, readers would not see it
    size_t readers = 2;         // threads
    size_t queue_limit = 4096;  // works that wait; above it `done` gets kUnavailable at once
  };

  // Opens or makes the file (mode 0600), takes the lock of migrations, and runs what is missing. Of
  // a newer schema than ours: an error that says so.
  static Result<std::unique_ptr<Database>> Open(event::EventLoop& loop, const Options& options);
  virtual ~Database() = default;

  // The end, where others are still here who are told: commits the writes that were taken, refuses
  // reads that have not begun, and calls every `done` before it returns. What is asked from then on
  // is refused. The destructor does the same.
  virtual void Close() = 0;

  template <class T>
  void Read(std::function<Result<T>(Connection&)> work, std::function<void(Result<T>)> done) {
    Enqueue(false, Typed<T>(std::move(work), std::move(done)));
  }
  template <class T>
  void Write(std::function<Result<T>(Connection&)> work, std::function<void(Result<T>)> done) {
    Enqueue(true, Typed<T>(std::move(work), std::move(done)));
  }

  // Is there an answer from the disk? For /ready.
  virtual void Probe(std::function<void(Status)> done) = 0;
  // For metrics.
  struct Counts {
    size_t writes_waiting = 0;
    size_t reads_waiting = 0;
    uint64_t commits = 0;  // groups of writes so far
  };
  virtual Counts counts() const = 0;
  // Copies the whole database to `path` while it is in use (mode 0600; the file must not exist).
  virtual void Backup(const std::string& path, std::function<void(Status)> done) = 0;

 protected:
  struct Work {
    // In a thread. False rolls back.
    std::function<Status(Connection&)> run;
    // On the loop; with the error of run, of the commit or of the queue.
    std::function<void(Status)> done;
  };
  virtual void Enqueue(bool writes, Work work) = 0;

 private:
  template <class T>
  static Work Typed(std::function<Result<T>(Connection&)> work,
                    std::function<void(Result<T>)> done) {
    auto value = std::make_shared<std::optional<T>>();
    Work typed;
    typed.run = [value, work = std::move(work)](Connection& db) -> Status {
      Result<T> result = work(db);
      if (!result.ok()) return std::move(result).error();
      value->emplace(std::move(result).value());
      return OkStatus();
    };
    typed.done = [value, done = std::move(done)](Status status) {
      if (!status.ok()) return done(std::move(status).error());
      done(std::move(**value));
    };
    return typed;
  }
};

}  // namespace framewall::backend::store
