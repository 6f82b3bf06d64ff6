// A token bucket: `per_second` in the long run, `burst` at once.
#pragma once

#include <algorithm>
#include <chrono>

#include "proxy/base/clock.h"

namespace framewall::backend::chat {

class Rate {
 public:
  // Requires: burst >= 1.
  Rate(double per_second, double burst)
      : per_second_(per_second), burst_(burst), left_(burst), at_(CachedNow().steady) {}

  // One more: false where it is too much, which costs nothing.
  bool Take() {
    const SteadyTime now = CachedNow().steady;
    const std::chrono::duration<double> passed = now - at_;
    at_ = now;
    left_ = std::min(burst_, left_ + passed.count() * per_second_);
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
  }

 private:
  double per_second_;
  double burst_;
  double left_;
  SteadyTime at_;
};

}  // namespace framewall::backend::chat
