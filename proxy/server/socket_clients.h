// What the sockets of one client address do together in a worker: messages per second, and memory
// that unfinished messages hold.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

#include "proxy/base/address.h"
#include "proxy/server/token_bucket.h"

namespace framewall::server {

struct SocketClient {
  uint64_t sockets = 0;
  uint64_t held = 0;  // octets of unfinished messages
  TokenBucket messages;
};

class SocketClients {
 public:
  // Counts one more socket of that address; the entry stays where it is until Leave.
  SocketClient& Enter(const SocketAddress& address);
  // The last socket's entry is kept a while, so that a new connection does not start with a full
  // bucket.
  void Leave(const SocketAddress& address, SteadyTime now);

  uint64_t held = 0;         // of all clients of this worker
  std::string spare_buffer;  // of the socket that reads
  size_t size() const { return clients_.size(); }

 private:
  struct Leaving {
    std::string key;
    SteadyTime at;
  };
  void Sweep(SteadyTime now);

  std::unordered_map<std::string, SocketClient> clients_;
  std::deque<Leaving> leaving_;  // oldest first
};

}  // namespace framewall::server
