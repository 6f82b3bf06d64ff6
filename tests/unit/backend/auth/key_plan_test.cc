#include "backend/auth/key_plan.h"

#include <gtest/gtest.h>

namespace framewall::backend::auth {
namespace {

constexpr int64_t kDay = 86'400'000;
constexpr int64_t kMinute = 60'000;

// A period of ten days, published one day ahead, tokens of ten minutes.
const KeyPolicy kPolicy = KeyPolicy::Of(10, 600);

KeyPlan Plan(std::vector<int64_t> made, int64_t now) { return PlanKeys(made, now, kPolicy); }

TEST(KeyPlan, TheOnlyKeySigns) {
  EXPECT_EQ(Plan({0}, 0).signer, 0u);
  EXPECT_FALSE(Plan({0}, 0).make_new);
  EXPECT_EQ(Plan({0}, 100 * kDay).signer, 0u);
  EXPECT_EQ(Plan({0}, 100 * kDay).obsolete, 0u);
}

TEST(KeyPlan, TheNextOneIsMadeADayBeforeItSigns) {
  EXPECT_FALSE(Plan({0}, 9 * kDay - 1).make_new);
  EXPECT_TRUE(Plan({0}, 9 * kDay).make_new);
  EXPECT_FALSE(Plan({0, 9 * kDay}, 9 * kDay).make_new);
  EXPECT_EQ(Plan({0, 9 * kDay}, 10 * kDay - 1).signer, 0u);
  EXPECT_EQ(Plan({0, 9 * kDay}, 10 * kDay).signer, 1u);
}

TEST(KeyPlan, TheOldOneStaysUntilItsLastTokenHasEnded) {
  const std::vector<int64_t> made = {0, 9 * kDay};
  EXPECT_EQ(Plan(made, 10 * kDay).obsolete, 0u);
  EXPECT_EQ(Plan(made, 10 * kDay + 11 * kMinute).obsolete, 0u);
  EXPECT_EQ(Plan(made, 10 * kDay + 11 * kMinute + 1).obsolete, 1u);
}

TEST(KeyPlan, ALongSleepWakesUpInOrder) {
  // The program did not run for a year: the old key signs until the new one was published a day.
  EXPECT_TRUE(Plan({0}, 365 * kDay).make_new);
  EXPECT_EQ(Plan({0, 365 * kDay}, 365 * kDay).signer, 0u);
  EXPECT_EQ(Plan({0, 365 * kDay}, 366 * kDay).signer, 1u);
}

TEST(KeyPlan, SeveralOldOnesGoTogether) {
  EXPECT_EQ(Plan({0, 9 * kDay, 18 * kDay}, 20 * kDay).signer, 2u);
  EXPECT_EQ(Plan({0, 9 * kDay, 18 * kDay}, 20 * kDay).obsolete, 2u);
}

TEST(KeyPlan, AShortPeriodIsPublishedAQuarterAhead) {
  const KeyPolicy policy = KeyPolicy::Of(1, 600);
  EXPECT_EQ(policy.period, kDay);
  EXPECT_EQ(policy.ahead, kDay / 4);
  EXPECT_GT(policy.ahead, policy.token);
}

}  // namespace
}  // namespace framewall::backend::auth
