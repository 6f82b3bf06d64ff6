// The breaker of one Redis: whether a command is worth trying. Knows no time and no Redis; its
// owner asks the server after each pause (client.h draws the states).
#pragma once

#include "proxy/redis/client.h"

namespace framewall::redis {

class Breaker {
 public:
  explicit Breaker(int failures) : limit_(failures) {}

  BreakerState state() const { return state_; }
  bool available() const {
    return state_ == BreakerState::kClosed ||
           (state_ == BreakerState::kHalfOpen && !trial_under_way_);
  }
  // May this command go? In half-open the one that may is the trial.
  enum class Admission { kYes, kTrial, kNo };
  Admission Admit();

  // What became of a command that was admitted; true where the state changed by it.
  bool Succeeded(bool was_trial);
  bool Failed(bool was_trial);
  // Its owner cancelled it: nothing is known.
  void Undecided(bool was_trial);
  // The server answered the owner's own question: open becomes half-open.
  void Answered();

 private:
  const int limit_;
  BreakerState state_ = BreakerState::kClosed;
  int failures_ = 0;
  bool trial_under_way_ = false;
};

}  // namespace framewall::redis
