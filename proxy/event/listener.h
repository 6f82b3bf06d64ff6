// Accepts connections from a listening descriptor that somebody else owns.
#pragma once

#include <functional>
#include <memory>

#include "proxy/base/address.h"
#include "proxy/event/loop.h"

namespace framewall::event {

class Listener {
 public:
  // `on_accept` owns the connected, non-blocking, close-on-exec descriptor it gets.
  using OnAccept = std::function<void(int fd, const SocketAddress& peer)>;
  // Told of errno EMFILE or ENFILE (out of descriptors): the owner pauses and resumes later.
  using OnExhausted = std::function<void(int system_errno)>;
  // `multi_accept`: take all that wait, not one, per readiness.
  Listener(EventLoop& loop, int listen_fd, bool multi_accept, OnAccept on_accept,
           OnExhausted on_exhausted);
  ~Listener();

  void Pause();
  void Resume();
  bool paused() const { return paused_; }

 private:
  struct Handle;
  EventLoop& loop_;
  int fd_;
  bool multi_accept_;
  bool paused_ = false;
  OnAccept on_accept_;
  OnExhausted on_exhausted_;
  std::unique_ptr<Handle> handle_;
};

}  // namespace framewall::event
