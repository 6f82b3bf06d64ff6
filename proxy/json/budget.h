// What one validation may cost. A step is about 100 ns: one value against one keyword.
#pragma once

#include <cstdint>

namespace framewall::json {

class Budget {
 public:
  explicit Budget(uint64_t steps) : left_(steps) {}

  // False once more was asked for than there was; it stays false.
  bool Take(uint64_t steps = 1) {
    if (steps > left_) spent_ = true;
    if (spent_) return false;
    left_ -= steps;
    return true;
  }
  void Exhaust() { spent_ = true; }
  bool spent() const { return spent_; }
  uint64_t left() const { return left_; }

 private:
  uint64_t left_;
  bool spent_ = false;
};

}  // namespace framewall::json
