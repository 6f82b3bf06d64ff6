// A budget that may be spent at once and comes back evenly: so many units in a period. The state is
// how far spending is ahead of the clock (GCRA), as the gateway's script keeps it in Redis.
#pragma once

#include <algorithm>
#include <cstdint>

namespace framewall::backend::llm {

inline constexpr int64_t kMinuteMicroseconds = 60'000'000;
inline constexpr int64_t kDayMicroseconds = 86'400'000'000;

struct Rate {
  int64_t limit = 0;   // units; 0: as many as one likes
  int64_t period = 0;  // microseconds

  // What `units` take, in microseconds rounded down, never nothing for something and never more
  // than all. Negative units are given back.
  int64_t Cost(int64_t units) const {
    if (limit == 0 || units == 0) return 0;
    const int64_t count = std::min(units < 0 ? -units : units, limit);
    // The product has up to 77 bits.
    const auto cost =
        static_cast<int64_t>(static_cast<long double>(count) * static_cast<long double>(period) /
                             static_cast<long double>(limit));
    return (units < 0 ? -1 : 1) * std::max<int64_t>(cost, 1);
  }
};

// By a clock of the caller's, microseconds.
class Bucket {
 public:
  // 0: nothing is used; Rate::period: all is.
  int64_t Level(int64_t now) const { return std::max<int64_t>(arrival_ - now, 0); }
  void Set(int64_t now, int64_t level) { arrival_ = now + level; }
  void Add(int64_t now, int64_t cost) { Set(now, std::max<int64_t>(Level(now) + cost, 0)); }

 private:
  int64_t arrival_ = 0;
};

}  // namespace framewall::backend::llm
