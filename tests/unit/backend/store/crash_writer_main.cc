// store_crash_writer FILE IN_FLIGHT FIRST: keeps so many writes under way, their keys counted from
// FIRST, and says each key that was
// acknowledged, a line each, until it is killed.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>

#include "backend/store/database.h"
#include "proxy/event/loop.h"

namespace {

using framewall::Result;
using framewall::backend::store::Connection;
using framewall::backend::store::Database;

class Writer {
 public:
  Writer(framewall::event::EventLoop& loop, Database& db, int64_t next)
      : loop_(loop), db_(db), next_(next) {}

  void WriteOne() {
    const int64_t key = next_++;
    db_.Write<int64_t>(
        [key](Connection& c) -> Result<int64_t> {
          framewall::backend::store::Statement insert = c.Prepare(
              "INSERT INTO login_audit (id, at, name, address, outcome) VALUES (?, 0, ?, '', '')");
          insert.Bind(1, key).Bind(2, std::string(200, 'x'));
          FW_TRY(insert.Run());
          return key;
        },
        [this](Result<int64_t> result) {
          if (!result.ok()) {
            std::fprintf(stderr, "%s\n", result.error().message.c_str());
            std::exit(1);
          }
          const std::string line = std::to_string(*result) + "\n";
          // The test went away.
          if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::exit(1);
          loop_.Post([this] { WriteOne(); });
        });
  }

 private:
  framewall::event::EventLoop& loop_;
  Database& db_;
  int64_t next_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  framewall::event::EventLoop loop;
  Database::Options options;
  options.path = argv[1];
  auto db = Database::Open(loop, options);
  if (!db.ok()) {
    std::fprintf(stderr, "%s\n", db.error().message.c_str());
    return 1;
  }
  Writer writer(loop, **db, std::atoll(argv[3]));
  for (int i = 0; i < std::atoi(argv[2]); ++i) writer.WriteOne();
  loop.Run();
}
