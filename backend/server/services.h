// What all connections of a server share.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "backend/server/router.h"
#include "proxy/base/parse.h"
#include "proxy/event/loop.h"
#include "proxy/http/limits.h"

namespace framewall::backend::server {

class Connection;
class SocketCore;

// Told of what happens, for metrics and logs. Called from the loop.
class Observer {
 public:
  virtual ~Observer() = default;
  // A call is over. `route`: null where there was none. `gone`: the client left before the end.
  virtual void OnCall(const Call& call, const Route* route, int status, bool gone,
                      int64_t microseconds) = 0;
  virtual void OnConnections(size_t now) = 0;
  virtual void OnSockets(size_t now) = 0;
  // By the code that ends it.
  virtual void OnSocketClosed(uint16_t code) = 0;
  // Somebody was turned away because connection_limit is reached.
  virtual void OnOverload() = 0;
};

struct Limits {
  http::HeadLimits head;
  Milliseconds head_timeout{10'000};  // from a request's first octet to the end of its head
  Milliseconds body_timeout{60'000};  // for the whole of a body
  Milliseconds idle_timeout{75'000};  // between requests, and before the first
  Milliseconds send_timeout{60'000};  // without the client taking anything
  size_t connections = 10'000;        // sockets included
  bool trust_real_ip = true;          // of peers inside the machine
};

struct Services {
  event::EventLoop* loop = nullptr;
  const Router* router = nullptr;
  Authenticator* authenticator = nullptr;  // null: everybody is anonymous
  Observer* observer = nullptr;
  Limits limits;
  bool draining = false;
  // Takes it out of the house and frees it at the end of the turn.
  std::function<void(Connection*)> on_connection_over;
  std::unordered_set<std::shared_ptr<SocketCore>> sockets;
  // Tells the observer, and whoever waits for the end of the drain.
  std::function<void()> on_socket_count;
};

}  // namespace framewall::backend::server
