#include "proxy/redis/back_off.h"

#include <algorithm>

#include "proxy/base/digest.h"

namespace framewall::redis {

BackOff::BackOff(std::chrono::milliseconds first, std::chrono::milliseconds last)
    : first_(std::max(first, std::chrono::milliseconds(1))),
      last_(std::max(first_, last)),
      step_(first_) {
  uint32_t seed = 0;
  FillRandom(reinterpret_cast<char*>(&seed), sizeof seed);
  random_.seed(seed);
}

std::chrono::milliseconds BackOff::Next() {
  const auto step = step_;
  step_ = std::min(step_ * 2, last_);
  std::uniform_int_distribution<int64_t> pause(std::max<int64_t>(step.count() / 2, 1),
                                               step.count());
  return std::chrono::milliseconds(pause(random_));
}

}  // namespace framewall::redis
