// Budgets that several backends share in a Redis, through the script that the gateway's limit_req
// uses (redis/bucket_script).
//
//   Enter   asks for each budget of the user and of the key, all at once; where one refuses, the
//           others are given back what they counted
//   Spend   answers at once, from what this process knows: the level that Redis told last, and what
//           it has not told Redis yet; which it does every kStep
//
// So a stream is cut exactly where its own process sees the end, and late by what the others spent
// since their last step. Requests at once are each process's own.
//
// Keys are "budget:" KIND ":" and "u" or "k" with the id, behind the prefix; each lives until its
// budget is whole again.
#pragma once

#include <chrono>
#include <memory>

#include "backend/llm/meter.h"
#include "proxy/event/loop.h"
#include "proxy/redis/client.h"

namespace framewall::backend::llm {

inline constexpr std::chrono::milliseconds kStep{100};

// While Redis does not answer: what this process knows decides; everybody is let in; nobody is
// (503, budget_unavailable). Streams under way go on in any case, by what this process knows.
enum class WhenDown : uint8_t { kLocal, kPass, kRefuse };

// `loop` and `redis` outlive it. Nobody waits longer than the deadline of `redis`.
std::unique_ptr<Meter> MakeSharedMeter(event::EventLoop& loop, redis::Client& redis,
                                       const MeterLimits& of_user, const MeterLimits& of_key,
                                       WhenDown when_down);

}  // namespace framewall::backend::llm
