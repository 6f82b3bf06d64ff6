#include "backend/auth/login_delays.h"

#include <gtest/gtest.h>

namespace framewall::backend::auth {
namespace {

constexpr int64_t kSecond = 1000;
constexpr int64_t kHour = 3600 * kSecond;

class Delays : public testing::Test {
 protected:
  // Seconds to wait; 0: checked, and wrong.
  int Try(const std::string& account, const std::string& address) {
    return Wait({.account = account, .address = address, .device = {}});
  }
  int Wait(const LoginAttempt& attempt) {
    const auto refusal = delays.Begin(attempt, now);
    return refusal ? refusal->seconds : 0;
  }
  void FailTimes(int times, const std::string& account, const std::string& address) {
    for (int done = 0; done < times;) {
      const int seconds = Try(account, address);
      if (seconds == 0) ++done;
      now += seconds * kSecond;
    }
  }

  LoginDelays delays;
  int64_t now = 1'000'000;
};

TEST_F(Delays, ThreeTriesAreFreeThenTheyDouble) {
  EXPECT_EQ(Try("ann", "192.0.2.1"), 0);
  EXPECT_EQ(Try("ann", "192.0.2.1"), 0);
  EXPECT_EQ(Try("ann", "192.0.2.1"), 0);
  for (const int seconds : {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900}) {
    EXPECT_EQ(Try("ann", "192.0.2.1"), seconds);
    now += seconds * kSecond - 1;
    EXPECT_EQ(Try("ann", "192.0.2.1"), 1) << "a moment too early";
    now += 1;
    EXPECT_EQ(Try("ann", "192.0.2.1"), 0);
  }
}

TEST_F(Delays, ManyAtOnceAreCountedWhenTheyBegin) {
  int checked = 0;
  for (int i = 0; i < 100; ++i) checked += Try("ann", "192.0.2.1") == 0 ? 1 : 0;
  EXPECT_EQ(checked, 3);
}

TEST_F(Delays, ARefusedTryMakesItNoLonger) {
  FailTimes(5, "ann", "192.0.2.1");
  const int before = Try("ann", "192.0.2.1");
  for (int i = 0; i < 50; ++i) EXPECT_EQ(Try("ann", "192.0.2.1"), before);
}

TEST_F(Delays, OnlyTheFirstRefusalIsForTheTrail) {
  FailTimes(3, "ann", "192.0.2.1");
  const LoginAttempt attempt{.account = "ann", .address = "192.0.2.1", .device = {}};
  EXPECT_TRUE(delays.Begin(attempt, now)->is_first);
  EXPECT_FALSE(delays.Begin(attempt, now)->is_first);
  now += kSecond;
  EXPECT_FALSE(delays.Begin(attempt, now).has_value());
  EXPECT_TRUE(delays.Begin(attempt, now)->is_first);
}

TEST_F(Delays, TheOwnerElsewhereIsNotHeldUp) {
  FailTimes(12, "ann", "192.0.2.1");
  EXPECT_GT(Try("ann", "192.0.2.1"), 60);
  EXPECT_EQ(Try("ann", "198.51.100.7"), 0);
}

TEST_F(Delays, TheOwnerWithHisBrowserIsNotHeldUpAtTheVerySameAddress) {
  FailTimes(12, "ann", "192.0.2.1");
  EXPECT_GT(Try("ann", "192.0.2.1"), 60);
  EXPECT_EQ(Wait({.account = "ann", .address = "192.0.2.1", .device = "laptop"}), 0);
}

TEST_F(Delays, AnAttackerWithManyAddressesLocksNobodyOut) {
  for (int i = 0; i < 200; ++i) Try("ann", "10.0.0." + std::to_string(i));
  // From somewhere new: one try, at once.
  EXPECT_EQ(Try("ann", "198.51.100.7"), 0);
  EXPECT_EQ(Try("ann", "198.51.100.7"), 30);
  // From where he was before: as ever.
  const LoginAttempt familiar{
      .account = "ann", .address = "198.51.100.8", .device = {}, .familiar = true};
  EXPECT_EQ(Wait(familiar), 0);
  EXPECT_EQ(Wait(familiar), 0);
  EXPECT_EQ(Wait(familiar), 0);
  EXPECT_EQ(Wait(familiar), 1);
}

TEST_F(Delays, AnAccountIsUnderAttackFromTheTwentyFirstFailure) {
  for (int i = 0; i < 18; ++i) EXPECT_EQ(Try("ann", "10.0.0." + std::to_string(i)), 0);
  EXPECT_EQ(Try("ann", "10.0.2.1"), 0);
  EXPECT_EQ(Try("ann", "10.0.2.1"), 0) << "the 20th failure: three are free as ever";
  EXPECT_EQ(Try("ann", "10.0.2.2"), 0) << "the 21st: one is free";
  EXPECT_EQ(Try("ann", "10.0.2.2"), 30);
  EXPECT_EQ(Try("bob", "10.0.1.1"), 0);
  EXPECT_EQ(Try("bob", "10.0.1.1"), 0);
}

TEST_F(Delays, AFamiliarPlaceWaitsAMinuteAtMost) {
  const LoginAttempt familiar{
      .account = "ann", .address = "192.0.2.1", .device = {}, .familiar = true};
  for (int i = 0; i < 30; ++i) now += Wait(familiar) * kSecond;
  EXPECT_LE(Wait(familiar), 60);
}

TEST_F(Delays, ManyAccountsFromOneAddressAreGuessingToo) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Try("user" + std::to_string(i), "192.0.2.1"), 0) << i;
  }
  EXPECT_EQ(Try("another", "192.0.2.1"), 1);
  EXPECT_EQ(Try("another", "192.0.2.2"), 0);
  // Who has been there before shares the address, but not the delay.
  EXPECT_EQ(Wait({.account = "ann", .address = "192.0.2.1", .device = {}, .familiar = true}), 0);
}

