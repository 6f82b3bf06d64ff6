// What happened with one upstream attempt: $upstream_* variables, logs and metrics read it.
#pragma once

#include <cstdint>
#include <string>

namespace framewall::exchange {

struct UpstreamRecord {
  std::string address;      // "127.0.0.1:8081", "unix:/x", or the upstream's name if none lived
  int status = 0;           // 0: none was received
  int64_t connect_ms = -1;  // -1: not reached
  int64_t header_ms = -1;
  int64_t response_ms = -1;
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
  uint64_t response_length = 0;    // body octets
  bool internal_redirect = false;  // a later group began: separated by " : " instead of ", "
};

}  // namespace framewall::exchange
