#include "backend/llm/shared_meter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backend/llm/fault.h"
#include "proxy/event/timer.h"
#include "proxy/redis/bucket_script.h"

namespace framewall::backend::llm {
namespace {

constexpr std::chrono::milliseconds kOutageStep{1000};
// Further ahead than streams that end together can bring a budget: such a state is another clock's.
constexpr int64_t kMostPeriods = 64;
constexpr int64_t kNeverRefuse = int64_t{1} << 50;  // exact in Lua

std::string KeyOf(const BudgetKind& kind, const Account& account) {
  return fmt::format("budget:{}:{}", kind.name, account.name);
}

class SharedMeter final : public Meter {
 public:
  SharedMeter(event::EventLoop& loop, redis::Client& redis, const MeterLimits& of_user,
              const MeterLimits& of_key, WhenDown when_down)
      : redis_(redis),
        when_down_(when_down),
        ledger_(of_user, of_key),
        step_(loop, [this] { Flush(); }) {}

  void Enter(const Payer& payer, int64_t prompt_tokens,
             std::function<void(const Problem*)> done) override {
    if (const auto problem = ledger_.Impossible(payer, prompt_tokens)) return done(&*problem);
    ledger_.Begin(payer);
    entrances_.emplace_front(payer, std::move(done));
    const auto entrance = entrances_.begin();
    ledger_.ForEach(payer, [&](Account& account) {
      for (size_t i = 0; i < kBudgetKinds.size(); ++i) {
        if (account.budgets[i].rate.limit == 0) continue;
        const int64_t units = UnitsOf(kBudgetKinds[i], prompt_tokens);
        entrance->questions.push_back({&account, i, units, account.budgets[i].rate.Cost(units)});
      }
    });
    for (size_t q = 0; q < entrance->questions.size(); ++q) Ask(entrance, q);
    if (entrance->waiting == 0) Conclude(entrance);
  }

  void Leave(const Payer& payer) override { ledger_.End(payer); }

  bool Spend(const Payer& payer, int64_t tokens) override {
    ledger_.ForEach(payer, [&](Account& account) {
      for (size_t i = 0; i < kBudgetKinds.size(); ++i) {
        if (kBudgetKinds[i].counts_tokens) Owe(account, i, tokens);
      }
    });
    return ledger_.Spend(payer, tokens);
  }

  void Restore(const std::string& user, int64_t requests, int64_t tokens) override {
    ledger_.Restore(user, requests, tokens);
  }

  uint64_t decided_alone() const override { return decided_alone_; }

 private:
  // One budget that a request needs.
  struct Question {
    Account* account;
    size_t kind;
    int64_t units;
    int64_t cost;
    enum class State : uint8_t {
      kUnasked,
      kAsked,
      kPassed,
      kRefused,
      kFailed
    } state = State::kUnasked;
    int64_t wait = 0;  // kRefused, microseconds
    redis::Pending pending = {};

    Budget& budget() const { return account->budgets[kind]; }
    bool is_open() const { return state == State::kUnasked || state == State::kFailed; }
  };
  struct Entrance {
    Entrance(Payer who, std::function<void(const Problem*)> then)
        : payer(std::move(who)), done(std::move(then)) {}
    const Payer payer;
    const std::function<void(const Problem*)> done;
    std::vector<Question> questions;
    size_t waiting = 0;
  };
  using Entrances = std::list<Entrance>;
  // Told to Redis, which has not answered.
  struct Charge {
    Account* account;
    size_t kind;
    int64_t cost;
    redis::Pending pending = {};
  };
  using Charges = std::list<Charge>;

  // `burst`: how far ahead it may be found.
  redis::Pending Evaluate(const Account& account, size_t kind, int64_t cost, int64_t burst,
                          std::function<void(const std::optional<redis::BucketReply>&)> done) {
    const std::array<std::string, 4> texts = {
        std::to_string(cost), std::to_string(burst), "-1",
        std::to_string(kMostPeriods * kBudgetKinds[kind].period)};
    const std::array<std::string_view, 4> arguments = {texts[0], texts[1], texts[2], texts[3]};
    return redis_.Evaluate(redis::BucketScript(), KeyOf(kBudgetKinds[kind], account), arguments,
                           [done = std::move(done)](const Result<redis::Reply>& reply) {
                             done(reply.ok() ? redis::ReadBucketReply(*reply) : std::nullopt);
                           });
  }

  void Ask(Entrances::iterator entrance, size_t q) {
    Question& question = entrance->questions[q];
    Tell(*question.account, question.kind);
    if (!redis_.available()) return;
    question.state = Question::State::kAsked;
    ++entrance->waiting;
    question.pending = Evaluate(*question.account, question.kind, question.cost,
                                question.budget().rate.period - question.cost,
                                [this, entrance, q](const auto& reply) {
                                  OnAnswer(entrance->questions[q], reply);
                                  if (--entrance->waiting == 0) Conclude(entrance);
                                });
  }

  static void OnAnswer(Question& question, const std::optional<redis::BucketReply>& reply) {
    if (!reply) {
      question.state = Question::State::kFailed;
    } else if (reply->outcome == redis::BucketReply::Outcome::kRefuse) {
      question.state = Question::State::kRefused;
      question.wait = reply->milliseconds * 1000;
      Learn(question.budget(), reply->ahead);
    } else {
      question.state = Question::State::kPassed;
      Learn(question.budget(), reply->ahead + question.cost);
    }
  }

