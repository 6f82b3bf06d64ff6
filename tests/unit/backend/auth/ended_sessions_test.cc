#include "backend/auth/ended_sessions.h"

#include <gtest/gtest.h>

namespace framewall::backend::auth {
namespace {

class Listener final : public SessionWatcher {
 public:
  void OnSessionEnd(const SessionEnd& end) override {
    heard += end.user + "/" + end.session + "/" + end.reason + " ";
    if (then) then();
  }
  std::string heard;
  std::function<void()> then;
};

TEST(EndedSessions, AreRememberedAndTold) {
  EndedSessions ended(600'000);
  Listener listener;
  const auto watch = ended.Add(&listener);
  ended.Remember("before", 0);
  EXPECT_EQ(listener.heard, "");
  ended.End({"ann", "s1", "logout"}, 0);
  EXPECT_EQ(listener.heard, "ann/s1/logout ");
  EXPECT_TRUE(ended.Contains("s1"));
  EXPECT_TRUE(ended.Contains("before"));
  EXPECT_FALSE(ended.Contains("s2"));
}

TEST(EndedSessions, AreForgottenOnceTheirTokensAreOver) {
  EndedSessions ended(600'000);
  ended.End({"ann", "s1", "logout"}, 0);
  ended.Clean(600'000);
  EXPECT_TRUE(ended.Contains("s1"));
  ended.Clean(660'001);
  EXPECT_FALSE(ended.Contains("s1"));
}

TEST(EndedSessions, AWholeUserIsToldButNoSession) {
  EndedSessions ended(600'000);
  Listener listener;
  const auto watch = ended.Add(&listener);
  ended.End({"ann", "", "lock"}, 0);
  EXPECT_EQ(listener.heard, "ann//lock ");
  EXPECT_EQ(ended.size(), 0u);
}

TEST(EndedSessions, AWatchMayEndWhileItIsTold) {
  EndedSessions ended(600'000);
  Listener first;
  Listener second;
  Listener third;
  auto first_watch = ended.Add(&first);
  auto second_watch = ended.Add(&second);
  std::unique_ptr<SessionEvents::Watch> third_watch;
  first.then = [&] {
    first_watch.reset();
    second_watch.reset();
    if (!third_watch) third_watch = ended.Add(&third);
  };
  ended.End({"ann", "s1", "x"}, 0);
  EXPECT_EQ(second.heard, "");
  EXPECT_EQ(third.heard, "ann/s1/x ");
  ended.Clean(0);
  ended.End({"ann", "s2", "x"}, 0);
  EXPECT_EQ(first.heard, "ann/s1/x ");
  EXPECT_EQ(third.heard, "ann/s1/x ann/s2/x ");
}

TEST(EndedSessions, AWatchMayOutliveIt) {
  Listener listener;
  std::unique_ptr<SessionEvents::Watch> watch;
  {
    EndedSessions ended(600'000);
    watch = ended.Add(&listener);
  }
  watch.reset();
}

}  // namespace
}  // namespace framewall::backend::auth
