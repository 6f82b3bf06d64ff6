#include "backend/llm/breaker.h"

#include <algorithm>

namespace framewall::backend::llm {

bool Breaker::Admit(SteadyTime now) {
  if (!open()) return true;
  if (trial_under_way_ || now - opened_ < pause_) return false;
  trial_under_way_ = true;
  return true;
}

void Breaker::Succeeded() {
  failures_ = 0;
  trial_under_way_ = false;
}

void Breaker::Failed(SteadyTime now) {
  trial_under_way_ = false;
  if (failures_ < limit_) ++failures_;
  if (open()) opened_ = now;
}

std::chrono::milliseconds Breaker::left(SteadyTime now) const {
  if (!open()) return std::chrono::milliseconds(0);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(opened_ + pause_ - now);
  return std::max(left, std::chrono::milliseconds(0));
}

}  // namespace framewall::backend::llm
