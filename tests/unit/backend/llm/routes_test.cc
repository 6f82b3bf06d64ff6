// From a model's name to an answer: other providers, breakers, silence, what it costs.
#include <gtest/gtest.h>

#include "backend/llm/breaker.h"
#include "backend/llm/fault.h"
#include "backend/llm/http_client.h"
#include "backend/llm/meter.h"
#include "backend/llm/metered_completion.h"
#include "backend/llm/routed_completion.h"
#include "tests/unit/backend/llm/fake_call.h"

namespace framewall::backend::llm {
namespace {

using std::chrono::milliseconds;

class Routed : public testing::Test {
 protected:
  Routed() {
    for (size_t i = 0; i < 2; ++i) {
      targets_.push_back({&providers_[i], &breakers_[i], "p" + std::to_string(i),
                          "model-" + std::to_string(i), 1});
    }
  }
  std::unique_ptr<Completion> Start(const Patience& patience) {
    CompletionRequest request{.model = "m", .turns = {{.role = "user", .text = "Hi"}}};
    return CompleteRouted(loop_, {&targets_[0], &targets_[1]}, patience, request, &told_);
  }
  void Turn(int times = 3) {
    for (int i = 0; i < times; ++i) loop_.RunOnce(milliseconds(2));
  }
  void WaitUntilOver() {
    for (int i = 0; i < 500 && !told_.over(); ++i) loop_.RunOnce(milliseconds(2));
    Turn();
  }

