// Who may ask a model now: requests and tokens per minute and day, and requests at once, for each
// user and for each of a user's keys.
//
// Kept in this process; several instances will share them through the gateway's Redis script behind
// the same interface, which is why Enter answers by a call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "backend/base/problem.h"
#include "backend/llm/provider.h"

namespace framewall::backend::llm {

// 0: as many as one likes.
struct MeterLimits {
  int64_t requests_per_minute = 0;
  int64_t tokens_per_minute = 0;
  int64_t requests_per_day = 0;  // of UTC
  int64_t tokens_per_day = 0;
  int64_t concurrent = 0;
};

class Meter {
 public:
  virtual ~Meter() = default;
  // `done` is called once, at once or later: without a problem the request is in, is counted, and
  // Leave has to be called. 429 with its wait; x-should-retry follows from that.
  virtual void Enter(const Payer& payer, std::function<void(const Problem*)> done) = 0;
  virtual void Leave(const Payer& payer) = 0;
  // Counts tokens, which may be fewer than were counted before (negative). False: a budget of
  // tokens has come to its end.
  virtual bool Spend(const Payer& payer, int64_t tokens) = 0;
};

// With the cached clock.
std::unique_ptr<Meter> MakeLocalMeter(const MeterLimits& of_user, const MeterLimits& of_key);

}  // namespace framewall::backend::llm
