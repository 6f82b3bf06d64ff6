#include "backend/auth/key_plan.h"

#include <algorithm>

#include "proxy/base/check.h"

namespace framewall::backend::auth {
namespace {

constexpr int64_t kDay = 86'400'000;
// Clocks of those who verify may be behind.
constexpr int64_t kSlack = 60'000;

}  // namespace

KeyPolicy KeyPolicy::Of(int64_t days, int64_t token_seconds) {
  const int64_t period = std::max<int64_t>(days, 1) * kDay;
  return {.period = period, .ahead = std::min(kDay, period / 4), .token = token_seconds * 1000};
}

KeyPlan PlanKeys(std::span<const int64_t> made, int64_t now, const KeyPolicy& policy) {
  FW_CHECK(!made.empty());
  // The oldest there is has nobody to wait for.
  const auto signs_from = [&](size_t key) { return key == 0 ? made[0] : made[key] + policy.ahead; };
  KeyPlan plan;
  for (size_t key = 1; key < made.size(); ++key) {
    if (signs_from(key) <= now) plan.signer = key;
  }
  for (size_t key = 0; key < plan.signer; ++key) {
    if (signs_from(key + 1) + policy.token + kSlack < now) plan.obsolete = key + 1;
  }
  plan.make_new = made.back() + policy.period - policy.ahead <= now;
  return plan;
}

}  // namespace framewall::backend::auth
