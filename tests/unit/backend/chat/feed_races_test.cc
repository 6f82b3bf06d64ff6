// A room under way while people come, lose their connection and come back, with everything that is
// asynchronous in an order of chance: what a client then has is the room.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "backend/chat/feed.h"
#include "support.h"

namespace framewall::backend::chat {
namespace {

// A client as docs/chat-protocol.md wants it.
class Client {
 public:
  void Hear(const std::string& text) {
    const Json json(text);
    const std::string type = json.type();
    const int64_t number = json.At("number").Number();
    if (type == "joined") {
      expected_ = json.At("from").Number();
      const Json answers = json.At("answers");
      for (size_t i = 0; i < answers.size(); ++i) {
        const int64_t answer = answers.At(i).At("number").Number();
        if (texts.contains(answer)) texts[answer] = answers.At(i).At("text").Text();
      }
    } else if (type == "message") {
      EXPECT_EQ(number, expected_) << "a gap or a double";
      ++expected_;
      EXPECT_FALSE(texts.contains(number)) << "a double";
      texts[number] = json.At("text").Text();
      last = number;
      if (json.At("state").Text() == "streaming") streaming_.insert(number);
    } else if (type == "answer_piece") {
      // Of an answer that began before the one who came without `after`.
      if (texts.contains(number)) texts[number] += json.At("text").Text();
    } else if (type == "answer_end" || type == "edited") {
      if (!texts.contains(number)) return;
      // Where it was streaming the pieces are the whole text. Where it was read just before it
      // ended, and told behind that, its beginning is all that was told.
      if (type == "answer_end" && whole_since_join_) {
        const std::string whole = json.At("text").Text();
        if (streaming_.contains(number) || ended.contains(number)) {
          EXPECT_EQ(texts[number], whole);
        } else {
          EXPECT_TRUE(whole.starts_with(texts[number])) << texts[number];
        }
      }
      if (type == "answer_end") ended.insert(number);
      texts[number] = json.At("text").Text();
    }
  }
  void LoseConnection() { whole_since_join_ = false; }

  std::map<int64_t, std::string> texts;
  std::set<int64_t> ended;
  int64_t last = 0;

 private:
  int64_t expected_ = 0;
  std::set<int64_t> streaming_;
  bool whole_since_join_ = true;
};

class Room : public testing::TestWithParam<unsigned> {
 protected:
  struct Socket final : FeedOwner {
    explicit Socket(Client& owner) : client(owner) {}
    const Person& person() const override { return kAnn; }
    void Tell(std::string_view text) override { client.Hear(std::string(text)); }
    void Tell(const server::Socket::Frame& frame) override { client.Hear(Unframed(*frame)); }
    size_t unsent() const override { return 0; }
    void OnJoined(Joined joined) override { client.Hear(JoinedText(joined)); }
    void OnNotJoined(const std::string&, const std::string&, const Problem&) override { FAIL(); }
    void OnFeedTooSlow() override { FAIL(); }
    void OnFeedFailed() override { FAIL(); }
    void OnRoomGone(const std::string&) override { FAIL(); }
    Client& client;
    std::unique_ptr<Feed> feed;
  };

  void Publish(Event::Kind kind, int64_t number, uint64_t offset, std::string text) {
    Event event;
    event.kind = kind;
    event.room = kRoom;
    event.number = number;
    event.offset = offset;
    event.text = std::move(text);
    hub.Publish(RoomTopic(kRoom), std::move(event));
  }
  // The next of what was committed is published: as the loop hears of commits, in their order.
  void PublishNext() {
    if (committed.empty()) return;
    const auto tell = std::move(committed.front());
    committed.pop_front();
    tell();
  }
  AnswerSoFar* FindLive(int64_t number) {
    for (AnswerSoFar& answer : answers.live) {
      if (answer.number == number) return &answer;
    }
    return nullptr;
  }

