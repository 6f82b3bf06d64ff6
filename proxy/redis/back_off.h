// Growing pauses with jitter, so that many workers do not knock together.
#pragma once

#include <chrono>
#include <random>

namespace framewall::redis {

class BackOff {
 public:
  // Requires: 0 < first <= last.
  BackOff(std::chrono::milliseconds first, std::chrono::milliseconds last);
  // The next pause: between half of the step and the step, which then doubles.
  std::chrono::milliseconds Next();
  void Reset() { step_ = first_; }

 private:
  const std::chrono::milliseconds first_;
  const std::chrono::milliseconds last_;
  std::chrono::milliseconds step_;
  std::minstd_rand random_;
};

}  // namespace framewall::redis
