#include "backend/auth/password_hasher.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>

namespace framewall::backend::auth {
namespace {

using Clock = std::chrono::steady_clock;

class Hasher : public testing::Test {
 protected:
  void RunUntil(const std::function<bool()>& done) {
    const auto deadline = Clock::now() + std::chrono::seconds(30);
    while (!done() && Clock::now() < deadline) loop.RunOnce(std::chrono::milliseconds(20));
    ASSERT_TRUE(done());
  }
  std::string Hash(const std::string& password) {
    std::string made;
    EXPECT_TRUE(hasher.Hash(password, [&](Result<std::string> hash) { made = hash.value(); }));
    RunUntil([&] { return !made.empty(); });
    return made;
  }
  bool Fits(const std::string& password, const std::string& stored) {
    std::optional<bool> fits;
    EXPECT_TRUE(hasher.Check(password, stored, [&](bool answer) { fits = answer; }));
    RunUntil([&] { return fits.has_value(); });
    return *fits;
  }

  event::EventLoop loop;
  PasswordHasher hasher{loop, 2, 4};
};

TEST_F(Hasher, MakesYescryptWithASaltOfItsOwn) {
  const std::string first = Hash("correct horse");
  const std::string second = Hash("correct horse");
  EXPECT_TRUE(first.starts_with("$y$")) << first;
  EXPECT_NE(first, second);
  EXPECT_TRUE(Fits("correct horse", first));
  EXPECT_TRUE(Fits("correct horse", second));
  EXPECT_FALSE(Fits("correct horsf", first));
  EXPECT_FALSE(Fits("", first));
}

TEST_F(Hasher, TakesTheLongestPasswordWhole) {
  const std::string longest(kLongestPassword, 'a');
  const std::string hash = Hash(longest);
  EXPECT_TRUE(Fits(longest, hash));
  EXPECT_FALSE(Fits(longest.substr(1), hash));
}

// crypt(3) would take the beginning for all of it.
TEST_F(Hasher, RefusesAPasswordWithAZeroInIt) {
  const std::string hash = Hash("secret");
  EXPECT_FALSE(Fits(std::string("secret\0", 7), hash));
  EXPECT_FALSE(Fits(std::string("secret\0more", 11), hash));
  std::optional<bool> is_made;
  EXPECT_TRUE(hasher.Hash(std::string("secret\0more", 11),
                          [&](const Result<std::string>& made) { is_made = made.ok(); }));
  RunUntil([&] { return is_made.has_value(); });
  EXPECT_FALSE(*is_made);
}

TEST_F(Hasher, NothingFitsNobodysHash) {
  EXPECT_FALSE(Fits("correct horse", ""));
  EXPECT_FALSE(Fits("", ""));
  EXPECT_FALSE(Fits("correct horse", "*"));
  EXPECT_FALSE(Fits("*0", "*0"));
}

TEST_F(Hasher, NobodyTakesAsLongAsSomebody) {
  const std::string stored = Hash("correct horse");
  EXPECT_EQ(hasher.nobodys().size(), stored.size());
  const auto time_of = [&](const std::string& hash) {
    auto best = Clock::duration::max();
    for (int i = 0; i < 5; ++i) {
      const auto begin = Clock::now();
      EXPECT_FALSE(Fits("wrong password", hash));
      best = std::min(best, Clock::now() - begin);
    }
    return std::chrono::duration<double>(best).count();
  };
  const double ratio = time_of("") / time_of(stored);
  EXPECT_GT(ratio, 0.5);
  EXPECT_LT(ratio, 2.0);
}

TEST_F(Hasher, HasRoomForSoManyAndNoMore) {
  int taken = 0;
  int ended = 0;
  for (int i = 0; i < 20; ++i) {
    if (hasher.Check("a", "", [&](bool) { ++ended; })) ++taken;
  }
  // Two run, four wait; one that was quick to end makes room for another.
  EXPECT_GE(taken, 4);
  EXPECT_LT(taken, 20);
  RunUntil([&] { return ended == taken; });
  EXPECT_TRUE(hasher.Check("a", "", [&](bool) { ++ended; }));
  RunUntil([&] { return ended == taken + 1; });
}

TEST_F(Hasher, CallsNobodyOnceItIsStopped) {
  bool called = false;
  ASSERT_TRUE(hasher.Check("a", "", [&](bool) { called = true; }));
  hasher.Stop();
  for (int i = 0; i < 20; ++i) loop.RunOnce(std::chrono::milliseconds(20));
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace framewall::backend::auth
