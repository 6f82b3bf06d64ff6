// Who may ask a model now: requests and tokens per minute and day, and requests at once, for each
// user and for each of a user's keys.
//
// MakeLocalMeter keeps them in this process; MakeSharedMeter (shared_meter.h) in a Redis.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "backend/base/problem.h"
#include "backend/llm/ledger.h"
#include "backend/llm/provider.h"

namespace framewall::backend::llm {

class Meter {
 public:
  virtual ~Meter() = default;
  // `done` is called once, at once or later: without a problem the request is in, it and its prompt
  // are counted, and Leave has to be called. 429 with its wait; x-should-retry follows from that.
  virtual void Enter(const Payer& payer, int64_t prompt_tokens,
                     std::function<void(const Problem*)> done) = 0;
  virtual void Leave(const Payer& payer) = 0;
  // Counts tokens, which may be fewer than were counted before (negative). False: a budget of
  // tokens has come to its end.
  virtual bool Spend(const Payer& payer, int64_t tokens) = 0;
  // At the start: what a user had used of the day before.
  virtual void Restore(const std::string& user, int64_t requests, int64_t tokens) = 0;
  // Requests that were decided without the Redis that should have been asked.
  virtual uint64_t decided_alone() const { return 0; }
};

// With the cached clock.
std::unique_ptr<Meter> MakeLocalMeter(const MeterLimits& of_user, const MeterLimits& of_key);

}  // namespace framewall::backend::llm
