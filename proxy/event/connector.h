// A non-blocking connect with a deadline.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "proxy/base/address.h"
#include "proxy/base/result.h"
#include "proxy/event/loop.h"
#include "proxy/event/stream.h"

namespace framewall::event {

struct ConnectOptions {
  std::chrono::milliseconds timeout{60000};
  // proxy_bind: the local address; empty lets the kernel choose.
  SocketAddress bind;
  bool transparent = false;  // IP_TRANSPARENT for a `bind` that is not ours
  bool keepalive = false;    // SO_KEEPALIVE
  int receive_buffer = 0;    // SO_RCVBUF; 0 leaves it
  int send_buffer = 0;
};

// One attempt. Destroying it cancels; then no call comes.
class Connector {
 public:
  using OnDone = std::function<void(Result<std::unique_ptr<Stream>>)>;
  // `done` is called once, never from inside this constructor. Errors have source kUpstream, kinds
  // kRefused, kTimeout, kSystem, and system_errno.
  Connector(EventLoop& loop, const SocketAddress& address, const ConnectOptions& options,
            OnDone done);
  ~Connector();

 private:
  struct Attempt;
  std::unique_ptr<Attempt> attempt_;
};

}  // namespace framewall::event
