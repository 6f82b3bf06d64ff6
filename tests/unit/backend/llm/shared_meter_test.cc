// Budgets that several backends share, in Debian's redis-server: both sides of each limit, streams
// of two processes, and what holds while it is away.
#include "backend/llm/shared_meter.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/llm/metered_completion.h"
#include "proxy/base/clock.h"
#include "tests/support/redis_server.h"
#include "tests/unit/backend/llm/fake_call.h"

namespace framewall::backend::llm {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kDeadline{300};

// A backend as far as budgets go.
struct Side {
  Side(event::EventLoop& loop, const redis::Settings& settings, const MeterLimits& of_user,
       const MeterLimits& of_key, WhenDown when_down)
      : redis(loop, settings), meter(MakeSharedMeter(loop, redis, of_user, of_key, when_down)) {}
  redis::Client redis;
  const std::unique_ptr<Meter> meter;
};

class LlmSharedMeter : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::HasRedis()) GTEST_SKIP() << "no redis-server";
    ASSERT_TRUE(server_.Start()) << server_.Log();
  }
  Side Open(const MeterLimits& of_user, const MeterLimits& of_key = {},
            WhenDown when_down = WhenDown::kLocal) {
    redis::Settings settings = where_;
    settings.name = "test";
    if (settings.servers.empty()) {
      settings.servers = {{.host = "127.0.0.1", .port = server_.port()}};
    }
    settings.key_prefix = "t:";
    settings.deadline = deadline_;
    settings.breaker_failures = 2;
    settings.breaker_pause = milliseconds(50);
    settings.reconnect_max = milliseconds(50);
    return Side(loop_, settings, of_user, of_key, when_down);
  }
  // The refusal's code; empty: in.
  std::string Enter(Side& side, const Payer& payer, int64_t prompt = 1) {
    std::optional<std::string> code;
    side.meter->Enter(payer, prompt, [&](const Problem* problem) {
      code = problem == nullptr ? "" : problem->code;
      wait_ = problem == nullptr ? 0 : problem->retry_after;
    });
    const auto start = steady_clock::now();
    for (int i = 0; i < 10000 && !code; ++i) loop_.RunOnce(milliseconds(1));
    longest_ = std::max(longest_, steady_clock::now() - start);
    return code.value_or("never answered");
  }
  int EnterUntilRefused(Side& side, const Payer& payer, int most = 100) {
    int in = 0;
    while (in < most && Enter(side, payer).empty()) ++in;
    return in;
  }
  template <class Condition>
  bool Until(Condition condition, milliseconds patience = milliseconds(10000)) {
    const auto end = steady_clock::now() + patience;
    while (!condition()) {
      if (steady_clock::now() > end) return false;
      loop_.RunOnce(milliseconds(2));
    }
    return true;
  }
  // Until what was spent has been told.
  void Steps() {
    const auto end = steady_clock::now() + 3 * kStep;
    Until([&] { return steady_clock::now() > end; });
  }

  test::RedisServer server_;
  event::EventLoop loop_;
  redis::Settings where_;  // no server: server_
  milliseconds deadline_ = kDeadline;
  int wait_ = 0;
  steady_clock::duration longest_{0};
  const Payer anna_{"anna", ""};
};

TEST_F(LlmSharedMeter, TwoLetThroughWhatOneMay) {
  for (const int64_t limit : {1, 7, 20}) {
    const Payer user{"u" + std::to_string(limit), ""};
    Side one = Open({.requests_per_day = limit});
    Side two = Open({.requests_per_day = limit});
    for (int64_t i = 0; i < limit; ++i) EXPECT_EQ(Enter(i % 2 == 0 ? one : two, user), "") << i;
    EXPECT_EQ(Enter(one, user), "requests_per_day");
    EXPECT_EQ(Enter(two, user), "requests_per_day");
    EXPECT_NEAR(wait_, static_cast<double>(86400 / limit), 3.0);
    EXPECT_EQ(Enter(two, {"another" + user.user, ""}), "");
    EXPECT_EQ(one.meter->decided_alone() + two.meter->decided_alone(), 0u);
  }
}

TEST_F(LlmSharedMeter, AMinuteComesBackEvenly) {
  Side one = Open({.requests_per_minute = 120});
  Side two = Open({.requests_per_minute = 120});
  int in = 0;
  for (; in < 200 && Enter(in % 2 == 0 ? one : two, anna_).empty(); ++in) {
  }
  EXPECT_GE(in, 120);
  EXPECT_LE(in, 124);  // one comes back in half a second
  EXPECT_EQ(wait_, 1);
  EXPECT_TRUE(Until([&] { return Enter(two, anna_).empty(); }));
}

