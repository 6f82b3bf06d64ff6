// What an exchange, its variables and its filters may know of the connection it came over.
#pragma once

#include <cstdint>
#include <string>

#include "proxy/base/address.h"
#include "proxy/base/clock.h"

namespace framewall::event {
class TlsInfo;
}

namespace framewall::exchange {

// What the PROXY protocol header said, where `listen … proxy_protocol` is on.
struct ProxyProtocolInfo {
  bool present = false;
  SocketAddress source;
  SocketAddress destination;
};

struct ConnectionInfo {
  uint64_t number = 0;  // $connection; unique in this worker's life, over all workers with the pid
  SocketAddress peer;   // as the kernel says
  SocketAddress local;
  uint64_t requests = 0;  // $connection_requests
  SteadyTime accepted{};  // $connection_time
  bool http2 = false;
  const event::TlsInfo* tls = nullptr;
  ProxyProtocolInfo proxy_protocol;
};

}  // namespace framewall::exchange
