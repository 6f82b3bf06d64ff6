#include "backend/llm/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include "backend/llm/fault.h"
#include "proxy/base/clock.h"

namespace framewall::backend::llm {
namespace {

// Of a budget of tokens: whoever comes back when told has that much for the answer, so that it is
// not cut behind its first words.
constexpr int64_t kShareOfAnAnswer = 10;

int Seconds(int64_t microseconds) {
  const int64_t seconds = (microseconds + 999'999) / 1'000'000;
  return static_cast<int>(std::clamp<int64_t>(seconds, 1, std::numeric_limits<int>::max()));
}

}  // namespace

int64_t BudgetNow() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             CachedNow().steady.time_since_epoch())
      .count();
}

Problem BudgetRefusal(const BudgetKind& kind, int64_t limit, int64_t wait) {
  const std::string_view unit = kind.counts_tokens ? "tokens" : "requests";
  const std::string_view period = kind.period == kDayMicroseconds ? "day" : "minute";
  if (wait < 0) {
    return Fault(
        429, std::string(kind.code),
        fmt::format("The prompt alone is more than your {} tokens for a {}.", limit, period));
  }
  if (kind.counts_tokens) wait = std::min(wait + kind.period / kShareOfAnAnswer, kind.period);
  return Fault(429, std::string(kind.code),
               fmt::format("Your {} {} for a {} are used up.", limit, unit, period), Seconds(wait));
}

Account& Ledger::Find(Accounts& accounts, char letter, const std::string& id,
                      const MeterLimits& limits) {
  const auto [at, is_new] = accounts.try_emplace(id);
  Account& account = at->second;
  if (is_new) {
    account.name = letter + id;
    account.limit_at_once = limits.concurrent;
    for (size_t i = 0; i < kBudgetKinds.size(); ++i) {
      account.budgets[i].rate = {limits.*kBudgetKinds[i].limit, kBudgetKinds[i].period};
    }
  }
  return account;
}

std::optional<Problem> Ledger::Impossible(const Payer& payer, int64_t prompt_tokens) {
  std::optional<Problem> problem;
  ForEach(payer, [&](const Account& account) {
    for (size_t i = 0; i < kBudgetKinds.size() && !problem; ++i) {
      const int64_t limit = account.budgets[i].rate.limit;
      if (limit > 0 && UnitsOf(kBudgetKinds[i], prompt_tokens) > limit) {
        problem = BudgetRefusal(kBudgetKinds[i], limit, -1);
      }
    }
    if (!problem && account.limit_at_once > 0 && account.at_once >= account.limit_at_once) {
      problem =
          Fault(429, "concurrent_requests",
                fmt::format("Your {} requests at once are under way.", account.limit_at_once), 1);
    }
  });
  return problem;
}

std::optional<Problem> Ledger::Refusal(const Payer& payer, int64_t prompt_tokens) {
  const int64_t now = BudgetNow();
  std::optional<Problem> problem;
  ForEach(payer, [&](const Account& account) {
    for (size_t i = 0; i < kBudgetKinds.size(); ++i) {
      const Budget& budget = account.budgets[i];
      const int64_t cost = budget.rate.Cost(UnitsOf(kBudgetKinds[i], prompt_tokens));
      const int64_t wait = budget.bucket.Level(now) + cost - budget.rate.period;
      if (budget.rate.limit == 0 || wait <= 0) continue;
      Problem one = BudgetRefusal(kBudgetKinds[i], budget.rate.limit, wait);
      if (!problem || one.retry_after > problem->retry_after) problem = std::move(one);
    }
  });
  return problem;
}

void Ledger::Begin(const Payer& payer) {
  ForEach(payer, [](Account& account) { ++account.at_once; });
  ForgetIdle(users_, forget_users_at_);
  ForgetIdle(keys_, forget_keys_at_);
}

void Ledger::End(const Payer& payer) {
  ForEach(payer, [](Account& account) { --account.at_once; });
}

void Ledger::Count(const Payer& payer, int64_t prompt_tokens) {
  const int64_t now = BudgetNow();
  ForEach(payer, [&](Account& account) {
    for (size_t i = 0; i < kBudgetKinds.size(); ++i) {
      Budget& budget = account.budgets[i];
      budget.bucket.Add(now, budget.rate.Cost(UnitsOf(kBudgetKinds[i], prompt_tokens)));
    }
  });
}

bool Ledger::Spend(const Payer& payer, int64_t tokens) {
  const int64_t now = BudgetNow();
  bool within = true;
  ForEach(payer, [&](Account& account) {
    for (size_t i = 0; i < kBudgetKinds.size(); ++i) {
      Budget& budget = account.budgets[i];
      if (!kBudgetKinds[i].counts_tokens || budget.rate.limit == 0) continue;
      budget.bucket.Add(now, budget.rate.Cost(tokens));
      within = within && budget.bucket.Level(now) <= budget.rate.period;
    }
  });
  return within;
}

void Ledger::Restore(const std::string& user, int64_t requests, int64_t tokens) {
  const int64_t now = BudgetNow();
  Account& account = Find(users_, 'u', user, of_user_);
  for (size_t i = 0; i < kBudgetKinds.size(); ++i) {
    const BudgetKind& kind = kBudgetKinds[i];
    Budget& budget = account.budgets[i];
    if (kind.period != kDayMicroseconds) continue;
    const int64_t level = budget.rate.Cost(kind.counts_tokens ? tokens : requests);
    if (level > budget.bucket.Level(now)) budget.bucket.Set(now, level);
  }
}

void Ledger::ForgetIdle(Accounts& accounts, size_t& at) {
  if (accounts.size() < at) return;
  const int64_t now = BudgetNow();
  std::erase_if(accounts, [now](const auto& entry) {
    const Account& account = entry.second;
    return account.at_once == 0 && account.held == 0 &&
           std::all_of(account.budgets.begin(), account.budgets.end(),
                       [now](const Budget& budget) { return budget.bucket.Level(now) == 0; });
  });
  at = std::max(kManyAccounts, 2 * accounts.size());
}

}  // namespace framewall::backend::llm
