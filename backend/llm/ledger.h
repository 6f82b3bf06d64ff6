// What users and keys have used of their budgets, as this process knows it; and whether more fits.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "backend/base/problem.h"
#include "backend/llm/bucket.h"
#include "backend/llm/provider.h"

namespace framewall::backend::llm {

// 0: as many as one likes. What comes in a minute or a day may come at once, and comes back evenly.
struct MeterLimits {
  int64_t requests_per_minute = 0;
  int64_t tokens_per_minute = 0;
  int64_t requests_per_day = 0;
  int64_t tokens_per_day = 0;
  int64_t concurrent = 0;
};

struct BudgetKind {
  std::string_view name;  // as settings call it
  std::string_view code;  // of a refusal
  int64_t MeterLimits::*limit;
  int64_t period;
  bool counts_tokens;
};
inline constexpr std::array<BudgetKind, 4> kBudgetKinds = {{
    {"requests_per_minute", "requests_per_minute", &MeterLimits::requests_per_minute,
     kMinuteMicroseconds, false},
    {"tokens_per_minute", "tokens_per_minute", &MeterLimits::tokens_per_minute, kMinuteMicroseconds,
     true},
    {"requests_per_day", "requests_per_day", &MeterLimits::requests_per_day, kDayMicroseconds,
     false},
    {"tokens_per_day", "token_budget_exceeded", &MeterLimits::tokens_per_day, kDayMicroseconds,
     true},
}};

struct Budget {
  Rate rate;
  Bucket bucket;
  // Towards Redis, where there is one:
  int64_t unsent = 0;     // units that it has not been told of; negative: given back
  int64_t in_flight = 0;  // microseconds that it has been told of without having answered
};

struct Account {
  std::string name;  // "u" or "k", and the id
  int64_t limit_at_once = 0;
  int64_t at_once = 0;
  std::array<Budget, kBudgetKinds.size()> budgets;  // in the order of kBudgetKinds
  int held = 0;                                     // not to be forgotten while above 0
  bool is_dirty = false;                            // has something unsent
};

// The clock of buckets: the cached steady one, microseconds.
int64_t BudgetNow();

// What is refused, and for how long. `wait`: microseconds until it fits, of tokens without room for
// an answer; negative: for ever, as it is more than the budget.
Problem BudgetRefusal(const BudgetKind& kind, int64_t limit, int64_t wait);

class Ledger {
 public:
  Ledger(const MeterLimits& of_user, const MeterLimits& of_key)
      : of_user_(of_user), of_key_(of_key) {}

  // The user's account, then the key's. They stay where they are while something is at once or
  // held.
  template <class Use>
  void ForEach(const Payer& payer, Use use) {
    if (!payer.user.empty()) use(Find(users_, 'u', payer.user, of_user_));
    if (!payer.key.empty()) use(Find(keys_, 'k', payer.key, of_key_));
  }

  // No place for one more at once, or a prompt that is more than a whole budget.
  std::optional<Problem> Impossible(const Payer& payer, int64_t prompt_tokens);
  // A budget without room for one request and the prompt; the one that makes wait longest.
  std::optional<Problem> Refusal(const Payer& payer, int64_t prompt_tokens);
  void Begin(const Payer& payer);  // one more at once
  void End(const Payer& payer);
  void Count(const Payer& payer, int64_t prompt_tokens);  // what Refusal asked for
  // False: a budget of tokens is over.
  bool Spend(const Payer& payer, int64_t tokens);
  // What the user had used of the day before the process began.
  void Restore(const std::string& user, int64_t requests, int64_t tokens);

 private:
  using Accounts = std::unordered_map<std::string, Account>;
  static constexpr size_t kManyAccounts = 4096;

  Account& Find(Accounts& accounts, char letter, const std::string& id, const MeterLimits& limits);
  void ForgetIdle(Accounts& accounts, size_t& at);

  const MeterLimits of_user_;
  const MeterLimits of_key_;
  Accounts users_, keys_;
  // Accounts above so many are looked through for those that have nothing left to remember.
  size_t forget_users_at_ = kManyAccounts;
  size_t forget_keys_at_ = kManyAccounts;
};

// Of one request with such a prompt.
inline int64_t UnitsOf(const BudgetKind& kind, int64_t prompt_tokens) {
  return kind.counts_tokens ? std::max<int64_t>(prompt_tokens, 1) : 1;
}

}  // namespace framewall::backend::llm