TEST_F(LlmSharedMeter, UsersAndKeysHaveTheirOwn) {
  const MeterLimits of_user{.requests_per_day = 5};
  const MeterLimits of_key{.requests_per_day = 2};
  Side one = Open(of_user, of_key);
  Side two = Open(of_user, of_key);
  EXPECT_EQ(Enter(one, {"anna", "k1"}), "");
  EXPECT_EQ(Enter(two, {"anna", "k1"}), "");
  EXPECT_EQ(Enter(one, {"anna", "k1"}), "requests_per_day");
  EXPECT_EQ(Enter(two, {"anna", "k1"}), "requests_per_day");
  Steps();
  // What the key's budget refused has not counted for the user.
  EXPECT_EQ(Enter(two, {"anna", "k2"}), "");
  EXPECT_EQ(EnterUntilRefused(one, anna_), 2);
  EXPECT_EQ(Enter(two, {"anna", "k2"}), "requests_per_day");
}

TEST_F(LlmSharedMeter, PromptsOfBothSides) {
  Side one = Open({.tokens_per_day = 100});
  Side two = Open({.tokens_per_day = 100});
  EXPECT_EQ(Enter(one, anna_, 101), "token_budget_exceeded");
  EXPECT_EQ(wait_, 0);
  EXPECT_EQ(Enter(one, anna_, 60), "");
  EXPECT_EQ(Enter(two, anna_, 41), "token_budget_exceeded");
  EXPECT_GT(wait_, 60);
  EXPECT_EQ(Enter(two, anna_, 40), "");
  EXPECT_EQ(Enter(one, anna_, 1), "token_budget_exceeded");
}

TEST_F(LlmSharedMeter, AStreamEndsWhereItsOwnProcessSeesIt) {
  Side one = Open({.tokens_per_day = 100});
  EXPECT_EQ(Enter(one, anna_, 10), "");
  for (int i = 0; i < 90; ++i) EXPECT_TRUE(one.meter->Spend(anna_, 1)) << i;
  EXPECT_FALSE(one.meter->Spend(anna_, 1));
}

TEST_F(LlmSharedMeter, AStreamHearsOfTheOthersWithAStep) {
  Side one = Open({.tokens_per_day = 1000});
  Side two = Open({.tokens_per_day = 1000});
  EXPECT_EQ(Enter(one, anna_, 10), "");
  EXPECT_EQ(Enter(two, anna_, 10), "");
  EXPECT_TRUE(two.meter->Spend(anna_, 980));
  Steps();
  EXPECT_TRUE(one.meter->Spend(anna_, 1));  // not told yet
  Steps();
  EXPECT_FALSE(one.meter->Spend(anna_, 1));
  // The provider of the other counted fewer.
  EXPECT_TRUE(two.meter->Spend(anna_, -500));
  Steps();
  EXPECT_EQ(Enter(one, anna_, 480), "");
  EXPECT_EQ(Enter(two, anna_, 40), "token_budget_exceeded");
}

TEST_F(LlmSharedMeter, CountsEveryTokenOnce) {
  Side one = Open({.tokens_per_day = 10000});
  Side two = Open({.tokens_per_day = 10000});
  EXPECT_EQ(Enter(one, anna_, 100), "");
  EXPECT_EQ(Enter(two, anna_, 100), "");
  for (int i = 0; i < 400; ++i) {
    one.meter->Spend(anna_, 3);
    two.meter->Spend(anna_, 2);
    if (i % 10 == 0) loop_.RunOnce(milliseconds(2));
  }
  Steps();
  // 10000 − 200 − 2000: as many fit, and not one more than came back meanwhile.
  EXPECT_EQ(Enter(one, anna_, 7802), "token_budget_exceeded");
  EXPECT_EQ(Enter(one, anna_, 7800), "");
}

TEST_F(LlmSharedMeter, ConcurrencyIsEachProcesss) {
  Side one = Open({.requests_per_day = 100, .concurrent = 1});
  Side two = Open({.requests_per_day = 100, .concurrent = 1});
  EXPECT_EQ(Enter(one, anna_), "");
  EXPECT_EQ(Enter(one, anna_), "concurrent_requests");
  EXPECT_EQ(Enter(two, anna_), "");
  one.meter->Leave(anna_);
  EXPECT_EQ(Enter(one, anna_), "");
}

TEST_F(LlmSharedMeter, WhoWaitsForRedisHasAPlace) {
  Side one = Open({.requests_per_day = 100, .concurrent = 2});
  std::string said;
  for (int i = 0; i < 3; ++i) {
    one.meter->Enter(anna_, 1, [&](const Problem* problem) {
      said += problem == nullptr ? "in " : problem->code + " ";
    });
  }
  EXPECT_TRUE(Until([&] { return said == "concurrent_requests in in "; })) << said;
}

