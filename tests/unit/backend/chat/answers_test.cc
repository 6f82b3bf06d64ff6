#include "backend/chat/answers.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "support.h"

namespace framewall::backend::chat {
namespace {

// A model whose words the test says.
class SpokenModel final : public llm::Models {
 public:
  class Speech final : public llm::Completion {
   public:
    explicit Speech(SpokenModel& house) : house_(house) {}
    ~Speech() override { ++house_.ended; }
    void Pause() override {}
    void Resume() override {}

   private:
    SpokenModel& house_;
  };

  const std::vector<Model>& all() const override { return models; }
  std::unique_ptr<llm::Completion> Complete(const llm::CompletionRequest& asked,
                                            llm::CompletionEvents* events) override {
    requests.push_back(asked);
    speakers.push_back(events);
    if (refuses) return nullptr;
    return std::make_unique<Speech>(*this);
  }

  std::vector<Model> models = {{"echo", "echo", 0}};
  std::vector<llm::CompletionRequest> requests;
  std::vector<llm::CompletionEvents*> speakers;
  size_t ended = 0;
  bool refuses = false;
};

class AnswersTest : public testing::Test, protected Listener {
 protected:
  void OnEvent(const EventRef& event) override {
    told.emplace_back(event->text);
    events.push_back(event);
  }
  std::optional<Problem> Ask(const std::string& text, const Person& who = kAnn) {
    store::Message question = records.Store(text);
    question.author = who;
    records.messages.back().author = who;
    return answers.OnMessage(records.room, question);
  }
  void Turn(std::chrono::milliseconds time = std::chrono::milliseconds(0)) {
    const auto end = std::chrono::steady_clock::now() + time;
    do {
      loop.RunOnce(std::chrono::milliseconds(1));
      records.Settle();
    } while (std::chrono::steady_clock::now() < end);
  }
  bool WaitFor(size_t count) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (told.size() < count && std::chrono::steady_clock::now() < end) Turn();
    return told.size() >= count;
  }
  Json Last() { return Json(told.back()); }