  ScriptedProvider providers_[2];  // what has retired goes with the loop, and speaks to them
  event::EventLoop loop_;
  Breaker breakers_[2] = {Breaker(2, milliseconds(50)), Breaker(2, milliseconds(50))};
  std::vector<Target> targets_;
  Told told_;
};

TEST_F(Routed, AsksByTheProvidersName) {
  const auto completion = Start({});
  ASSERT_EQ(providers_[0].requests.size(), 1u);
  EXPECT_EQ(providers_[0].requests[0].model, "model-0");
  providers_[0].events->OnText("a");
  providers_[0].events->OnEnd(FinishReason::kLength, {1, 2, false});
  EXPECT_EQ(told_.text, "a");
  EXPECT_EQ(told_.reason, FinishReason::kLength);
  Turn();
  EXPECT_EQ(providers_[0].ended, 1);
  EXPECT_TRUE(providers_[1].requests.empty());
}

TEST_F(Routed, SaysFromTheLoopThatNobodyCanBeAsked) {
  for (Breaker& breaker : breakers_) {
    for (int i = 0; i < 2; ++i) breaker.Failed(CachedNow().steady);
  }
  const auto completion = Start({});
  EXPECT_TRUE(told_.errors.empty());
  Turn();
  ASSERT_EQ(told_.errors.size(), 1u);
  EXPECT_EQ(told_.errors[0].code, "provider_unavailable");
}

TEST_F(Routed, AsksAnotherBeforeTheFirstPiece) {
  const auto completion = Start({});
  Turn();
  providers_[0].events->OnError(Fault(503, "provider_unavailable", "down"));
  Turn();
  ASSERT_EQ(providers_[1].requests.size(), 1u);
  EXPECT_EQ(providers_[0].ended, 1);
  providers_[1].events->OnText("b");
  providers_[1].events->OnEnd(FinishReason::kStop, {});
  EXPECT_EQ(told_.text, "b");
  EXPECT_TRUE(told_.errors.empty());
}

TEST_F(Routed, NeverAfterIt) {
  const auto completion = Start({});
  Turn();
  providers_[0].events->OnText("a");
  providers_[0].events->OnError(Fault(502, "provider_broken", "broke off"));
  Turn();
  ASSERT_EQ(told_.errors.size(), 1u);
  EXPECT_EQ(told_.errors[0].code, "provider_broken");
  EXPECT_TRUE(providers_[1].requests.empty());
}

TEST_F(Routed, AClientsMistakeIsNobodyElsesBusiness) {
  const auto completion = Start({});
  Turn();
  providers_[0].events->OnError(Fault(400, "refused_by_provider", "too long"));
  Turn();
  ASSERT_EQ(told_.errors.size(), 1u);
  EXPECT_TRUE(providers_[1].requests.empty());
}

TEST_F(Routed, GoesAroundAsOftenAsItMay) {
  const auto completion = Start({.more_rounds = 1});
  for (int round = 0; round < 2; ++round) {
    for (ScriptedProvider& provider : providers_) {
      for (int i = 0; i < 500 && provider.requests.size() < size_t(round + 1); ++i) {
        loop_.RunOnce(milliseconds(2));
      }
      ASSERT_EQ(provider.requests.size(), size_t(round + 1));
      provider.events->OnError(Fault(502, "provider_error", "no"));
    }
  }
  WaitUntilOver();
  ASSERT_EQ(told_.errors.size(), 1u);
  EXPECT_EQ(providers_[0].requests.size(), 2u);
}

TEST_F(Routed, SilenceIsAFailure) {
  auto completion = Start({.first_piece = milliseconds(20), .between_pieces = milliseconds(20)});
  for (int i = 0; i < 500 && providers_[1].requests.empty(); ++i) loop_.RunOnce(milliseconds(2));
  ASSERT_EQ(providers_[1].requests.size(), 1u);  // the first was too slow
  EXPECT_EQ(providers_[0].ended, 1);
  providers_[1].events->OnText("b");
  WaitUntilOver();
  ASSERT_EQ(told_.errors.size(), 1u);
  EXPECT_EQ(told_.errors[0].code, "provider_timeout");
  EXPECT_EQ(told_.errors[0].status, 504);
}

TEST_F(Routed, AClientThatDoesNotReadIsNoSilence) {
  const auto completion = Start({.between_pieces = milliseconds(20)});
  Turn();
  providers_[0].events->OnText("a");
  completion->Pause();
  EXPECT_EQ(providers_[0].pauses, 1);
  for (int i = 0; i < 30; ++i) loop_.RunOnce(milliseconds(2));
  EXPECT_FALSE(told_.over());
  completion->Resume();
  EXPECT_EQ(providers_[0].pauses, 0);
  WaitUntilOver();
  EXPECT_EQ(told_.errors.size(), 1u);
}

TEST_F(Routed, ItsEndStopsTheProvider) {
  auto completion = Start({});
  Turn();
  completion.reset();
  EXPECT_EQ(providers_[0].ended, 1);
  EXPECT_FALSE(told_.over());
}

TEST_F(Routed, LeavesAloneWhoFailedLately) {
  for (int i = 0; i < 2; ++i) {
    const auto completion = Start({.more_rounds = 0});
    Turn();
    providers_[0].events->OnError(Fault(502, "provider_error", "no"));
    Turn();
    providers_[1].events->OnEnd(FinishReason::kStop, {});
    Turn();
  }
  EXPECT_TRUE(breakers_[0].open());
  const auto completion = Start({});
  Turn();
  EXPECT_EQ(providers_[0].requests.size(), 2u);
  EXPECT_EQ(providers_[1].requests.size(), 3u);
}

TEST_F(Routed, GivesAddressesOfImagesOnlyToWhoMayHaveThem) {
  CompletionRequest request{.model = "m",
                            .turns = {{.role = "user", .images = {"https://a.example/x.png"}}}};
  providers_[1].fetches = true;
  const auto completion = CompleteRouted(loop_, {&targets_[0], &targets_[1]}, {}, request, &told_);
  Turn();
  EXPECT_TRUE(providers_[0].requests.empty());
  EXPECT_EQ(providers_[1].requests.size(), 1u);
}

TEST(LlmBreaker, OpensTriesAndCloses) {
  Breaker breaker(2, milliseconds(100));
  SteadyTime now = SteadyTime() + std::chrono::hours(1);
  EXPECT_TRUE(breaker.Admit(now));
  breaker.Failed(now);
  EXPECT_TRUE(breaker.Admit(now));
  breaker.Succeeded();
  breaker.Failed(now);
  EXPECT_FALSE(breaker.open());
  breaker.Failed(now);
  EXPECT_TRUE(breaker.open());
  EXPECT_FALSE(breaker.Admit(now + milliseconds(99)));
  EXPECT_EQ(breaker.left(now + milliseconds(99)), milliseconds(1));
  EXPECT_TRUE(breaker.Admit(now + milliseconds(100)));
  EXPECT_FALSE(breaker.Admit(now + milliseconds(100)));  // one tries for all
  breaker.Failed(now + milliseconds(100));
  EXPECT_FALSE(breaker.Admit(now + milliseconds(199)));
  EXPECT_TRUE(breaker.Admit(now + milliseconds(200)));
  breaker.Undecided();
  EXPECT_TRUE(breaker.Admit(now + milliseconds(200)));
  breaker.Succeeded();
  EXPECT_TRUE(breaker.Admit(now + milliseconds(200)));
  EXPECT_FALSE(breaker.open());
}

class Paying : public testing::Test {
 protected:
  std::unique_ptr<Completion> Start(int64_t prompt_octets = 4) {
    CompletionRequest request{
        .model = "m",
        .turns = {{.role = "user", .text = std::string(size_t(prompt_octets), 'x')}},
        .payer = {"anna", ""}};
    auto completion = CompleteMetered(
        loop_, *meter_, record_, request,
        [this](CompletionRequest admitted, CompletionEvents* events) {
          return provider_.Complete(admitted, events);
        },
        &told_);
    for (int i = 0; i < 3; ++i) loop_.RunOnce(milliseconds(2));
    return completion;
  }
  ScriptedProvider provider_;
  event::EventLoop loop_;
  std::unique_ptr<Meter> meter_ = MakeLocalMeter({.tokens_per_day = 20, .concurrent = 1}, {});
  std::vector<Usage> paid_;
  const RecordUsage record_ = [this](const Payer&, const std::string&, const Usage& usage) {
    paid_.push_back(usage);
  };
  Told told_;
};

TEST_F(Paying, WhatTheProviderSays) {
  auto completion = Start();
  provider_.events->OnText("word");
  provider_.events->OnEnd(FinishReason::kStop, {3, 2, false});
  ASSERT_EQ(paid_.size(), 1u);
  EXPECT_EQ(paid_[0].prompt_tokens, 3);
  EXPECT_EQ(paid_[0].completion_tokens, 2);
  EXPECT_FALSE(paid_[0].estimated);
  EXPECT_EQ(told_.usage.completion_tokens, 2);
  completion.reset();
  EXPECT_EQ(paid_.size(), 1u);
}

TEST_F(Paying, AnEstimateWhereItSaysNothing) {
  const auto completion = Start();
  provider_.events->OnText("12345678");
  provider_.events->OnEnd(FinishReason::kStop, {0, 0, true});
  ASSERT_EQ(paid_.size(), 1u);
  EXPECT_EQ(paid_[0].prompt_tokens, 5);
  EXPECT_EQ(paid_[0].completion_tokens, 2);
  EXPECT_TRUE(told_.usage.estimated);
}

TEST_F(Paying, ForWhatWasStreamedUntilItWasCancelled) {
  auto completion = Start();
  provider_.events->OnText("12345678");
  completion.reset();
  ASSERT_EQ(paid_.size(), 1u);
  EXPECT_EQ(paid_[0].completion_tokens, 2);
  EXPECT_EQ(provider_.ended, 1);
  // And the place is free again.
  completion = Start();
  EXPECT_FALSE(told_.over());
}

TEST_F(Paying, NothingWhereNothingCame) {
  const auto completion = Start();
  provider_.events->OnError(Fault(502, "provider_error", "no"));
  ASSERT_EQ(paid_.size(), 1u);
  EXPECT_EQ(paid_[0].prompt_tokens + paid_[0].completion_tokens, 0);
}

TEST_F(Paying, IsCutWhereTheBudgetEnds) {
  const auto completion = Start(4);  // 5 of 20
  provider_.events->OnText(std::string(60, 'y'));
  EXPECT_FALSE(told_.over());
  provider_.events->OnText("one more");
  ASSERT_EQ(told_.errors.size(), 1u);
  EXPECT_EQ(told_.errors[0].code, "token_budget_exceeded");
  EXPECT_EQ(told_.errors[0].status, 429);
  EXPECT_TRUE(told_.text.ends_with("one more"));
  provider_.events->OnText("too late");
  EXPECT_EQ(told_.errors.size(), 1u);
  EXPECT_TRUE(told_.text.ends_with("one more"));
  loop_.RunOnce(milliseconds(0));
  EXPECT_EQ(provider_.ended, 1);
  ASSERT_EQ(paid_.size(), 1u);
  EXPECT_EQ(paid_[0].prompt_tokens + paid_[0].completion_tokens, 22);
}

TEST_F(Paying, APromptBeyondTheBudgetNeverStarts) {
  const auto completion = Start(100);
  ASSERT_EQ(told_.errors.size(), 1u);
  EXPECT_EQ(told_.errors[0].code, "token_budget_exceeded");
  EXPECT_TRUE(provider_.requests.empty());
}

TEST(HttpOrigin, ReadsAddresses) {
  const auto plain = ParseHttpOrigin("http://localhost:11434");
  ASSERT_TRUE(plain.ok());
  EXPECT_FALSE(plain->tls);
  EXPECT_EQ(plain->host, "localhost");
  EXPECT_EQ(plain->port, 11434);
  EXPECT_EQ(plain->prefix, "");
  const auto secure = ParseHttpOrigin("https://api.example/v1/");
  ASSERT_TRUE(secure.ok());
  EXPECT_TRUE(secure->tls);
  EXPECT_EQ(secure->port, 443);
  EXPECT_EQ(secure->prefix, "/v1");
  const auto six = ParseHttpOrigin("http://[::1]:8000/a/b");
  ASSERT_TRUE(six.ok());
  EXPECT_EQ(six->host, "::1");
  EXPECT_EQ(six->port, 8000);
  EXPECT_EQ(six->authority, "[::1]:8000");
  for (const char* bad :
       {"", "localhost", "ftp://a", "http://", "http://:80", "http://a:0", "http://a:65536",
        "http://a:x", "http://u@a", "http://a?b", "http://a#b", "http://[::1", "http://[::1]x"}) {
    EXPECT_FALSE(ParseHttpOrigin(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace framewall::backend::llm
