// A question to the disk whose asker does not wait as long as a disk may hang: /ready is asked
// again and again, and each question would hold a call and a place in the writer's queue.
//
//   idle ─► asked (whoever comes now shares the answer) ─► told, idle
//                     │ `patience` is over: all are told so
//                     └─► late (whoever comes now is told so at once) ─► the answer comes: idle
#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/event/loop.h"
#include "proxy/event/timer.h"

namespace framewall::backend::store {

inline constexpr std::chrono::milliseconds kProbePatience{3000};

class TimelyProbe {
 public:
  using Done = std::function<void(Status)>;
  // Calls back once, on the loop. There is never more than one of them under way.
  using Question = std::function<void(Done)>;

  // Outlives the answer of `question`.
  TimelyProbe(event::EventLoop& loop, Question question,
              std::chrono::milliseconds patience = kProbePatience);

  // `done` gets the answer, or kTimeout where there is none yet.
  void Ask(Done done);

 private:
  enum class State { kIdle, kAsked, kLate };

  void OnAnswer(const Status& answer);
  void OnLate();
  Error Late() const;
  void Tell(const Status& status);

  const Question question_;
  const std::chrono::milliseconds patience_;
  State state_ = State::kIdle;
  std::vector<Done> waiting_;
  event::Timer timer_;
};

}  // namespace framewall::backend::store