TEST_F(LlmSharedMeter, AClusterDecidesToo) {
  test::RedisCluster cluster;
  ASSERT_TRUE(cluster.Start()) << cluster.Logs();
  where_.mode = redis::Mode::kCluster;
  where_.servers = {{.host = "127.0.0.1", .port = cluster.node(0).port()}};
  deadline_ = milliseconds(5000);
  const MeterLimits of_user{.requests_per_day = 6, .tokens_per_day = 1000};
  Side one = Open(of_user, {.requests_per_day = 4});
  Side two = Open(of_user, {.requests_per_day = 4});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Enter(i % 2 == 0 ? one : two, {"anna", "k"}), "") << i;
  EXPECT_EQ(Enter(one, {"anna", "k"}), "requests_per_day");
  EXPECT_EQ(Enter(two, {"anna", "k"}), "requests_per_day");
  EXPECT_TRUE(Until([&] { return Enter(two, anna_).empty(); }));  // given back by now
  EXPECT_EQ(Enter(one, anna_), "");
  EXPECT_EQ(Enter(two, anna_), "requests_per_day");
  EXPECT_EQ(one.meter->decided_alone() + two.meter->decided_alone(), 0u);
}

TEST_F(LlmSharedMeter, KeysAreNamedAndEnd) {
  Side one = Open({.tokens_per_minute = 600}, {.requests_per_day = 10});
  EXPECT_EQ(Enter(one, {"anna", "k1"}, 100), "");
  const std::string keys = server_.Ask({"KEYS", "*"});
  EXPECT_NE(keys.find("t:budget:tokens_per_minute:uanna"), keys.npos) << keys;
  EXPECT_NE(keys.find("t:budget:requests_per_day:kk1"), keys.npos) << keys;
  EXPECT_EQ(server_.Ask({"DBSIZE"}), "2");
  const int64_t life = std::stoll(server_.Ask({"PTTL", "t:budget:tokens_per_minute:uanna"}));
  EXPECT_GT(life, 1000);
  EXPECT_LE(life, 10'000);  // a hundred of 600 a minute
}

TEST_F(LlmSharedMeter, WithoutLimitsNobodyIsAsked) {
  Side one = Open({.concurrent = 5});
  EXPECT_EQ(Enter(one, anna_), "");
  EXPECT_TRUE(one.meter->Spend(anna_, 1'000'000));
  Steps();
  EXPECT_EQ(one.redis.counters().commands, 0u);
}

TEST_F(LlmSharedMeter, AForgottenScriptIsLoadedAgain) {
  Side one = Open({.requests_per_day = 9, .tokens_per_day = 50});
  EXPECT_EQ(Enter(one, anna_, 10), "");
  ASSERT_EQ(server_.Ask({"SCRIPT", "FLUSH"}), "OK");
  EXPECT_EQ(Enter(one, anna_, 10), "");
  ASSERT_EQ(server_.Ask({"SCRIPT", "FLUSH"}), "OK");
  EXPECT_TRUE(one.meter->Spend(anna_, 20));
  Steps();
  Side two = Open({.requests_per_day = 9, .tokens_per_day = 50});
  EXPECT_EQ(Enter(two, anna_, 11), "token_budget_exceeded");
  EXPECT_EQ(Enter(two, anna_, 10), "");
  EXPECT_EQ(Enter(one, anna_, 1), "token_budget_exceeded");
  EXPECT_GT(one.redis.counters().script_loads, 0u);
  EXPECT_EQ(one.meter->decided_alone(), 0u);
}

TEST_F(LlmSharedMeter, WithoutRedisItKnowsWhatItKnew) {
  Side one = Open({.requests_per_day = 6});
  Side two = Open({.requests_per_day = 6});
  EXPECT_EQ(Enter(two, anna_), "");
  EXPECT_EQ(Enter(two, anna_), "");
  EXPECT_EQ(Enter(one, anna_), "");  // hears of the two
  server_.Kill();
  EXPECT_EQ(EnterUntilRefused(one, anna_), 3);
  EXPECT_EQ(Enter(one, anna_), "requests_per_day");
  EXPECT_LT(longest_, kDeadline + milliseconds(300));
  EXPECT_GE(one.meter->decided_alone(), 4u);
  // Nobody waits for what is left alone.
  EXPECT_TRUE(Until([&] { return one.redis.breaker() == redis::BreakerState::kOpen; }));
  longest_ = {};
  EXPECT_EQ(Enter(one, anna_), "requests_per_day");
  EXPECT_LT(longest_, milliseconds(100));
}

TEST_F(LlmSharedMeter, WhenItIsBackItDecidesAndHearsOfTheDay) {
  Side one = Open({.requests_per_day = 100, .tokens_per_day = 1000});
  EXPECT_EQ(Enter(one, anna_, 10), "");
  server_.Kill();
  EXPECT_TRUE(one.meter->Spend(anna_, 100));  // a stream goes on
  Steps();
  EXPECT_TRUE(Until([&] {
    Enter(one, anna_, 10);
    return one.redis.breaker() == redis::BreakerState::kOpen;
  }));
  EXPECT_EQ(Enter(one, anna_, 200), "");
  EXPECT_TRUE(one.meter->Spend(anna_, 300));
  ASSERT_TRUE(server_.Start()) << server_.Log();
  // It has lost everything, and hears of what was spent while it was away.
  ASSERT_TRUE(Until([&] {
    return server_.Ask({"EXISTS", "t:budget:tokens_per_day:uanna"}) == "1";
  })) << server_.Log();
  Side two = Open({.requests_per_day = 100, .tokens_per_day = 1000});
  EXPECT_EQ(Enter(two, anna_, 501), "token_budget_exceeded");
  EXPECT_EQ(Enter(two, anna_, 300), "");
  const uint64_t alone = one.meter->decided_alone();
  EXPECT_TRUE(Until([&] { return one.redis.available(); }));
  EXPECT_EQ(Enter(one, anna_, 10), "");
  EXPECT_EQ(one.meter->decided_alone(), alone);
}

TEST_F(LlmSharedMeter, AHangingRedisHoldsNobodyLongerThanItsDeadline) {
  Side one = Open({.requests_per_day = 1000});
  EXPECT_EQ(Enter(one, anna_), "");
  longest_ = {};
  server_.Signal(SIGSTOP);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Enter(one, anna_), "");
  server_.Signal(SIGCONT);
  EXPECT_LT(longest_, kDeadline + milliseconds(300));
  EXPECT_GE(one.meter->decided_alone(), 2u);
}

