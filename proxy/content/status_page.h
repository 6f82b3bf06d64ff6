// stub_status and empty_gif: small answers made on the spot.
#pragma once

#include <cstdint>

#include "proxy/exchange/exchange.h"

namespace framewall::content {

// Sums over all workers, as nginx's stub_status shows them.
struct ConnectionTotals {
  uint64_t active = 0;
  uint64_t accepted = 0;
  uint64_t handled = 0;
  uint64_t requests = 0;
  uint64_t reading = 0;
  uint64_t writing = 0;
  uint64_t waiting = 0;
};
void SendStubStatus(exchange::Exchange& exchange, const ConnectionTotals& totals);
void SendEmptyGif(exchange::Exchange& exchange);

}  // namespace framewall::content
