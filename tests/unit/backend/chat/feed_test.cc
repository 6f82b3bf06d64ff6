#include "backend/chat/feed.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

#include "support.h"

namespace framewall::backend::chat {
namespace {

std::vector<int64_t> From(int64_t first, int64_t last) {
  std::vector<int64_t> numbers(static_cast<size_t>(last - first + 1));
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

class FeedTest : public testing::Test {
 protected:
  void Stored(int count) {
    for (int i = 0; i < count; ++i) records.Store("old");
  }
  void Join(std::optional<int64_t> after, std::optional<int64_t> since = {}) {
    feed.emplace(Feed::Needs{loop, records, hub, answers}, owner,
                 RoomWish{.room = kRoom, .after = after, .since = since}, "ref");
  }
  // Committed and published.
  void Say(std::string text) {
    const store::Message message = records.Store(std::move(text));
    hub.Publish(RoomTopic(kRoom), MessageEvent(message));
  }
  void Publish(Event::Kind kind, std::string text, int64_t number = 0, uint64_t offset = 0,
               std::string user = {}) {
    Event event;
    event.kind = kind;
    event.room = kRoom;
    event.user = std::move(user);
    event.number = number;
    event.offset = offset;
    event.text = std::move(text);
    hub.Publish(RoomTopic(kRoom), std::move(event));
  }
  Json Joined() { return Json(owner.told.at(0)); }

  event::EventLoop loop;
  MemoryRecords records;
  Hub hub;
  NoAnswers answers;
  Owner owner;
  std::optional<Feed> feed;
};

TEST_F(FeedTest, ANewcomerHearsWhatIsNew) {
  Stored(3);
  Join({});
  records.Settle();
  EXPECT_EQ(Joined().type(), "joined");
  EXPECT_EQ(Joined().At("in_reply_to").Text(), "ref");
  EXPECT_EQ(Joined().At("last").Number(), 3);
  EXPECT_EQ(Joined().At("from").Number(), 4);
  EXPECT_EQ(records.reads, 0U);
  Say("new");
  EXPECT_EQ(owner.Numbers(), From(4, 4));
}

TEST_F(FeedTest, WhoComesBackHearsWhatHeMissed) {
  Stored(5);
  Join(2);
  records.Settle();
  EXPECT_EQ(Joined().At("from").Number(), 3);
  EXPECT_EQ(owner.Numbers(), From(3, 5));
  Say("new");
  EXPECT_EQ(owner.Numbers(), From(3, 6));
}

TEST_F(FeedTest, OfWhatWasMissedSoManyAreTold) {
  for (const int64_t more : {int64_t{0}, int64_t{1}}) {
    records.messages.clear();
    owner = Owner();
    Stored(static_cast<int>(Feed::kMissedTold + more));
    Join(0);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (owner.Numbers().size() < static_cast<size_t>(Feed::kMissedTold) &&
           std::chrono::steady_clock::now() < end) {
      loop.RunOnce(std::chrono::milliseconds(1));
      records.Settle();
    }
    EXPECT_EQ(Joined().At("from").Number(), 1 + more);
    EXPECT_EQ(owner.Numbers(), From(1 + more, Feed::kMissedTold + more));
  }
}

TEST_F(FeedTest, AnEmptyRoomBeginsWithOne) {
  Join(0);
  records.Settle();
  EXPECT_EQ(Joined().At("last").Number(), 0);
  EXPECT_EQ(Joined().At("from").Number(), 1);
  Say("first");
  EXPECT_EQ(owner.Numbers(), From(1, 1));
}

TEST_F(FeedTest, WhatComesWhileTheDatabaseIsAskedIsToldOnceAndInOrder) {
  Stored(2);
  Join(0);
  Say("before the question is looked at");
  records.Execute();
  Say("after it");
  records.Deliver();
  Say("while the page is read");
  records.Execute();
  Say("after the page");
  records.Deliver();
  records.Settle();
  EXPECT_EQ(owner.Numbers(), From(1, 6));
}

TEST_F(FeedTest, PagesAreReadUntilNothingIsMissing) {
  Stored(7);
  records.page_messages = 3;
  Join(0);
  records.Settle();
  EXPECT_EQ(owner.Numbers(), From(1, 7));
  EXPECT_EQ(records.reads, 3U);
}

TEST_F(FeedTest, AThousandMissedAreToldAndOneMoreIsLeftToHistory) {
  Stored(1001);
  Join(1);
  records.Settle();
  EXPECT_EQ(Joined().At("from").Number(), 2);
  EXPECT_EQ(owner.Numbers(), From(2, 1001));

  owner.told.clear();
  Join(0);
  records.Settle();
  EXPECT_EQ(Joined().At("from").Number(), 2);
  EXPECT_EQ(owner.Numbers(), From(2, 1001));
}

TEST_F(FeedTest, WhoKnowsMoreThanThereIsHearsWhatIsNew) {
  Stored(2);
  Join(500);
  records.Settle();
  EXPECT_EQ(Joined().At("from").Number(), 3);
  Say("new");
  EXPECT_EQ(owner.Numbers(), From(3, 3));
}

TEST_F(FeedTest, AGapIsReadFromTheDatabase) {
  Join({});
  records.Settle();
  records.Store("nobody told us of this one");
  Say("nor of what stands before it");
  EXPECT_TRUE(owner.Numbers().empty());
  Say("and this waits");
  records.Settle();
  EXPECT_EQ(owner.Numbers(), From(1, 3));
  Say("on");
  EXPECT_EQ(owner.Numbers(), From(1, 4));
}

TEST_F(FeedTest, TheSameEventTwiceIsToldOnce) {
  Join({});
  records.Settle();
  const store::Message message = records.Store("x");
  hub.Publish(RoomTopic(kRoom), MessageEvent(message));
  hub.Publish(RoomTopic(kRoom), MessageEvent(message));
  EXPECT_EQ(owner.Numbers(), From(1, 1));
}

TEST_F(FeedTest, NothingIsToldOfARoomThatIsNotForHim) {
  records.members.erase(kAnn.id);
  Join({});
  Say("secret");
  Publish(Event::Kind::kChange, "secret");
  records.Settle();
  Say("secret");
  EXPECT_TRUE(owner.told.empty());
  ASSERT_TRUE(owner.refused.has_value());
  EXPECT_EQ(owner.refused->status, 404);
  EXPECT_FALSE(feed->joined());
}

TEST_F(FeedTest, ADatabaseThatFailsIsSaid) {
  records.fails = true;
  Join({});
  records.Settle();
  ASSERT_TRUE(owner.refused.has_value());
  EXPECT_EQ(owner.refused->status, 503);
}

TEST_F(FeedTest, APageThatFailsEndsTheSocketForThereWouldBeAGap) {
  Stored(3);
  Join(0);
  records.Execute();
  records.Deliver();
  records.fails = true;
  records.Settle();
  EXPECT_TRUE(owner.failed);
  EXPECT_TRUE(owner.Numbers().empty());
}

TEST_F(FeedTest, NoFurtherPageWhileTheReaderIsBehind) {
  Stored(6);
  records.page_messages = 3;
  owner.waiting = Feed::kUnsentPause;
  Join(0);
  records.Execute();
  records.Deliver();
  records.Execute();
  records.Deliver();
  EXPECT_EQ(records.reads, 2U);  // as much as may wait does wait
  owner.waiting = Feed::kUnsentPause + 1;
  Join(0);
  records.reads = 0;
  records.Settle();
  for (int i = 0; i < 5; ++i) loop.RunOnce(std::chrono::milliseconds(10));
  EXPECT_EQ(records.reads, 0U);
  owner.waiting = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (owner.Numbers().size() < 6 && std::chrono::steady_clock::now() < end) {
    loop.RunOnce(std::chrono::milliseconds(10));
    records.Settle();
  }
  EXPECT_EQ(records.reads, 2U);
}

TEST_F(FeedTest, AsManyEventsWaitAsAreAllowed) {
  Join({});
  for (size_t i = 0; i < Feed::kWaiting; ++i) Publish(Event::Kind::kChange, "{}");
  EXPECT_FALSE(owner.too_slow);
  Publish(Event::Kind::kChange, "{}");
  EXPECT_TRUE(owner.too_slow);
}

TEST_F(FeedTest, PassingEventsAreNotForTheirOwnUser) {
  Join({});
  records.Settle();
  Publish(Event::Kind::kPassing, R"({"type":"typing"})", 0, 0, kAnn.id);
  EXPECT_EQ(owner.Types(), std::vector<std::string>{"joined"});
  Publish(Event::Kind::kPassing, R"({"type":"typing"})", 0, 0, kBob.id);
  EXPECT_EQ(owner.Types(), (std::vector<std::string>{"joined", "typing"}));
}

TEST_F(FeedTest, ARoomThatIsGoneSaysSo) {
  Join({});
  records.Settle();
  Publish(Event::Kind::kRemoved, "");
  EXPECT_TRUE(owner.room_gone);
}

TEST_F(FeedTest, ChangesSinceAreToldBeforeWhatWasMissed) {
  Stored(4);
  records.messages[0].edited = 200;
  records.messages[1].deleted = 200;
  records.messages[2].edited = 50;
  records.messages[2].role = "user";
  Join(3, 100);
  records.Settle();
  EXPECT_EQ(owner.Types(), (std::vector<std::string>{"joined", "edited", "deleted", "message"}));
  EXPECT_EQ(owner.Numbers(), From(4, 4));
}

TEST_F(FeedTest, AnAnswerThatEndedMeanwhileIsToldWhole) {
  const std::string id = records.Store("the whole", "assistant").id;
  Join(1, 100);
  records.Settle();
  ASSERT_EQ(owner.Types(), (std::vector<std::string>{"joined", "answer_end"}));
  EXPECT_EQ(Json(owner.told[1]).At("text").Text(), "the whole");
}

TEST_F(FeedTest, AnAnswerUnderWayIsShownAsFarAsItIs) {
  records.Store("", "assistant");
  answers.live = {{.number = 1, .id = records.messages[0].id, .text = "so far"}};
  Join(1, 100);
  records.Settle();
  ASSERT_EQ(owner.Types(), std::vector<std::string>{"joined"});
  EXPECT_EQ(Joined().At("answers").At(0).At("text").Text(), "so far");
  Publish(Event::Kind::kPiece, R"({"type":"answer_piece"})", 1, 6);
  EXPECT_EQ(owner.Types(), (std::vector<std::string>{"joined", "answer_piece"}));
}

TEST_F(FeedTest, APieceThatIsInTheTextAlreadyIsNotToldAgain) {
  records.Store("", "assistant");
  Join(0);
  Publish(Event::Kind::kPiece, R"({"type":"answer_piece","n":1})", 1, 0);
  answers.live = {{.number = 1, .id = records.messages[0].id, .text = "one"}};
  records.Execute();
  records.Deliver();
  Publish(Event::Kind::kPiece, R"({"type":"answer_piece","n":2})", 1, 3);
  records.Settle();
  EXPECT_EQ(owner.Types(), (std::vector<std::string>{"joined", "message", "answer_piece"}));
  EXPECT_EQ(Json(owner.told[1]).At("text").Text(), "one");
  EXPECT_EQ(Json(owner.told[2]).At("n").Number(), 2);
}

TEST_F(FeedTest, AFeedThatHasGoneIsNotToldWhatTheDatabaseSays) {
  Stored(1);
  Join(0);
  feed.reset();
  records.Settle();
  Say("x");
  EXPECT_TRUE(owner.told.empty());
  EXPECT_EQ(hub.topics(), 0U);
}

}  // namespace
}  // namespace framewall::backend::chat
