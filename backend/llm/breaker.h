// The breaker of one provider: whether it is worth being asked.
//
//   closed ──failures in a row──► open ──pause──► half-open: one asks for all ──► closed, or open
//
// Redis has one of its own, which knows no time: there somebody asks the server between. A provider
// is asked nothing that nobody wants to know.
#pragma once

#include <chrono>

#include "proxy/base/clock.h"

namespace framewall::backend::llm {

class Breaker {
 public:
  Breaker(int failures, std::chrono::milliseconds pause) : limit_(failures), pause_(pause) {}

  // May it be asked now? After its pause the first that may is the trial, and the only one.
  bool Admit(SteadyTime now);
  // What became of one that was admitted.
  void Succeeded();
  void Failed(SteadyTime now);
  // Nothing is known: cancelled.
  void Undecided() { trial_under_way_ = false; }

  bool open() const { return failures_ >= limit_; }
  // Until it may be asked again; 0 where it may.
  std::chrono::milliseconds left(SteadyTime now) const;

 private:
  const int limit_;
  const std::chrono::milliseconds pause_;
  int failures_ = 0;
  bool trial_under_way_ = false;
  SteadyTime opened_{};
};

}  // namespace framewall::backend::llm
