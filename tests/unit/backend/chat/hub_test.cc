#include "backend/chat/hub.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace framewall::backend::chat {
namespace {

class Heard final : public Listener {
 public:
  void OnEvent(const EventRef& event) override {
    texts.push_back(event->text);
    frames.push_back(event->frame);
    if (then) then(*event);
  }
  std::vector<std::string> texts;
  std::vector<server::Socket::Frame> frames;
  std::function<void(const Event&)> then;
};

Event Say(std::string text) {
  Event event;
  event.text = std::move(text);
  return event;
}

TEST(Hub, TellsAllOfATopicAndNobodyElse) {
  Hub hub;
  Heard ann, bob, eve;
  const auto a = hub.Subscribe("room/1", &ann);
  const auto b = hub.Subscribe("room/1", &bob);
  const auto e = hub.Subscribe("room/2", &eve);
  hub.Publish("room/1", Say("x"));
  EXPECT_EQ(ann.texts, std::vector<std::string>{"x"});
  EXPECT_EQ(bob.texts, std::vector<std::string>{"x"});
  EXPECT_TRUE(eve.texts.empty());
}

TEST(Hub, FramesOnceForAll) {
  Hub hub;
  Heard ann, bob;
  const auto a = hub.Subscribe("room/1", &ann);
  const auto b = hub.Subscribe("room/1", &bob);
  hub.Publish("room/1", Say("hello"));
  ASSERT_EQ(ann.frames.size(), 1U);
  EXPECT_EQ(ann.frames[0], bob.frames[0]);
  EXPECT_EQ(*ann.frames[0], "\x81\x05hello");
}

TEST(Hub, ForgetsTopicsThatNobodyListensTo) {
  Hub hub;
  Heard ann;
  {
    const auto a = hub.Subscribe("room/1", &ann);
    EXPECT_EQ(hub.topics(), 1U);
    EXPECT_EQ(hub.subscribers("room/1"), 1U);
  }
  EXPECT_EQ(hub.topics(), 0U);
  hub.Publish("room/1", Say("x"));
  EXPECT_TRUE(ann.texts.empty());
}

TEST(Hub, AListenerMayEndSubscriptionsHisOwnToo) {
  Hub hub;
  Heard first, second, third;
  auto one = hub.Subscribe("t", &first);
  auto two = hub.Subscribe("t", &second);
  auto three = hub.Subscribe("t", &third);
  first.then = [&](const Event&) {
    one.reset();
    two.reset();
  };
  hub.Publish("t", Say("1"));
  EXPECT_EQ(first.texts.size(), 1U);
  EXPECT_TRUE(second.texts.empty());
  EXPECT_EQ(third.texts.size(), 1U);
  hub.Publish("t", Say("2"));
  EXPECT_EQ(first.texts.size(), 1U);
  EXPECT_EQ(third.texts, (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(hub.subscribers("t"), 1U);
}

TEST(Hub, AllMayLeaveWhileBeingTold) {
  Hub hub;
  Heard first, second;
  auto one = hub.Subscribe("t", &first);
  auto two = hub.Subscribe("t", &second);
  first.then = [&](const Event&) {
    one.reset();
    two.reset();
  };
  hub.Publish("t", Say("1"));
  EXPECT_EQ(hub.topics(), 0U);
  const auto again = hub.Subscribe("t", &second);
  hub.Publish("t", Say("2"));
  EXPECT_EQ(second.texts, std::vector<std::string>{"2"});
}

TEST(Hub, WhoSubscribesMeanwhileHearsTheNext) {
  Hub hub;
  Heard first, late;
  std::unique_ptr<Fanout::Subscription> added;
  const auto one = hub.Subscribe("t", &first);
  first.then = [&](const Event&) {
    if (added == nullptr) added = hub.Subscribe("t", &late);
  };
  hub.Publish("t", Say("1"));
  EXPECT_TRUE(late.texts.empty());
  hub.Publish("t", Say("2"));
  EXPECT_EQ(late.texts, std::vector<std::string>{"2"});
}

TEST(Hub, WhatIsPublishedMeanwhileIsToldAfterwards) {
  Hub hub;
  Heard first, second;
  const auto one = hub.Subscribe("t", &first);
  const auto two = hub.Subscribe("t", &second);
  first.then = [&](const Event& event) {
    if (event.text == "1") hub.Publish("t", Say("2"));
  };
  hub.Publish("t", Say("1"));
  EXPECT_EQ(first.texts, (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(second.texts, (std::vector<std::string>{"1", "2"}));
}

TEST(Hub, SubscriptionsMayOutliveIt) {
  auto hub = std::make_unique<Hub>();
  Heard ann;
  auto a = hub->Subscribe("t", &ann);
  hub.reset();
  a.reset();
  EXPECT_TRUE(ann.texts.empty());
}

TEST(Hub, ManyComeAndGoAndEachHearsEachOnce) {
  Hub hub;
  std::vector<Heard> heard(50);
  std::vector<std::unique_ptr<Fanout::Subscription>> places(50);
  std::vector<size_t> expected(50);
  uint32_t random = 1;
  for (int round = 0; round < 2000; ++round) {
    random = random * 1664525 + 1013904223;
    const size_t who = (random >> 16) % 50;
    if (places[who] == nullptr) {
      places[who] = hub.Subscribe("t", &heard[who]);
    } else {
      places[who].reset();
    }
    hub.Publish("t", Say("x"));
    for (size_t i = 0; i < 50; ++i) expected[i] += places[i] != nullptr ? 1 : 0;
  }
  for (size_t i = 0; i < 50; ++i) EXPECT_EQ(heard[i].texts.size(), expected[i]) << i;
}

}  // namespace
}  // namespace framewall::backend::chat
