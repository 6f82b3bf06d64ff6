// POSIX signals as events of the loop.
#pragma once

#include <functional>
#include <memory>

#include "proxy/event/loop.h"

namespace framewall::event {

class Signal {
 public:
  Signal(EventLoop& loop, int signal_number, std::function<void()> callback);
  ~Signal();

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

}  // namespace framewall::event
