// A job's way: waiting (in the queue) ─► running (a thread has it) ─► finished (in `finished`, the
// eventfd is written) ─► done, on the loop. What threads and loop share is State, under its lock;
// it lives until the last thread has gone.
#include "proxy/event/worker_threads.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "proxy/base/unique_fd.h"

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
  UniqueFd wakeup;

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
      const uint64_t one = 1;
      // It can only fail where it is awaited already.
      [[maybe_unused]] const ssize_t written = ::write(wakeup.get(), &one, sizeof one);
    }
  }
};

struct WorkerThreads::Wakeup {
  ::event event;
  EventLoop& loop;
  WorkerThreads& owner;
  std::vector<std::thread> threads;

  static void OnFire(evutil_socket_t fd, short, void* argument) {
    Wakeup& wakeup = *static_cast<Wakeup*>(argument);
    EventLoop& loop = wakeup.loop;
    loop.EnterCallback();
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(fd, &count, sizeof count);
    wakeup.owner.Collect();
    loop.LeaveCallback();
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
    : threads_(threads),
      queue_limit_(queue_limit),
      state_(std::make_shared<State>()),
      wakeup_(new Wakeup{{}, loop, *this, {}}) {}

WorkerThreads::~WorkerThreads() {
  if (!state_->wakeup.valid()) return;
  event_del(&wakeup_->event);
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
  for (std::thread& thread : wakeup_->threads) {
    if (all_rest) {
      thread.join();
    } else {
      thread.detach();
    }
  }
}

std::unique_ptr<WorkerThreads::Ticket> WorkerThreads::Submit(std::shared_ptr<Job> job,
                                                             std::function<void()> done) {
  if (!state_->wakeup.valid()) {
    state_->wakeup.Reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!state_->wakeup.valid()) return nullptr;
    event_assign(&wakeup_->event, wakeup_->loop.base(), state_->wakeup.get(), EV_READ | EV_PERSIST,
                 Wakeup::OnFire, wakeup_.get());
    event_add(&wakeup_->event, nullptr);
  }
  auto held = std::make_shared<Held>(Held{std::move(job), std::move(done)});
  {
    const std::lock_guard lock(state_->mutex);
    const size_t busy = state_->running + state_->queue.size();
    if (busy >= threads_ + queue_limit_) return nullptr;
    if (busy >= wakeup_->threads.size() && wakeup_->threads.size() < threads_) {
      // Inherited by the thread: signals are the loop's.
      sigset_t all;
      sigset_t before;
      ::sigfillset(&all);
      ::pthread_sigmask(SIG_SETMASK, &all, &before);
      try {
        wakeup_->threads.emplace_back([state = state_] { state->Serve(); });
      } catch (const std::system_error&) {
        // Who is there already does it, later.
      }
      ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
    if (wakeup_->threads.empty()) return nullptr;
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

size_t WorkerThreads::thread_count() const { return wakeup_->threads.size(); }

}  // namespace framewall::event
