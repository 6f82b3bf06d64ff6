// Writes of the backend's database that are on the disk when they are counted: one row, and a chat
// message with its number and its words in the text index, with so many under way at a time.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>

#include "backend/store/messages.h"
#include "backend/store/rooms.h"
#include "backend/store/sqlite_database.h"
#include "proxy/event/loop.h"

namespace framewall::backend::store {
namespace {

// In a directory of its own on the disk of the working directory, gone with it.
class Bench {
 public:
  Bench() {
    char name[] = "store_bench.XXXXXX";
    if (::mkdtemp(name) == nullptr) std::abort();
    directory_ = name;
    auto opened = SqliteDatabase::Open(loop_, {.path = directory_ + "/bench.db"});
    if (!opened.ok()) {
      std::fprintf(stderr, "%s\n", opened.error().message.c_str());
      std::abort();
    }
    db_ = std::move(opened).value();
    Do([](Connection& c) -> Result<int64_t> {
      FW_TRY(c.Prepare("INSERT INTO users (id, name, display_name, password, role, created, "
                       "changed) VALUES ('u', 'u', 'u', '*', 'user', 0, 0)")
                 .Run());
      Room room;
      room.id = "r";
      room.owner = "u";
      FW_TRY(InsertRoom(c, room));
      return 0;
    });
    Run(1);
  }
  ~Bench() {
    db_.reset();
    std::filesystem::remove_all(directory_);
  }

  void Do(std::function<Result<int64_t>(Connection&)> work) {
    db_->Write<int64_t>(std::move(work), [this](Result<int64_t> done) {
      if (!done.ok()) std::abort();
      ++done_;
    });
    ++asked_;
  }
  // Until `count` more are done, or a few more where they are done together.
  void Run(int64_t count) {
    const int64_t until = done_ + count;
    while (done_ < until) loop_.RunOnce(std::chrono::milliseconds(1000));
  }
  int64_t done() const { return done_; }
  int64_t under_way() const { return asked_ - done_; }
  uint64_t commits() const { return db_->commits(); }

 private:
  std::string directory_;
  event::EventLoop loop_;
  std::unique_ptr<SqliteDatabase> db_;
  int64_t asked_ = 0;
  int64_t done_ = 0;
};

void Measure(benchmark::State& state, const std::function<Result<int64_t>(Connection&)>& work) {
  Bench bench;
  const int64_t in_flight = state.range(0);
  const int64_t done = bench.done();
  const uint64_t commits = bench.commits();
  for (auto _ : state) {
    while (bench.under_way() < in_flight) bench.Do(work);
    bench.Run(1);
  }
  bench.Run(bench.under_way());
  // One turn of `state` is one group at most: what counts is what was acknowledged.
  state.SetItemsProcessed(bench.done() - done);
  state.counters["per_commit"] =
      static_cast<double>(bench.done() - done) / static_cast<double>(bench.commits() - commits);
}

void Row(benchmark::State& state) {
  Measure(state, [](Connection& c) -> Result<int64_t> {
    Statement insert =
        c.Prepare("INSERT INTO login_audit (at, name, address, outcome) VALUES (1, ?, '', '')");
    insert.Bind(1, "somebody");
    return insert.Run();
  });
}
BENCHMARK(Row)->Arg(1)->Arg(16)->Arg(256)->UseRealTime();

void ChatMessage(benchmark::State& state) {
  Measure(state, [](Connection& c) -> Result<int64_t> {
    NewMessage message;
    message.room = "r";
    message.author = "u";
    message.text = "Who took the last cup of coffee, and who makes a new one now?";
    FW_ASSIGN(const Appended added, AppendMessage(c, message));
    return added.message.number;
  });
}
BENCHMARK(ChatMessage)->Arg(1)->Arg(16)->Arg(256)->UseRealTime();

}  // namespace
}  // namespace framewall::backend::store
