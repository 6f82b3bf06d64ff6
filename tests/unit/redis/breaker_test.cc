#include "proxy/redis/breaker.h"

#include <gtest/gtest.h>

#include "proxy/redis/back_off.h"

namespace framewall::redis {
namespace {

using Admission = Breaker::Admission;

TEST(Breaker, OpensAfterFailuresInARow) {
  Breaker breaker(3);
  EXPECT_FALSE(breaker.Failed(false));
  EXPECT_FALSE(breaker.Failed(false));
  EXPECT_FALSE(breaker.Succeeded(false));  // begins anew
  EXPECT_FALSE(breaker.Failed(false));
  EXPECT_FALSE(breaker.Failed(false));
  EXPECT_EQ(Admission::kYes, breaker.Admit());
  EXPECT_TRUE(breaker.Failed(false));
  EXPECT_EQ(BreakerState::kOpen, breaker.state());
  EXPECT_FALSE(breaker.available());
  EXPECT_EQ(Admission::kNo, breaker.Admit());
  // Told once; stragglers change nothing.
  EXPECT_FALSE(breaker.Failed(false));
  EXPECT_FALSE(breaker.Succeeded(false));
  EXPECT_EQ(BreakerState::kOpen, breaker.state());
}

TEST(Breaker, OneTrialAtATimeDecides) {
  Breaker breaker(1);
  breaker.Failed(false);
  breaker.Answered();
  EXPECT_EQ(BreakerState::kHalfOpen, breaker.state());
  EXPECT_TRUE(breaker.available());
  EXPECT_EQ(Admission::kTrial, breaker.Admit());
  EXPECT_FALSE(breaker.available());
  EXPECT_EQ(Admission::kNo, breaker.Admit());
  EXPECT_FALSE(breaker.Failed(false));  // an old one
  EXPECT_TRUE(breaker.Failed(true));
  EXPECT_EQ(BreakerState::kOpen, breaker.state());

  breaker.Answered();
  EXPECT_EQ(Admission::kTrial, breaker.Admit());
  breaker.Undecided(true);  // cancelled: the next one tries
  EXPECT_EQ(Admission::kTrial, breaker.Admit());
  EXPECT_TRUE(breaker.Succeeded(true));
  EXPECT_EQ(BreakerState::kClosed, breaker.state());
  EXPECT_EQ(Admission::kYes, breaker.Admit());
}

TEST(BackOff, DoublesUpToItsEndWithJitter) {
  using std::chrono::milliseconds;
  BackOff back_off(milliseconds(50), milliseconds(300));
  for (const int step : {50, 100, 200, 300, 300}) {
    const auto pause = back_off.Next();
    EXPECT_GE(pause, milliseconds(step / 2));
    EXPECT_LE(pause, milliseconds(step));
  }
  back_off.Reset();
  EXPECT_LE(back_off.Next(), milliseconds(50));
}

}  // namespace
}  // namespace framewall::redis