  SpokenModel model;  // what has retired goes with the loop, and speaks to it
  event::EventLoop loop;
  MemoryRecords records;
  Hub hub;
  ChatLimits limits;
  Answers answers{{loop, records, hub, model, limits}};
  std::vector<std::string> told;
  std::vector<EventRef> events;
  std::unique_ptr<Fanout::Subscription> subscription = hub.Subscribe(RoomTopic(kRoom), this);
};

TEST_F(AnswersTest, BeginsAsAMessageGoesOnInPiecesAndEndsWhole) {
  EXPECT_FALSE(Ask("@assistant hello").has_value());
  records.Settle();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(Last().type(), "message");
  EXPECT_EQ(Last().At("number").Number(), 2);
  EXPECT_EQ(Last().At("role").Text(), "assistant");
  EXPECT_EQ(Last().At("state").Text(), "streaming");
  EXPECT_EQ(Last().At("asked_by").At("name").Text(), "ann");
  ASSERT_EQ(model.speakers.size(), 1U);

  model.speakers[0]->OnText("one ");
  model.speakers[0]->OnText("two");
  EXPECT_EQ(told.size(), 1U);  // joined within 20 ms
  ASSERT_TRUE(WaitFor(2));
  EXPECT_EQ(Last().type(), "answer_piece");
  EXPECT_EQ(Last().At("text").Text(), "one two");
  EXPECT_EQ(events[1]->offset, 0U);

  model.speakers[0]->OnText(" three");
  model.speakers[0]->OnEnd(llm::FinishReason::kStop, {.prompt_tokens = 3, .completion_tokens = 4});
  records.Settle();
  ASSERT_EQ(told.size(), 4U);
  EXPECT_EQ(Json(told[2]).At("text").Text(), " three");
  EXPECT_EQ(events[2]->offset, 7U);
  EXPECT_EQ(Last().type(), "answer_end");
  EXPECT_EQ(Last().At("state").Text(), "whole");
  EXPECT_EQ(Last().At("text").Text(), "one two three");
  EXPECT_EQ(Last().At("usage").At("completion_tokens").Number(), 4);
  EXPECT_EQ(records.messages[1].text, "one two three");
  EXPECT_EQ(records.messages[1].state, "whole");
  Turn();
  EXPECT_EQ(answers.count(), 0U);
  EXPECT_EQ(model.ended, 1U);
}

TEST_F(AnswersTest, AnswersInRoomsOnlyWhereItIsAddressed) {
  EXPECT_FALSE(Ask("hello all").has_value());
  records.Settle();
  EXPECT_TRUE(model.requests.empty());
  records.room.kind = store::RoomKind::kConversation;
  EXPECT_FALSE(Ask("hello").has_value());
  records.Settle();
  EXPECT_EQ(model.requests.size(), 1U);
}

TEST_F(AnswersTest, NeverAnswersItself) {
  records.room.kind = store::RoomKind::kConversation;
  store::Message own = records.Store("@assistant", "assistant");
  EXPECT_FALSE(answers.OnMessage(records.room, own).has_value());
  records.Settle();
  EXPECT_TRUE(model.requests.empty());
}

TEST_F(AnswersTest, TheModelIsToldTheRoomAndWhoSpeaks) {
  records.Store("before");
  records.Store("an answer", "assistant");
  Ask("@assistant what?", kBob);
  records.Settle();
  ASSERT_EQ(model.requests.size(), 1U);
  const auto& turns = model.requests[0].turns;
  ASSERT_EQ(turns.size(), 3U);
  EXPECT_EQ(turns[0].text, "Ann: before");
  EXPECT_EQ(turns[1].role, "assistant");
  EXPECT_EQ(turns[1].text, "an answer");
  EXPECT_EQ(turns[2].text, "Bob: @assistant what?");
  EXPECT_EQ(model.requests[0].model, "echo");
  EXPECT_EQ(model.requests[0].payer.user, kBob.id);
}

TEST_F(AnswersTest, TheModelIsToldTheLastTwentyAndNoMoreThanFits) {
  for (int i = 0; i < 30; ++i) records.Store("m" + std::to_string(i));
  Ask("@assistant");
  records.Settle();
  ASSERT_EQ(model.requests[0].turns.size(), 20U);
  EXPECT_EQ(model.requests[0].turns.front().text, "Ann: m11");
  for (int i = 0; i < 5; ++i) records.Store(std::string(16384, 'x'));
  Ask("@assistant again");
  records.Settle();
  EXPECT_EQ(model.requests[1].turns.size(), 4U);
  EXPECT_EQ(model.requests[1].turns.back().text, "Ann: @assistant again");
}

TEST_F(AnswersTest, AModelThatIsNotThereIsAProblem) {
  model.models.clear();
  const auto problem = Ask("@assistant");
  ASSERT_TRUE(problem.has_value());
  EXPECT_EQ(problem->code, "no_assistant");
  EXPECT_EQ(records.waiting(), 0U);
}

TEST_F(AnswersTest, AModelThatWillNotBeginFails) {
  model.refuses = true;
  Ask("@assistant");
  records.Settle();
  EXPECT_EQ(Last().type(), "answer_end");
  EXPECT_EQ(Last().At("state").Text(), "failed");
  EXPECT_EQ(Last().At("problem").At("code").Text(), "no_assistant");
}

TEST_F(AnswersTest, AProviderThatFailsSaysWhy) {
  Ask("@assistant");
  records.Settle();
  model.speakers[0]->OnText("half");
  model.speakers[0]->OnError({.status = 502, .code = "provider", .detail = "Gone.", .fields = {}});
  records.Settle();
  EXPECT_EQ(Last().At("state").Text(), "failed");
  EXPECT_EQ(Last().At("text").Text(), "half");
  EXPECT_EQ(Last().At("problem").At("code").Text(), "provider");
  EXPECT_EQ(records.messages[1].state, "failed");
}

TEST_F(AnswersTest, TwoAtATimeToAUser) {
  EXPECT_FALSE(Ask("@assistant 1").has_value());
  EXPECT_FALSE(Ask("@assistant 2").has_value());
  auto problem = Ask("@assistant 3");
  ASSERT_TRUE(problem.has_value());
  EXPECT_EQ(problem->code, "too_many_answers");
  EXPECT_FALSE(Ask("@assistant 4", kBob).has_value());
  records.Settle();
  EXPECT_EQ(model.requests.size(), 3U);
  model.speakers[0]->OnEnd(llm::FinishReason::kStop, {});
  records.Settle();
  EXPECT_FALSE(Ask("@assistant 5").has_value());
}

TEST_F(AnswersTest, WhatCouldNotBeginCountsNoMore) {
  records.fails = true;
  Ask("@assistant 1");
  Ask("@assistant 2");
  records.Settle();
  records.fails = false;
  EXPECT_FALSE(Ask("@assistant 3").has_value());
  EXPECT_FALSE(Ask("@assistant 4").has_value());
}

TEST_F(AnswersTest, CanBeCancelledByWhoAskedAndByTheOwner) {
  const Person eve = {"01920000-0000-7000-8000-0000000000e0", "eve", "Eve"};
  Ask("@assistant 1");
  Ask("@assistant 2");
  records.Settle();
  model.speakers[0]->OnText("as far as");
  EXPECT_EQ(answers.Cancel(kRoom, 3, eve.id).outcome, Outcome::kForbidden);
  EXPECT_EQ(answers.Cancel(kRoom, 99, kAnn.id).outcome, Outcome::kNotFound);
  EXPECT_EQ(answers.Cancel("elsewhere", 3, kAnn.id).outcome, Outcome::kNotFound);
  EXPECT_EQ(answers.Cancel(kRoom, 3, kAnn.id).outcome, Outcome::kDone);
  EXPECT_EQ(answers.Cancel(kRoom, 4, kBob.id).outcome, Outcome::kDone);
  model.speakers[0]->OnText(" nobody hears this");
  records.Settle();
  EXPECT_EQ(records.messages[2].text, "as far as");
  EXPECT_EQ(records.messages[2].state, "cut");
  EXPECT_EQ(Last().At("state").Text(), "cut");
  Turn();
  EXPECT_EQ(model.ended, 2U);
  EXPECT_EQ(answers.count(), 0U);
}

TEST_F(AnswersTest, IsCutWhereItIsTooLong) {
  limits.answer_octets = 10;
  Ask("@assistant");
  records.Settle();
  model.speakers[0]->OnText("1234567890");
  model.speakers[0]->OnEnd(llm::FinishReason::kStop, {});
  records.Settle();
  EXPECT_EQ(Last().At("state").Text(), "whole");
  Ask("@assistant");
  records.Settle();
  model.speakers[1]->OnText("123456789ё");
  records.Settle();
  EXPECT_EQ(Last().At("state").Text(), "cut");
  EXPECT_EQ(Last().At("text").Text(), "123456789");
  EXPECT_EQ(Last().At("problem").At("code").Text(), "answer_size");
}

TEST_F(AnswersTest, IsCutWhereItTakesTooLong) {
  limits.answer_time = std::chrono::milliseconds(30);
  Ask("@assistant");
  records.Settle();
  ASSERT_TRUE(WaitFor(2));
  EXPECT_EQ(Last().At("state").Text(), "cut");
  EXPECT_EQ(Last().At("problem").At("code").Text(), "answer_time");
}

TEST_F(AnswersTest, CharactersAreNotCutInPieces) {
  Ask("@assistant");
  records.Settle();
  model.speakers[0]->OnText("\xd1");
  Turn(std::chrono::milliseconds(60));
  EXPECT_EQ(told.size(), 1U);
  model.speakers[0]->OnText("\x91!");
  ASSERT_TRUE(WaitFor(2));
  EXPECT_EQ(Last().At("text").Text(), "ё!");
}

TEST_F(AnswersTest, IsSavedAsCutOnItsWay) {
  limits.save_pause = std::chrono::milliseconds(20);
  Ask("@assistant");
  records.Settle();
  model.speakers[0]->OnText("so far");
  Turn(std::chrono::milliseconds(100));
  EXPECT_EQ(records.messages[1].text, "so far");
  EXPECT_EQ(records.messages[1].state, "cut");
  ASSERT_EQ(answers.OfRoom(kRoom).size(), 1U);
  EXPECT_EQ(answers.OfRoom(kRoom)[0].text, "so far");
  answers.CutAll();
  records.Settle();
  EXPECT_EQ(records.messages[1].state, "cut");
}

TEST_F(AnswersTest, ADeletedOneSaysNoWordMore) {
  Ask("@assistant");
  records.Settle();
  model.speakers[0]->OnText("secret");
  records.messages[1].deleted = 1;
  answers.OnMessageDeleted(records.messages[1]);
  records.Settle();
  Turn(std::chrono::milliseconds(50));
  EXPECT_EQ(told.size(), 1U);
  EXPECT_TRUE(records.messages[1].text.empty());
  EXPECT_EQ(answers.count(), 0U);
}

TEST_F(AnswersTest, ADeletedOneSaysNothingOfItsEndEither) {
  Ask("@assistant");
  records.Settle();
  model.speakers[0]->OnText("secret");
  model.speakers[0]->OnEnd(llm::FinishReason::kStop, {});
  const size_t before = told.size();
  answers.OnMessageDeleted(records.messages[1]);
  records.Settle();
  EXPECT_EQ(told.size(), before);
  Turn();
  EXPECT_EQ(answers.count(), 0U);
}

TEST_F(AnswersTest, EndWithTheirRoom) {
  Ask("@assistant");
  records.Settle();
  answers.OnRoomGone("another");
  EXPECT_EQ(answers.count(), 1U);
  answers.OnRoomGone(kRoom);
  records.Settle();
  EXPECT_EQ(Last().At("state").Text(), "cut");
}

}  // namespace
}  // namespace framewall::backend::chat
