// SIGKILL under load: what was acknowledged is there when the file is opened again.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <random>
#include <set>
#include <thread>

#include "proxy/base/unique_fd.h"
#include "tests/unit/backend/store/support.h"

namespace framewall::backend::store {
namespace {

constexpr int kRuns = 20;

// Runs the writer, reads `lines` acknowledgements, kills it, and returns all that it said.
std::set<int64_t> WriteUntilKilled(const std::string& path, int in_flight, int64_t first,
                                   size_t lines) {
  int fds[2];
  EXPECT_EQ(0, ::pipe2(fds, O_CLOEXEC));
  UniqueFd out(fds[0]);
  UniqueFd in(fds[1]);
  const std::string flight = std::to_string(in_flight);
  const std::string begin = std::to_string(first);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(in.get(), STDOUT_FILENO);
    ::execl(FW_CRASH_WRITER, "store_crash_writer", path.c_str(), flight.c_str(), begin.c_str(),
            static_cast<char*>(nullptr));
    ::_exit(127);
  }
  EXPECT_GT(pid, 0);
  if (pid <= 0) return {};
  in.Reset();
  std::string said;
  size_t seen = 0;
  bool killed = false;
  char buffer[4096];
  for (;;) {
    const ssize_t size = ::read(out.get(), buffer, sizeof buffer);
    if (size <= 0) break;
    said.append(buffer, static_cast<size_t>(size));
    seen += static_cast<size_t>(std::count(buffer, buffer + size, '\n'));
    if (!killed && seen >= lines) {
      ::kill(pid, SIGKILL);
      killed = true;
    }
  }
  int status = 0;
  EXPECT_EQ(pid, ::waitpid(pid, &status, 0));
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  std::set<int64_t> keys;
  for (size_t at = 0, end; (end = said.find('\n', at)) != std::string::npos; at = end + 1) {
    int64_t key = 0;
    std::from_chars(said.data() + at, said.data() + end, key);
    keys.insert(key);
  }
  return keys;
}

using StoreCrash = StoreTest;

TEST_F(StoreCrash, NothingAcknowledgedIsMissing) {
  std::mt19937 random(20261121);
  std::set<int64_t> acknowledged;
  int64_t next = 1;
  for (int run = 0; run < kRuns; ++run) {
    const int in_flight = run % 2 == 0 ? 64 : 3;
    const size_t lines = 1 + random() % 400;
    const std::set<int64_t> said = WriteUntilKilled(path(), in_flight, next, lines);
    ASSERT_GE(said.size(), lines) << "run " << run;
    acknowledged.insert(said.begin(), said.end());

    Open();
    const auto stored = Read<std::set<int64_t>>([](Connection& c) -> Result<std::set<int64_t>> {
      std::set<int64_t> keys;
      Statement all = c.Prepare("SELECT id FROM login_audit");
      for (;;) {
        FW_ASSIGN(const bool row, all.Step());
        if (!row) return keys;
        keys.insert(all.Integer(0));
      }
    });
    ASSERT_TRUE(stored.ok());
    for (const int64_t key : acknowledged) ASSERT_TRUE(stored->contains(key)) << "run " << run;
    const auto whole = Read<std::string>([](Connection& c) -> Result<std::string> {
      Statement check = c.Prepare("PRAGMA integrity_check");
      FW_TRY(check.Step());
      return check.Text(0);
    });
    ASSERT_TRUE(whole.ok());
    EXPECT_EQ("ok", *whole);
    // Committed but not told is allowed; the next run writes behind it.
    next = *stored->rbegin() + 1;
    db.reset();
  }
}

}  // namespace
}  // namespace framewall::backend::store