  // What Redis says, and what it cannot know yet.
  static void Learn(Budget& budget, int64_t level) {
    const int64_t more = budget.in_flight + budget.rate.Cost(budget.unsent);
    budget.bucket.Set(BudgetNow(), std::max<int64_t>(level + more, 0));
  }

  void Conclude(Entrances::iterator entrance) {
    Entrances ended;  // it may be one of its callbacks that called
    ended.splice(ended.begin(), entrances_, entrance);
    std::optional<Problem> problem = RefusalOf(*entrance);
    for (Question& question : entrance->questions) {
      const bool passed = question.state == Question::State::kPassed;
      if (problem && passed) GiveBack(question);
      if (!problem && question.is_open()) {
        question.budget().bucket.Add(BudgetNow(), question.cost);
        // One that failed may have been counted all the same.
        if (question.state == Question::State::kUnasked) {
          Owe(*question.account, question.kind, question.units);
        }
      }
    }
    if (problem) ledger_.End(entrance->payer);
    entrance->done(problem ? &*problem : nullptr);
  }

  // Of the answers, and of whoever decides where there is none.
  std::optional<Problem> RefusalOf(const Entrance& entrance) {
    std::optional<Problem> problem;
    const auto refuse = [&problem](const Question& question, int64_t wait) {
      Problem one = BudgetRefusal(kBudgetKinds[question.kind], question.budget().rate.limit, wait);
      if (!problem || one.retry_after > problem->retry_after) problem = std::move(one);
    };
    bool alone = false;
    for (const Question& question : entrance.questions) {
      if (question.state == Question::State::kRefused) refuse(question, question.wait);
      if (!question.is_open()) continue;
      alone = true;
      const Budget& budget = question.budget();
      const int64_t wait = budget.bucket.Level(BudgetNow()) + question.cost - budget.rate.period;
      if (when_down_ == WhenDown::kLocal && wait > 0) refuse(question, wait);
    }
    if (alone) ++decided_alone_;
    if (alone && !problem && when_down_ == WhenDown::kRefuse) {
      problem =
          Fault(503, "budget_unavailable", "Nobody can tell now what is left of your budget.", 1);
    }
    return problem;
  }

  // Before anybody asks again.
  void GiveBack(const Question& question) {
    question.budget().bucket.Add(BudgetNow(), -question.cost);
    Owe(*question.account, question.kind, -question.units);
    Tell(*question.account, question.kind);
  }

  // To be told to Redis with the next step.
  void Owe(Account& account, size_t kind, int64_t units) {
    Budget& budget = account.budgets[kind];
    if (budget.rate.limit == 0 || units == 0) return;
    budget.unsent += units;
    if (!std::exchange(account.is_dirty, true)) {
      ++account.held;
      dirty_.push_back(&account);
    }
    if (!step_.active()) step_.Set(kStep);
  }

  void Flush() {
    std::vector<Account*> left;
    for (Account* account : dirty_) {
      bool is_told = true;
      for (size_t i = 0; i < kBudgetKinds.size(); ++i) is_told = Tell(*account, i) && is_told;
      if (!is_told) {
        left.push_back(account);
        continue;
      }
      account->is_dirty = false;
      --account->held;
    }
    dirty_ = std::move(left);
    if (!dirty_.empty()) step_.Set(kOutageStep);
  }

  // A minute is over before anybody asks again; of a day everything counts.
  static void KeepForLater(const BudgetKind& kind, Budget& budget) {
    const int64_t most = kind.period == kDayMicroseconds ? budget.rate.limit : int64_t{0};
    budget.unsent = std::clamp(budget.unsent, -most, most);
  }

  // False: not now. While the breaker is half open that is so behind the first command.
  bool Tell(Account& account, size_t kind) {
    Budget& budget = account.budgets[kind];
    if (budget.unsent == 0) return true;
    if (!redis_.available()) {
      KeepForLater(kBudgetKinds[kind], budget);
      return budget.unsent == 0;
    }
    const int64_t cost = budget.rate.Cost(std::exchange(budget.unsent, 0));
    budget.in_flight += cost;
    ++account.held;
    charges_.push_front({&account, kind, cost});
    const auto charge = charges_.begin();
    charge->pending =
        Evaluate(account, kind, cost, kNeverRefuse, [this, charge](const auto& reply) {
          Budget& told = charge->account->budgets[charge->kind];
          told.in_flight -= charge->cost;
          if (reply) Learn(told, std::max<int64_t>(reply->ahead + charge->cost, 0));
          --charge->account->held;
          charges_.erase(charge);
        });
    return true;
  }

  redis::Client& redis_;
  const WhenDown when_down_;
  Ledger ledger_;
  std::vector<Account*> dirty_;
  uint64_t decided_alone_ = 0;
  Entrances entrances_;
  Charges charges_;
  event::Timer step_;
};

}  // namespace

std::unique_ptr<Meter> MakeSharedMeter(event::EventLoop& loop, redis::Client& redis,
                                       const MeterLimits& of_user, const MeterLimits& of_key,
                                       WhenDown when_down) {
  return std::make_unique<SharedMeter>(loop, redis, of_user, of_key, when_down);
}

}  // namespace framewall::backend::llm
