#include "waf/deadline.h"

#include <cstddef>
#include <ctime>
#include <memory>

#include "waf/library.h"
#include "waf/step.h"

namespace framewall::waf {
namespace {

std::chrono::nanoseconds ThreadTime() {
  std::timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

class LookAtTheClock : public Step {
 public:
  using Step::Step;
  bool evaluate(lib::Transaction* transaction) override {
    auto& noted = static_cast<NotedTransaction&>(*transaction);
    if (noted.deadline == nullptr || !noted.deadline->Passed()) return true;
    noted.overrun = true;
    noted.m_it.disruptive = 1;  // ends the phase; Transaction::State::Outcome knows better
    return true;
  }
};

// `skip:N` counts what comes after it, so nothing may come between.
bool Skips(const lib::Rule& rule) {
  const auto* with_actions = dynamic_cast<const lib::RuleWithActions*>(&rule);
  if (with_actions == nullptr) return false;
  for (const auto* action : RuntimeActionsOf(const_cast<lib::RuleWithActions&>(*with_actions))) {
    if (*action->m_name == "skip") return true;
  }
  return false;
}

}  // namespace

Deadline::Deadline(std::chrono::nanoseconds from_now)
    : wall_(std::chrono::steady_clock::now() + from_now), thread_(ThreadTime() + from_now) {}

bool Deadline::Passed() const {
  return std::chrono::steady_clock::now() >= wall_ && ThreadTime() >= thread_;
}

void ArmDeadlines(lib::RulesSet& rules) {
  for (int phase = 0; phase < lib::Phases::NUMBER_OF_PHASES; ++phase) {
    // What phase 5 does must be done.
    if (phase == lib::Phases::LoggingPhase) continue;
    auto& list = rules.m_rulesSetPhases.at(phase)->m_rules;
    int since = 0;
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (Skips(*list[i])) break;  // the rest of the phase goes without
      if (++since < kRulesBetweenLooks) continue;
      since = 0;
      ++i;
      list.insert(list.begin() + static_cast<std::ptrdiff_t>(i),
                  std::make_shared<LookAtTheClock>(*list[i - 1]));
    }
  }
}

}  // namespace framewall::waf
