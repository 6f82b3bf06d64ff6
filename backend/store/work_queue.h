// What threads of the store and the loop share: works that wait, and works that are over.
//
// A work's way: waiting ─► taken by a thread ─► finished ─► done, on the loop. It is moved, never
// copied, and destroyed on the loop: what it holds may belong there.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/event/wakeup.h"

namespace framewall::backend::store {

template <class Work>
struct Finished {
  Work work;
  Status status;
};

// For one kind of work; several threads may take.
template <class Work>
class WaitingWorks {
 public:
  explicit WaitingWorks(size_t limit) : limit_(limit) {}

  // False where the queue is full or closed; `work` is left alone then.
  bool Add(Work& work) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_ || works_.size() >= limit_) return false;
      works_.push_back(std::move(work));
    }
    some_.notify_one();
    return true;
  }

  // Waits for the next; nothing once the queue is closed and empty.
  std::optional<Work> Take() {
    std::unique_lock lock(mutex_);
    some_.wait(lock, [this] { return closed_ || !works_.empty(); });
    return Next();
  }
  // Nothing where nothing waits.
  std::optional<Work> TakeIfThere() {
    const std::lock_guard lock(mutex_);
    return Next();
  }

  // Takes no more; what waits is still given out.
  void Close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    some_.notify_all();
  }
  bool closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
  }
  size_t size() const {
    const std::lock_guard lock(mutex_);
    return works_.size();
  }

 private:
  std::optional<Work> Next() {
    if (works_.empty()) return std::nullopt;
    std::optional<Work> next(std::move(works_.front()));
    works_.pop_front();
    return next;
  }

  mutable std::mutex mutex_;
  std::condition_variable some_;
  std::deque<Work> works_;
  const size_t limit_;
  bool closed_ = false;
};

template <class Work>
class FinishedWorks {
 public:
  void SetNotifier(event::Wakeup::Notifier notifier) { notifier_ = std::move(notifier); }

  void Add(std::vector<Finished<Work>> works) {
    if (works.empty()) return;
    {
      const std::lock_guard lock(mutex_);
      for (Finished<Work>& work : works) works_.push_back(std::move(work));
    }
    notifier_.Notify();
  }
  std::vector<Finished<Work>> TakeAll() {
    const std::lock_guard lock(mutex_);
    return std::exchange(works_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<Finished<Work>> works_;
  event::Wakeup::Notifier notifier_;
};

}  // namespace framewall::backend::store
