// Threads for what would stall the loop (password hashes): a bounded queue of jobs, and their ends
// back on the loop.
//
// A job owns what it works on; the threads touch nothing of the process besides. They start when
// they are first needed, in the process that needs them, and no signal is delivered to them.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "proxy/event/loop.h"
#include "proxy/event/wakeup.h"

namespace framewall::event {

class WorkerThreads {
 public:
  // The work of a job, and what it works on; destroyed by whoever is last to hold it, which may be
  // the thread.
  class Job {
   public:
    virtual ~Job() = default;
    // In a thread. Must not throw.
    virtual void Run() = 0;
  };

  // One job under way. Destroyed before its end: `done` is not called, and a job that has not begun
  // never does.
  class Ticket {
   public:
    virtual ~Ticket() = default;
  };

  // `queue_limit`: jobs that wait besides those that run. The loop outlives it.
  WorkerThreads(EventLoop& loop, size_t threads, size_t queue_limit);
  // Drops what waits, and waits `kLongestFarewell` for what runs: then such a thread is left to
  // itself, as a hash cannot be interrupted. No ticket may be alive.
  ~WorkerThreads();
  WorkerThreads(const WorkerThreads&) = delete;
  WorkerThreads& operator=(const WorkerThreads&) = delete;

  static constexpr std::chrono::milliseconds kLongestFarewell{1000};

  // `done` is called from the loop once Run has returned. Null where the queue is full, or no
  // thread can be started.
  std::unique_ptr<Ticket> Submit(std::shared_ptr<Job> job, std::function<void()> done);

  // For tests: threads that were started.
  size_t thread_count() const;

 private:
  struct State;
  struct Held;
  void Collect();

  EventLoop& loop_;
  const size_t most_threads_;
  const size_t queue_limit_;
  std::shared_ptr<State> state_;
  std::unique_ptr<Wakeup> wakeup_;  // with the first job
  std::vector<std::thread> threads_;
};

}  // namespace framewall::event
