// Passwords to yescrypt hashes and back to yes or no, in a few threads: a hash takes tens of
// milliseconds and 16 MiB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "proxy/base/result.h"
#include "proxy/event/worker_threads.h"

namespace framewall::backend::auth {

// crypt(3) takes no longer ones.
inline constexpr size_t kLongestPassword = 511;

class PasswordHasher {
 public:
  // `queue`: hashes that wait besides those that run. `loop` outlives it.
  PasswordHasher(event::EventLoop& loop, size_t threads, size_t queue);
  ~PasswordHasher();

  using OnHash = std::function<void(Result<std::string>)>;
  using OnChecked = std::function<void(bool fits)>;
  // False: too much waits already, and `done` is not called. Else it is, from the loop. Requires:
  // at most kLongestPassword octets, none of them zero.
  [[nodiscard]] bool Hash(std::string password, OnHash done);
  [[nodiscard]] bool Check(std::string password, std::string stored, OnChecked done);

  // What no password fits, and what it takes as long to find out as with a stored one.
  const std::string& nobodys() const { return nobodys_; }

  // Hashes that run or wait, for metrics.
  size_t under_way() const { return running_.size(); }

  // Drops all that is under way; nothing is called any more.
  void Stop();

 private:
  class Job;
  bool Submit(std::shared_ptr<Job> job, std::function<void(const Job&)> done);

  struct Running {
    std::unique_ptr<event::WorkerThreads::Ticket> ticket;
    std::function<void(const Job&)> done;
    std::shared_ptr<Job> job;
  };
  event::EventLoop& loop_;
  event::WorkerThreads threads_;
  std::string nobodys_;
  uint64_t last_ = 0;
  std::map<uint64_t, std::shared_ptr<Running>> running_;
};

}  // namespace framewall::backend::auth
