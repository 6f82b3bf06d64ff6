// A one-shot timer that cancels itself when it is destroyed.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "proxy/event/loop.h"

namespace framewall::event {

// Cheap to push forward: setting a later deadline only stores it; the kernel-side timer fires at
// the old one and is set again. So a deadline moved on every read costs no heap work.
class Timer {
 public:
  // `loop` outlives the timer. `callback` runs from the loop.
  Timer(EventLoop& loop, std::function<void()> callback);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // (Re)starts: fires once, `after` from the cached now.
  void Set(std::chrono::milliseconds after);
  void Cancel();
  bool active() const { return active_; }

 private:
  struct Handle;
  EventLoop& loop_;
  std::function<void()> callback_;
  std::unique_ptr<Handle> handle_;
  bool active_ = false;
  SteadyTime deadline_{};
};

}  // namespace framewall::event
