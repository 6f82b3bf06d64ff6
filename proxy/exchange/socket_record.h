// What became of a WebSocket, for its line in the access log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace framewall::exchange {

struct SocketRecord {
  struct Flow {
    uint64_t messages = 0;  // that passed
    uint64_t octets = 0;    // of their payload, inflated
    uint64_t wire_octets = 0;
  };
  Flow from_client;
  Flow from_upstream;
  uint64_t refused = 0;  // messages of either side that the rules or a policy refused
  // Of the first Close, whoever sent it: 1005 without a code, 1006 without a Close; 0: still open.
  uint16_t close_code = 0;
  std::string_view closed_by;  // "client", "upstream" or "gateway"
  std::string reason;          // the peer's words or ours
};

}  // namespace framewall::exchange
