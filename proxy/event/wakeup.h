// The way of other threads back to the loop: an eventfd that the loop watches.
#pragma once

#include <functional>
#include <memory>

#include "proxy/base/unique_fd.h"
#include "proxy/event/loop.h"

namespace framewall::event {

class Wakeup {
 public:
  // What a thread holds. May outlive the Wakeup: then nothing happens.
  class Notifier {
   public:
    Notifier() = default;
    // From any thread. Notices before the callback runs are one.
    void Notify() const;

   private:
    friend class Wakeup;
    explicit Notifier(std::shared_ptr<const UniqueFd> fd) : fd_(std::move(fd)) {}
    std::shared_ptr<const UniqueFd> fd_;
  };

  // `callback` runs from the loop, which outlives this. Null where no descriptor is left.
  static std::unique_ptr<Wakeup> Make(EventLoop& loop, std::function<void()> callback);
  ~Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  Notifier notifier() const { return Notifier(fd_); }

 private:
  struct Handle;
  Wakeup(EventLoop& loop, std::function<void()> callback, UniqueFd fd);

  EventLoop& loop_;
  std::function<void()> callback_;
  std::shared_ptr<const UniqueFd> fd_;
  std::unique_ptr<Handle> handle_;
};

}  // namespace framewall::event