TEST_F(Delays, AnAddressWaitsFiveMinutesAtMost) {
  for (int i = 0; i < 40; ++i) {
    const int seconds = Try("user" + std::to_string(i), "192.0.2.1");
    EXPECT_LE(seconds, 300);
    now += seconds * kSecond;
  }
}

TEST_F(Delays, AnIpv6AddressIsItsNetwork) {
  FailTimes(6, "ann", "2001:db8:1:2::1");
  EXPECT_GT(Try("ann", "2001:db8:1:2:ffff::9"), 0);
  EXPECT_EQ(Try("ann", "2001:db8:1:3::1"), 0);
  EXPECT_EQ(NetworkOf("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(NetworkOf("unix:"), "unix:");
}

TEST_F(Delays, ASuccessForgetsThePlaceAndNotTheAddress) {
  const LoginAttempt own{.account = "own", .address = "192.0.2.1", .device = {}};
  for (int i = 0; i < 19; ++i) Try("user" + std::to_string(i), "192.0.2.1");
  EXPECT_EQ(Wait(own), 0);
  delays.Succeeded(own);
  EXPECT_EQ(Try("another", "192.0.2.1"), 0) << "19 failures and this one";
  EXPECT_EQ(Try("another", "192.0.2.1"), 1);

  FailTimes(2, "ann", "192.0.2.9");
  const LoginAttempt ann{.account = "ann", .address = "192.0.2.9", .device = {}};
  EXPECT_EQ(Wait(ann), 0);
  delays.Succeeded(ann);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Wait(ann), 0);
  EXPECT_EQ(Wait(ann), 1);
}

TEST_F(Delays, WhatWasNotCheckedDoesNotCount) {
  const LoginAttempt attempt{.account = "ann", .address = "192.0.2.1", .device = {}};
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Wait(attempt), 0);
    delays.Withdraw(attempt);
  }
}

TEST_F(Delays, AsManyAreKeptAsThereIsRoomForTheOldestGoFirst) {
  for (const size_t room : {2U, 3U}) {
    delays = LoginDelays(room);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(Try("ann", "10.0.0.1"), 0);
    EXPECT_EQ(Try("bob", "10.0.0.2"), 0);
    EXPECT_EQ(Try("carl", "10.0.0.3"), 0);
    EXPECT_EQ(Try("ann", "10.0.0.1") == 0, room == 2) << room;
  }
}

TEST_F(Delays, AQuietHourForgets) {
  FailTimes(4, "ann", "192.0.2.1");
  now += kHour + kSecond;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Try("ann", "192.0.2.1"), 0);
  EXPECT_EQ(Try("ann", "192.0.2.1"), 1);
}

TEST(DelaysTable, IsBoundedAndTheQuietestGoes) {
  LoginDelays delays(4);
  const auto attempt = [&](const std::string& account) {
    return delays.Begin({.account = account, .address = account, .device = {}}, 1000).has_value();
  };
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(attempt("a"));
  EXPECT_TRUE(attempt("a"));
  for (const char* other : {"b", "c", "d"}) EXPECT_FALSE(attempt(other));
  EXPECT_TRUE(attempt("a"));
  EXPECT_FALSE(attempt("e"));
  EXPECT_FALSE(attempt("a")) << "the fifth entry took its place";
}

}  // namespace
}  // namespace framewall::backend::auth
