// Budgets of this process: both sides of each, how they come back, whose they are.
#include "backend/llm/meter.h"

#include <gtest/gtest.h>

#include <chrono>

#include "proxy/base/clock.h"

namespace framewall::backend::llm {
namespace {

using std::chrono::milliseconds;

class LlmMeter : public testing::Test {
 protected:
  LlmMeter() { At(0); }
  static void At(int64_t later) {
    SetCachedNowForTest({SteadyTime() + milliseconds(86'400'000 + later), later});
  }
  // The refusal's code and wait; empty: in.
  static std::string Enter(Meter& meter, const Payer& payer, int64_t prompt = 1) {
    std::string code;
    meter.Enter(payer, prompt, [&code](const Problem* problem) {
      if (problem != nullptr) code = problem->code + ":" + std::to_string(problem->retry_after);
    });
    return code;
  }
  static int EnterUntilRefused(Meter& meter, const Payer& payer) {
    int in = 0;
    while (in < 10000 && Enter(meter, payer).empty()) ++in;
    return in;
  }
  const Payer anna_{"anna", ""};
};

TEST_F(LlmMeter, EveryRequestOfABudgetAndNotOneMore) {
  for (const int64_t limit : {1, 2, 3, 7, 60, 999, 5000}) {
    EXPECT_EQ(EnterUntilRefused(*MakeLocalMeter({.requests_per_minute = limit}, {}), anna_), limit);
    EXPECT_EQ(EnterUntilRefused(*MakeLocalMeter({.requests_per_day = limit}, {}), anna_), limit);
  }
  EXPECT_EQ(EnterUntilRefused(*MakeLocalMeter({}, {}), anna_), 10000);
}

TEST_F(LlmMeter, ComesBackEvenly) {
  const auto meter = MakeLocalMeter({.requests_per_minute = 2, .requests_per_day = 4}, {});
  EXPECT_EQ(Enter(*meter, anna_), "");
  EXPECT_EQ(Enter(*meter, anna_), "");
  EXPECT_EQ(Enter(*meter, anna_), "requests_per_minute:30");
  EXPECT_EQ(Enter(*meter, {"ben", ""}), "");
  At(29'999);
  EXPECT_EQ(Enter(*meter, anna_), "requests_per_minute:1");
  At(30'000);
  EXPECT_EQ(Enter(*meter, anna_), "");
  At(60'000);
  EXPECT_EQ(Enter(*meter, anna_), "");
  At(90'000);
  EXPECT_EQ(Enter(*meter, anna_), "requests_per_day:21510");
  At(21'600'000);
  EXPECT_EQ(Enter(*meter, anna_), "");
}

TEST_F(LlmMeter, CountsWhatIsUnderWay) {
  const auto meter = MakeLocalMeter({.concurrent = 2}, {.concurrent = 1});
  const Payer key{"anna", "k"};
  EXPECT_EQ(Enter(*meter, key), "");
  EXPECT_EQ(Enter(*meter, key), "concurrent_requests:1");  // the key's
  EXPECT_EQ(Enter(*meter, {"anna", "other"}), "");
  EXPECT_EQ(Enter(*meter, {"anna", ""}), "concurrent_requests:1");  // the user's
  meter->Leave(key);
  EXPECT_EQ(Enter(*meter, key), "");
}

TEST_F(LlmMeter, TokensEnd) {
  const auto meter = MakeLocalMeter({.tokens_per_day = 10}, {});
  EXPECT_EQ(Enter(*meter, anna_, 4), "");
  EXPECT_TRUE(meter->Spend(anna_, 6));
  EXPECT_FALSE(meter->Spend(anna_, 1));
  EXPECT_EQ(Enter(*meter, anna_, 1), "token_budget_exceeded:25920");  // two, and a tenth
  EXPECT_TRUE(meter->Spend(anna_, -5));                               // the provider counted fewer
  EXPECT_EQ(Enter(*meter, anna_, 5), "token_budget_exceeded:17280");
  EXPECT_EQ(Enter(*meter, anna_, 4), "");
}

TEST_F(LlmMeter, TokensOfAMinute) {
  const auto meter = MakeLocalMeter({.tokens_per_minute = 60}, {});
  EXPECT_EQ(Enter(*meter, anna_, 60), "");
  EXPECT_FALSE(meter->Spend(anna_, 1));
  EXPECT_EQ(Enter(*meter, anna_, 9), "tokens_per_minute:16");
  At(10'000);
  EXPECT_EQ(Enter(*meter, anna_, 9), "");
  // A stream at the pace of the budget goes on.
  for (int64_t second = 11; second < 200; ++second) {
    At(second * 1000);
    EXPECT_TRUE(meter->Spend(anna_, 1)) << second;
  }
}

TEST_F(LlmMeter, APromptBeyondAllOfABudgetNeverFits) {
  const auto meter = MakeLocalMeter({.tokens_per_minute = 10}, {});
  EXPECT_EQ(Enter(*meter, anna_, 11), "tokens_per_minute:0");
  EXPECT_EQ(Enter(*meter, anna_, 10), "");
}

TEST_F(LlmMeter, WhatIsRefusedCountsNowhere) {
  const auto meter = MakeLocalMeter({.requests_per_minute = 3}, {.requests_per_minute = 1});
  EXPECT_EQ(Enter(*meter, {"anna", "k"}), "");
  EXPECT_EQ(Enter(*meter, {"anna", "k"}), "requests_per_minute:60");
  EXPECT_EQ(Enter(*meter, {"anna", "k"}), "requests_per_minute:60");
  EXPECT_EQ(EnterUntilRefused(*meter, anna_), 2);
}

TEST_F(LlmMeter, RemembersTheDayBeforeTheProcess) {
  const auto meter = MakeLocalMeter({.requests_per_day = 5, .tokens_per_day = 100}, {});
  meter->Restore("anna", 3, 90);
  EXPECT_EQ(Enter(*meter, anna_, 11), "token_budget_exceeded:9504");
  EXPECT_EQ(Enter(*meter, anna_, 1), "");
  EXPECT_EQ(Enter(*meter, anna_, 1), "");
  EXPECT_EQ(Enter(*meter, anna_, 1), "requests_per_day:17280");
  meter->Restore("ben", 9, 1'000'000);  // more than all of it is all of it
  EXPECT_EQ(Enter(*meter, {"ben", ""}), "requests_per_day:17280");
}

TEST(LlmRate, IsExactToAMicrosecond) {
  const Rate minute{.limit = 7, .period = kMinuteMicroseconds};
  EXPECT_EQ(minute.Cost(0), 0);
  EXPECT_EQ(minute.Cost(1), 8'571'428);
  EXPECT_EQ(minute.Cost(-1), -8'571'428);
  EXPECT_EQ(minute.Cost(7), kMinuteMicroseconds);
  EXPECT_EQ(minute.Cost(8), kMinuteMicroseconds);
  const Rate huge{.limit = 1'000'000'000'000, .period = kDayMicroseconds};
  EXPECT_EQ(huge.Cost(1), 1);  // never for nothing
  EXPECT_EQ(huge.Cost(huge.limit), kDayMicroseconds);
  EXPECT_EQ(huge.Cost(huge.limit / 2), kDayMicroseconds / 2);
}

}  // namespace
}  // namespace framewall::backend::llm