  void Say() {
    const store::Message message = records.Store("text " + std::to_string(records.messages.size()));
    committed.push_back([this, message] { hub.Publish(RoomTopic(kRoom), MessageEvent(message)); });
  }
  void BeginAnswer() {
    store::Message message = records.Store("", "assistant");
    committed.push_back([this, message]() mutable {
      answers.live.push_back({.number = message.number, .id = message.id, .text = ""});
      message.state = "streaming";
      hub.Publish(RoomTopic(kRoom), MessageEvent(message));
    });
  }
  void SayPiece() {
    if (answers.live.empty()) return;
    AnswerSoFar& answer = answers.live[Below(answers.live.size())];
    if (ending.contains(answer.number)) return;
    const std::string piece = "p" + std::to_string(Below(1000)) + " ";
    const uint64_t offset = answer.text.size();
    answer.text += piece;
    store::Message message = records.messages.at(static_cast<size_t>(answer.number) - 1);
    Publish(Event::Kind::kPiece, answer.number, offset, AnswerPieceText(message, piece));
    // Now and then what came so far is stored.
    if (Below(3) == 0) {
      records.messages.at(static_cast<size_t>(answer.number) - 1).text = answer.text;
    }
  }
  void EndAnswer() {
    if (answers.live.empty()) return;
    const int64_t number = answers.live[Below(answers.live.size())].number;
    if (!ending.insert(number).second) return;
    store::Message& message = records.messages.at(static_cast<size_t>(number) - 1);
    message.text = FindLive(number)->text;
    message.state = "whole";
    committed.push_back([this, number, message] {
      std::erase_if(answers.live,
                    [&](const AnswerSoFar& answer) { return answer.number == number; });
      Publish(Event::Kind::kAnswerEnd, number, 0, AnswerEndText(message, {}, {}));
    });
  }
  void Edit() {
    if (records.messages.empty()) return;
    store::Message& message = records.messages[Below(records.messages.size())];
    if (message.role != "user") return;
    message.text += "!";
    message.edited = 10;
    committed.push_back(
        [this, message] { Publish(Event::Kind::kChange, 0, 0, MessageText("edited", message)); });
  }

  size_t Below(size_t end) { return std::uniform_int_distribution<size_t>(0, end - 1)(random); }

  event::EventLoop loop;
  MemoryRecords records;
  Hub hub;
  NoAnswers answers;
  std::deque<std::function<void()>> committed;
  std::set<int64_t> ending;
  std::mt19937 random{GetParam()};
};

TEST_P(Room, IsWhatEveryClientHas) {
  records.page_messages = 4;
  std::vector<Client> clients(4);
  std::vector<std::unique_ptr<Socket>> sockets(clients.size());
  const auto come = [&](size_t i) {
    if (sockets[i] != nullptr) return;
    sockets[i] = std::make_unique<Socket>(clients[i]);
    sockets[i]->feed =
        std::make_unique<Feed>(Feed::Needs{loop, records, hub, answers}, *sockets[i],
                               RoomWish{.room = kRoom, .after = clients[i].last, .since = 1}, "");
  };
  for (int step = 0; step < 600; ++step) {
    switch (Below(12)) {
      case 0:
      case 1:
        Say();
        break;
      case 2:
        BeginAnswer();
        break;
      case 3:
      case 4:
        SayPiece();
        break;
      case 5:
        EndAnswer();
        break;
      case 6:
        if (Below(3) == 0) Edit();
        break;
      case 7:
        come(Below(clients.size()));
        break;
      case 8:
        if (const size_t who = Below(clients.size()); Below(4) == 0 && sockets[who] != nullptr) {
          sockets[who].reset();
          clients[who].LoseConnection();
        }
        break;
      case 9:
        records.Execute();
        break;
      case 10:
        records.Deliver();
        break;
      default:
        PublishNext();
        break;
    }
  }
  for (size_t i = 0; i < clients.size(); ++i) come(i);
  while (!committed.empty()) PublishNext();
  records.Settle();
  while (!answers.live.empty()) {
    EndAnswer();
    while (!committed.empty()) PublishNext();
  }
  records.Settle();
  for (const Client& client : clients) {
    ASSERT_EQ(client.texts.size(), records.messages.size());
    for (const store::Message& message : records.messages) {
      EXPECT_EQ(client.texts.at(message.number), message.text) << message.number;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Orders, Room, testing::Range(0U, 200U));

}  // namespace
}  // namespace framewall::backend::chat
