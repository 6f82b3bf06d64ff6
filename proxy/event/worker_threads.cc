// A job's way: waiting (in the queue) ─► running (a thread has it) ─► finished (in `finished`, the
// loop is woken) ─► done, on the loop. What threads and loop share is State, under its lock;
// it lives until the last thread has gone.
#include "proxy/event/worker_threads.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "proxy/event/wakeup.h"

namespace framewall::event {

// A ticket's share of a job; only the loop's thread looks at `done`.
struct WorkerThreads::Held {
  std::shared_ptr<Job> job;
  std::function<void()> done;
};

struct WorkerThreads::State {
  std::mutex mutex;
  std::condition_variable work;      // something waits, or all is over
  std::condition_variable farewell;  // a thread has nothing to do any more
  std::deque<std::shared_ptr<Held>> queue;
  std::vector<std::shared_ptr<Held>> finished;
  size_t running = 0;  // threads with a job
  bool stopping = false;
  Wakeup::Notifier wakeup;

  void Serve() {
    ::pthread_setname_np(::pthread_self(), "framewall-jobs");
    std::unique_lock lock(mutex);
    for (;;) {
      work.wait(lock, [this] { return stopping || !queue.empty(); });
      if (stopping) return;
      std::shared_ptr<Held> held = std::move(queue.front());
      queue.pop_front();
      // The loop may empty `held` meanwhile; the job itself is ours while it runs.
      std::shared_ptr<Job> job = held->job;
      ++running;
      lock.unlock();
      job->Run();
      job.reset();
      lock.lock();
      --running;
      finished.push_back(std::move(held));
      farewell.notify_all();
      wakeup.Notify();
    }
  }
};

namespace {

class HeldTicket final : public WorkerThreads::Ticket {
 public:
  explicit HeldTicket(std::function<void()> cancel) : cancel_(std::move(cancel)) {}
  ~HeldTicket() override { cancel_(); }

 private:
  std::function<void()> cancel_;
};

}  // namespace

WorkerThreads::WorkerThreads(EventLoop& loop, size_t threads, size_t queue_limit)
    : loop_(loop),
      most_threads_(threads),
      queue_limit_(queue_limit),
      state_(std::make_shared<State>()) {}

WorkerThreads::~WorkerThreads() {
  if (!wakeup_) return;
  bool all_rest = false;
  {
    std::unique_lock lock(state_->mutex);
    state_->stopping = true;
    state_->queue.clear();
    state_->work.notify_all();
    all_rest =
        state_->farewell.wait_for(lock, kLongestFarewell, [this] { return state_->running == 0; });
    state_->finished.clear();
  }
  for (std::thread& thread : threads_) {
    if (all_rest) {
      thread.join();
    } else {
      thread.detach();
    }
  }
}

std::unique_ptr<WorkerThreads::Ticket> WorkerThreads::Submit(std::shared_ptr<Job> job,
                                                             std::function<void()> done) {
  if (!wakeup_) {
    wakeup_ = Wakeup::Make(loop_, [this] { Collect(); });
    if (!wakeup_) return nullptr;
    state_->wakeup = wakeup_->notifier();
  }
  auto held = std::make_shared<Held>(Held{std::move(job), std::move(done)});
  {
    const std::lock_guard lock(state_->mutex);
    const size_t busy = state_->running + state_->queue.size();
    if (busy >= most_threads_ + queue_limit_) return nullptr;
    if (busy >= threads_.size() && threads_.size() < most_threads_) {
      // Inherited by the thread: signals are the loop's.
      sigset_t all;
      sigset_t before;
      ::sigfillset(&all);
      ::pthread_sigmask(SIG_SETMASK, &all, &before);
      try {
        threads_.emplace_back([state = state_] { state->Serve(); });
      } catch (const std::system_error&) {
        // Who is there already does it, later.
      }
      ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
    if (threads_.empty()) return nullptr;
    state_->queue.push_back(held);
  }
  state_->work.notify_one();
  return std::make_unique<HeldTicket>([state = state_, held] {
    held->done = nullptr;
    const std::lock_guard lock(state->mutex);
    std::erase(state->queue, held);
  });
}

void WorkerThreads::Collect() {
  std::vector<std::shared_ptr<Held>> finished;
  {
    const std::lock_guard lock(state_->mutex);
    finished.swap(state_->finished);
  }
  for (const std::shared_ptr<Held>& held : finished) {
    // It may destroy its own ticket, and others.
    if (const std::function<void()> done = std::exchange(held->done, nullptr)) done();
  }
}

size_t WorkerThreads::thread_count() const { return threads_.size(); }

}  // namespace framewall::event
