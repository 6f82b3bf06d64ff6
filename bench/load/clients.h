// Clients of a WebSocket echo: each says a message, waits for the same to come back, and says it
// again. What comes back is compared octet by octet.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace framewall::load {

struct LoadOptions {
  uint16_t port = 0;
  size_t connections = 32;
  size_t size = 126;  // octets of a message
  std::chrono::seconds duration{5};
};

struct LoadResult {
  uint64_t round_trips = 0;
  std::chrono::duration<double> elapsed{};
  // Of a round trip.
  std::chrono::microseconds median{};
  std::chrono::microseconds slowest_percent{};  // 99 of 100 were faster
};

// A chat message in JSON of exactly `size` octets.
std::string MakeMessage(size_t size);

LoadResult RunLoad(const LoadOptions& options);
// Opens the connections, lets each echo one message, says "ready" on standard output and holds them
// until standard input ends.
void HoldIdle(const LoadOptions& options);

}  // namespace framewall::load