TEST_F(LlmSharedMeter, WhoLeavesBeforeRedisAnswersTakesNothing) {
  deadline_ = milliseconds(10000);
  Side one = Open({.tokens_per_day = 100, .concurrent = 1});
  EXPECT_EQ(Enter(one, anna_, 10), "");  // connected
  one.meter->Leave(anna_);
  Told told;
  const RecordUsage record = [](const Payer&, const std::string&, const Usage&) {
    ADD_FAILURE() << "nobody was let in";
  };
  CompletionRequest request{
      .model = "m", .turns = {{.role = "user", .text = std::string(224, 'x')}}, .payer = anna_};
  server_.Signal(SIGSTOP);
  auto completion = CompleteMetered(
      loop_, *one.meter, record, request,
      [](CompletionRequest, CompletionEvents*) -> std::unique_ptr<Completion> {
        ADD_FAILURE() << "nobody was let in";
        return nullptr;
      },
      &told);
  for (int i = 0; i < 3; ++i) loop_.RunOnce(milliseconds(2));
  EXPECT_EQ(one.redis.counters().commands - one.redis.counters().answered, 1u);
  completion.reset();
  server_.Signal(SIGCONT);
  EXPECT_TRUE(
      Until([&] { return one.redis.counters().commands == one.redis.counters().answered; }));
  Steps();
  EXPECT_FALSE(told.over());
  Side two = Open({.tokens_per_day = 100});
  EXPECT_EQ(Enter(two, anna_, 91), "token_budget_exceeded");
  EXPECT_EQ(Enter(one, anna_, 90), "");
}

TEST_F(LlmSharedMeter, PassesOrRefusesAsTold) {
  server_.Kill();
  Side pass = Open({.requests_per_day = 2}, {}, WhenDown::kPass);
  EXPECT_EQ(EnterUntilRefused(pass, anna_, 10), 10);
  Side refuse = Open({.requests_per_day = 2}, {}, WhenDown::kRefuse);
  EXPECT_EQ(Enter(refuse, anna_), "budget_unavailable");
  EXPECT_EQ(Enter(refuse, {"ben", ""}), "budget_unavailable");
  ASSERT_TRUE(server_.Start()) << server_.Log();
  EXPECT_TRUE(Until([&] { return Enter(refuse, anna_).empty(); }));
  EXPECT_EQ(Enter(refuse, anna_), "");
  EXPECT_EQ(Enter(refuse, anna_), "requests_per_day");
}

}  // namespace
}  // namespace framewall::backend::llm
