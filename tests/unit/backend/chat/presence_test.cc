#include "backend/chat/presence.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "support.h"

namespace framewall::backend::chat {
namespace {

class PresenceTest : public testing::Test, protected Listener {
 protected:
  void OnEvent(const EventRef& event) override { told.emplace_back(event->text); }
  // Until one more is told, or for two seconds.
  void WaitForEvent() {
    const size_t before = told.size();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (told.size() == before && std::chrono::steady_clock::now() < end) {
      loop.RunOnce(std::chrono::milliseconds(50));
    }
  }
  static Person Somebody(int i) {
    const std::string name = "user" + std::to_string(1000 + i);
    return {name, name, name};
  }

  event::EventLoop loop;
  Hub hub;
  Presence presence{loop, hub};
  std::vector<std::string> told;
  std::unique_ptr<Fanout::Subscription> subscription = hub.Subscribe(RoomTopic(kRoom), this);
};

TEST_F(PresenceTest, CountsPeopleNotSockets) {
  presence.Enter(kRoom, kAnn);
  presence.Enter(kRoom, kAnn);
  presence.Enter(kRoom, kBob);
  EXPECT_EQ(presence.Count(kRoom), 2U);
  presence.Leave(kRoom, kAnn.id);
  EXPECT_EQ(presence.Count(kRoom), 2U);
  presence.Leave(kRoom, kAnn.id);
  EXPECT_EQ(presence.Count(kRoom), 1U);
  ASSERT_EQ(presence.Online(kRoom).size(), 1U);
  EXPECT_EQ(presence.Online(kRoom)[0].name, "bob");
}

TEST_F(PresenceTest, TellsChangesTogether) {
  presence.Enter(kRoom, kAnn);
  presence.Enter(kRoom, kBob);
  EXPECT_TRUE(told.empty());
  WaitForEvent();
  ASSERT_EQ(told.size(), 1U);
  const Json event(told[0]);
  EXPECT_EQ(event.At("count").Number(), 2);
  EXPECT_EQ(event.At("came").size(), 2U);
  EXPECT_EQ(event.At("left").size(), 0U);
  presence.Leave(kRoom, kAnn.id);
  WaitForEvent();
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(Json(told[1]).At("left").At(0).At("name").Text(), "ann");
  EXPECT_EQ(Json(told[1]).At("count").Number(), 1);
}

TEST_F(PresenceTest, WhoIsBackWithinTheSecondWasNeverGone) {
  presence.Enter(kRoom, kAnn);
  presence.Enter(kRoom, kBob);
  WaitForEvent();
  presence.Leave(kRoom, kAnn.id);
  presence.Enter(kRoom, kAnn);
  const auto end = std::chrono::steady_clock::now() + Presence::kPause * 3 / 2;
  while (std::chrono::steady_clock::now() < end) loop.RunOnce(std::chrono::milliseconds(50));
  EXPECT_EQ(told.size(), 1U);
}

TEST_F(PresenceTest, NamesNobodyInACrowd) {
  for (size_t i = 0; i < Presence::kNamedInCrowd; ++i) presence.Enter(kRoom, Somebody(int(i)));
  WaitForEvent();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(Json(told[0]).At("came").size(), Presence::kTold);
  EXPECT_EQ(Json(told[0]).At("count").Number(), int64_t{Presence::kNamedInCrowd});
  presence.Enter(kRoom, kAnn);
  WaitForEvent();
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(Json(told[1]).At("came").size(), 0U);
  EXPECT_EQ(Json(told[1]).At("count").Number(), int64_t{Presence::kNamedInCrowd} + 1);
  EXPECT_EQ(presence.Online(kRoom).size(), Presence::kTold);
}

TEST_F(PresenceTest, StrangersLeavingChangeNothing) {
  presence.Leave(kRoom, kAnn.id);
  presence.Enter(kRoom, kBob);
  presence.Leave(kRoom, kAnn.id);
  EXPECT_EQ(presence.Count(kRoom), 1U);
}

}  // namespace
}  // namespace framewall::backend::chat
