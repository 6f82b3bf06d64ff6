#include "backend/llm/meter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "backend/llm/fault.h"
#include "proxy/base/clock.h"

namespace framewall::backend::llm {
namespace {

constexpr int64_t kMinute = 60'000;
constexpr int64_t kDay = 86'400'000;
// Accounts above this many are looked through for those that have nothing left to remember.
constexpr size_t kManyAccounts = 4096;

// What happened in the current minute, and how much of the one before still counts.
class Minute {
 public:
  void Add(int64_t now, int64_t count) {
    Turn(now);
    current_ += count;
  }
  // In the minute up to now, as if what came before had come evenly.
  int64_t Sum(int64_t now) {
    Turn(now);
    return current_ + before_ * (kMinute - now % kMinute) / kMinute;
  }

 private:
  void Turn(int64_t now) {
    const int64_t number = now / kMinute;
    if (number == number_) return;
    before_ = number == number_ + 1 ? current_ : 0;
    current_ = 0;
    number_ = number;
  }
  int64_t number_ = 0;
  int64_t current_ = 0;
  int64_t before_ = 0;
};

class Day {
 public:
  void Add(int64_t now, int64_t count) {
    Turn(now);
    sum_ += count;
  }
  int64_t Sum(int64_t now) {
    Turn(now);
    return sum_;
  }

 private:
  void Turn(int64_t now) {
    if (now / kDay == number_) return;
    number_ = now / kDay;
    sum_ = 0;
  }
  int64_t number_ = 0;
  int64_t sum_ = 0;
};

struct Account {
  Minute minute_requests, minute_tokens;
  Day day_requests, day_tokens;
  int64_t at_once = 0;
  int64_t last_used = 0;

  bool IsIdle(int64_t now) const { return at_once == 0 && now / kDay != last_used / kDay; }
};

int SecondsLeft(int64_t now, int64_t window) {
  return static_cast<int>((window - now % window + 999) / 1000);
}

std::optional<Problem> Refusal(Account& account, const MeterLimits& limits, int64_t now) {
  const auto full = [](int64_t limit, int64_t used) { return limit > 0 && used >= limit; };
  if (full(limits.requests_per_day, account.day_requests.Sum(now))) {
    return Fault(429, "requests_per_day",
                 fmt::format("Your {} requests of today are used up.", limits.requests_per_day),
                 SecondsLeft(now, kDay));
  }
  if (full(limits.tokens_per_day, account.day_tokens.Sum(now))) {
    return Fault(429, "token_budget_exceeded",
                 fmt::format("Your {} tokens of today are used up.", limits.tokens_per_day),
                 SecondsLeft(now, kDay));
  }
  if (full(limits.concurrent, account.at_once)) {
    return Fault(429, "concurrent_requests",
                 fmt::format("Your {} requests at once are under way.", limits.concurrent), 1);
  }
  if (full(limits.requests_per_minute, account.minute_requests.Sum(now))) {
    return Fault(
        429, "requests_per_minute",
        fmt::format("At most {} requests in a minute are allowed.", limits.requests_per_minute),
        SecondsLeft(now, kMinute));
  }
  if (full(limits.tokens_per_minute, account.minute_tokens.Sum(now))) {
    return Fault(
        429, "tokens_per_minute",
        fmt::format("At most {} tokens in a minute are allowed.", limits.tokens_per_minute),
        SecondsLeft(now, kMinute));
  }
  return std::nullopt;
}

class LocalMeter final : public Meter {
 public:
  LocalMeter(const MeterLimits& of_user, const MeterLimits& of_key)
      : of_user_(of_user), of_key_(of_key) {}

  void Enter(const Payer& payer, std::function<void(const Problem*)> done) override {
    const int64_t now = CachedNow().unix_milliseconds;
    std::optional<Problem> refusal;
    ForEach(payer, [&](Account& account, const MeterLimits& limits) {
      if (!refusal.has_value()) refusal = Refusal(account, limits, now);
    });
    if (refusal.has_value()) return done(&*refusal);
    ForEach(payer, [&](Account& account, const MeterLimits&) {
      account.minute_requests.Add(now, 1);
      account.day_requests.Add(now, 1);
      ++account.at_once;
      account.last_used = now;
    });
    ForgetIdle(now);
    done(nullptr);
  }

  void Leave(const Payer& payer) override {
    ForEach(payer, [](Account& account, const MeterLimits&) { --account.at_once; });
  }

  bool Spend(const Payer& payer, int64_t tokens) override {
    const int64_t now = CachedNow().unix_milliseconds;
    bool within = true;
    ForEach(payer, [&](Account& account, const MeterLimits& limits) {
      account.minute_tokens.Add(now, tokens);
      account.day_tokens.Add(now, tokens);
      const auto over = [](int64_t limit, int64_t used) { return limit > 0 && used > limit; };
      within = within && !over(limits.tokens_per_minute, account.minute_tokens.Sum(now)) &&
               !over(limits.tokens_per_day, account.day_tokens.Sum(now));
    });
    return within;
  }

 private:
  template <class Use>
  void ForEach(const Payer& payer, Use use) {
    if (!payer.user.empty()) use(accounts_["u" + payer.user], of_user_);
    if (!payer.key.empty()) use(accounts_["k" + payer.key], of_key_);
  }

  void ForgetIdle(int64_t now) {
    if (accounts_.size() < forget_at_) return;
    std::erase_if(accounts_, [now](const auto& entry) { return entry.second.IsIdle(now); });
    forget_at_ = std::max(kManyAccounts, 2 * accounts_.size());
  }

  const MeterLimits of_user_;
  const MeterLimits of_key_;
  std::unordered_map<std::string, Account> accounts_;
  size_t forget_at_ = kManyAccounts;
};

}  // namespace

std::unique_ptr<Meter> MakeLocalMeter(const MeterLimits& of_user, const MeterLimits& of_key) {
  return std::make_unique<LocalMeter>(of_user, of_key);
}

}  // namespace framewall::backend::llm
