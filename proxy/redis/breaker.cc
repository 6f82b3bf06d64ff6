#include "proxy/redis/breaker.h"

namespace framewall::redis {

Breaker::Admission Breaker::Admit() {
  if (!available()) return Admission::kNo;
  if (state_ == BreakerState::kClosed) return Admission::kYes;
  trial_under_way_ = true;
  return Admission::kTrial;
}

bool Breaker::Succeeded(bool was_trial) {
  if (state_ == BreakerState::kClosed) {
    failures_ = 0;
    return false;
  }
  // Others were sent before it opened: they tell of the past.
  if (!was_trial) return false;
  trial_under_way_ = false;
  failures_ = 0;
  state_ = BreakerState::kClosed;
  return true;
}

bool Breaker::Failed(bool was_trial) {
  if (state_ == BreakerState::kClosed) {
    if (++failures_ < limit_) return false;
  } else if (!was_trial) {
    return false;
  }
  trial_under_way_ = false;
  state_ = BreakerState::kOpen;
  return true;
}

void Breaker::Undecided(bool was_trial) {
  if (was_trial) trial_under_way_ = false;
}

void Breaker::Answered() {
  if (state_ == BreakerState::kOpen) state_ = BreakerState::kHalfOpen;
}

}  // namespace framewall::redis
