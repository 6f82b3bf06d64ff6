// The time that one inspection may take, looked at between rules. What a payload
// costs can be estimated (waf/message.h), but not for these rules on this
// machine, nor for a payload that somebody made to be costly.
#pragma once

#include <chrono>

namespace modsecurity {
class RulesSet;
}

namespace framewall::waf {

class Deadline {
 public:
  // Counts the time of this thread: a worker that waited for others refuses nothing for it.
  explicit Deadline(std::chrono::nanoseconds from_now);
  bool Passed() const;

 private:
  // The thread's time is a system call, asked for only when the clock on the wall says so.
  std::chrono::steady_clock::time_point wall_;
  std::chrono::nanoseconds thread_;
};

// Makes rules look at the clock, every kRulesBetweenLooks of them: a phase ends there for a
// transaction whose NotedTransaction::deadline has passed.
constexpr int kRulesBetweenLooks = 16;
void ArmDeadlines(modsecurity::RulesSet& rules);

}  // namespace framewall::waf
