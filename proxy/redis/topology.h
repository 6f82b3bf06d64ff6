// What a Cluster says of itself: CLUSTER SLOTS, MOVED and ASK. Pure; whatever comes is refused or
// lies within limits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/redis/reply.h"

namespace framewall::redis {

// Slots first to last, both inclusive, and their master.
struct SlotRange {
  int first = 0;
  int last = 0;
  std::string host;  // empty: the host that was asked
  uint16_t port = 0;
  bool operator==(const SlotRange&) const = default;
};

// The reply to CLUSTER SLOTS, at least one range. Replicas are left out: limits write.
Result<std::vector<SlotRange>> ParseClusterSlots(const Reply& reply);

// "MOVED 3999 127.0.0.1:6381", "ASK 3999 ::1:6381"; the host may be empty (the one that was asked).
struct Redirection {
  bool is_ask = false;
  int slot = 0;
  std::string host;
  uint16_t port = 0;
};
std::optional<Redirection> ParseRedirection(std::string_view error);

}  // namespace framewall::redis
