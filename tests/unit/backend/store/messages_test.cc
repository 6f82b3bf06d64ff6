#include "backend/store/messages.h"

#include <set>

#include "backend/store/rooms.h"
#include "tests/unit/backend/store/support.h"

namespace framewall::backend::store {
namespace {

class MessagesTest : public StoreTest {
 protected:
  void SetUp() override {
    Database::Options options;
    options.queue_limit = 10000;
    Open(options);
    AddUser("anna", "anna");
    AddUser("boris", "boris");
    for (const char* id : {"r1", "r2"}) {
      Room room;
      room.id = id;
      room.owner = "anna";
      Must([&](Connection& c) { return InsertRoom(c, room); });
    }
  }
  static NewMessage Saying(const std::string& text, const std::string& client_id = "") {
    NewMessage message;
    message.room = "r1";
    message.author = "anna";
    message.text = text;
    message.client_id = client_id;
    message.created = 100;
    return message;
  }
  Appended Append(const NewMessage& message) {
    return Must([&](Connection& c) { return AppendMessage(c, message); });
  }
  static std::string Numbers(const std::vector<Message>& messages) {
    std::string numbers;
    for (const Message& message : messages) numbers += std::to_string(message.number) + " ";
    return numbers;
  }
  std::string After(int64_t after, const MessageLimit& limit) {
    return Numbers(Must([&](Connection& c) { return MessagesAfter(c, "r1", after, limit); }));
  }
  std::string Before(int64_t before, const MessageLimit& limit) {
    return Numbers(Must([&](Connection& c) { return MessagesBefore(c, "r1", before, limit); }));
  }
  ChangedMessage Edit(int64_t number, const std::string& user, const std::string& text,
                      int64_t now = 200) {
    return Must([&](Connection& c) { return EditMessage(c, "r1", number, user, text, now); });
  }
  ChangedMessage Delete(int64_t number, const std::string& user, bool is_owner = false,
                        int64_t now = 300) {
    return Must([&](Connection& c) { return DeleteMessage(c, "r1", number, user, is_owner, now); });
  }
};

TEST_F(MessagesTest, NumbersAreThoseOfTheRoom) {
  EXPECT_EQ(1, Append(Saying("a")).message.number);
  EXPECT_EQ(2, Append(Saying("b")).message.number);
  NewMessage elsewhere = Saying("c");
  elsewhere.room = "r2";
  EXPECT_EQ(1, Append(elsewhere).message.number);
  EXPECT_EQ(3, Append(Saying("d")).message.number);
  EXPECT_EQ(3, Must([](Connection& c) { return FindRoom(c, "r1", "anna"); })->room.last_number);
}

TEST_F(MessagesTest, AMessageIsFoundAsItWasAdded) {
  const Message added = Append(Saying("Привет <script>", "c-1")).message;
  const auto found = Must([](Connection& c) { return FindMessage(c, "r1", 1); });
  ASSERT_TRUE(found);
  for (const Message& message : {added, *found}) {
    EXPECT_EQ(36u, message.id.size());
    EXPECT_EQ(added.id, message.id);
    EXPECT_EQ("r1", message.room);
    EXPECT_EQ("user", message.role);
    ASSERT_TRUE(message.author);
    EXPECT_EQ("anna", message.author->name);
    EXPECT_FALSE(message.asked_by);
    EXPECT_EQ("Привет <script>", message.text);
    EXPECT_EQ("whole", message.state);
    EXPECT_EQ(100, message.created);
    EXPECT_EQ(0, message.edited);
    EXPECT_FALSE(message.is_deleted());
    EXPECT_EQ("c-1", message.client_id);
  }
  EXPECT_FALSE(Must([](Connection& c) { return FindMessage(c, "r1", 2); }));
  EXPECT_FALSE(Must([](Connection& c) { return FindMessage(c, "none", 1); }));
}

TEST_F(MessagesTest, SentAgainItIsTheSame) {
  const Appended first = Append(Saying("a", "c-1"));
  EXPECT_FALSE(first.repeated);
  const Appended again = Append(Saying("another text", "c-1"));
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(first.message.id, again.message.id);
  EXPECT_EQ(1, again.message.number);
  EXPECT_EQ("a", again.message.text);
  // Another author, another room, no client id at all: other messages.
  NewMessage other = Saying("b", "c-1");
  other.author = "boris";
  EXPECT_FALSE(Append(other).repeated);
  other.room = "r2";
  EXPECT_FALSE(Append(other).repeated);
  EXPECT_FALSE(Append(Saying("x")).repeated);
  EXPECT_FALSE(Append(Saying("x")).repeated);
  EXPECT_EQ(4, Must([](Connection& c) { return FindRoom(c, "r1", "anna"); })->room.last_number);
}

// Both wait at once, so they are of one transaction perhaps.
TEST_F(MessagesTest, SentTwiceAtOnceItIsStoredOnce) {
  std::vector<Appended> told;
  for (int i = 0; i < 10; ++i) {
    db->Write<Appended>([](Connection& c) { return AppendMessage(c, Saying("a", "c-1")); },
                        [&](Result<Appended> result) {
                          ASSERT_TRUE(result.ok()) << result.error().message;
                          told.push_back(*result);
                        });
  }
  ASSERT_TRUE(RunUntil(loop, [&] { return told.size() == 10; }));
  for (size_t i = 0; i < told.size(); ++i) {
    EXPECT_EQ(i > 0, told[i].repeated);
    EXPECT_EQ(told[0].message.id, told[i].message.id);
    EXPECT_EQ(1, told[i].message.number);
  }
}

TEST_F(MessagesTest, NumbersHaveNoGapsAlsoWhereWritesFail) {
  std::set<int64_t> numbers;
  int told = 0;
  for (int i = 0; i < 1000; ++i) {
    NewMessage message = Saying("x");
    if (i % 7 == 0) message.author = "nobody";
    db->Write<Appended>([message](Connection& c) { return AppendMessage(c, message); },
                        [&](Result<Appended> result) {
                          ++told;
                          if (result.ok()) numbers.insert(result->message.number);
                        });
  }
  ASSERT_TRUE(RunUntil(loop, [&] { return told == 1000; }));
  ASSERT_EQ(857u, numbers.size());
  EXPECT_EQ(1, *numbers.begin());
  EXPECT_EQ(857, *numbers.rbegin());
}

TEST_F(MessagesTest, HistoryGoesBothWaysInPages) {
  for (int i = 0; i < 7; ++i) Append(Saying("12345"));
  EXPECT_EQ("1 2 3 ", After(0, {.messages = 3}));
  EXPECT_EQ("6 7 ", After(5, {.messages = 3}));
  EXPECT_EQ("", After(7, {.messages = 3}));
  EXPECT_EQ("7 6 5 ", Before(0, {.messages = 3}));
  EXPECT_EQ("2 1 ", Before(3, {.messages = 3}));
  EXPECT_EQ("", Before(1, {.messages = 3}));
  // 5 octets each; one comes in any case.
  EXPECT_EQ("1 2 ", After(0, {.messages = 9, .octets = 14}));
  EXPECT_EQ("1 2 3 ", After(0, {.messages = 9, .octets = 15}));
  EXPECT_EQ("1 ", After(0, {.messages = 9, .octets = 1}));
  EXPECT_EQ("7 6 ", Before(0, {.messages = 9, .octets = 10}));
}

TEST_F(MessagesTest, OnlyTheAuthorEdits) {
  Append(Saying("a"));
  EXPECT_EQ(MessageOutcome::kForbidden, Edit(1, "boris", "b").outcome);
  EXPECT_EQ(MessageOutcome::kNotFound, Edit(2, "anna", "b").outcome);
  const ChangedMessage edited = Edit(1, "anna", "b");
  EXPECT_EQ(MessageOutcome::kDone, edited.outcome);
  EXPECT_EQ("b", edited.message.text);
  EXPECT_EQ(200, edited.message.edited);
  const auto found = Must([](Connection& c) { return FindMessage(c, "r1", 1); });
  EXPECT_EQ("b", found->text);
  EXPECT_EQ(200, found->edited);
  EXPECT_EQ(100, found->created);
}

TEST_F(MessagesTest, AuthorAndOwnerDelete) {
  Append(Saying("a"));
  Append(Saying("b"));
  EXPECT_EQ(MessageOutcome::kForbidden, Delete(1, "boris").outcome);
  const ChangedMessage own = Delete(1, "anna");
  EXPECT_EQ(MessageOutcome::kDone, own.outcome);
  EXPECT_EQ("", own.message.text);
  EXPECT_EQ(300, own.message.deleted);
  EXPECT_EQ(MessageOutcome::kDone, Delete(2, "boris", true).outcome);
  EXPECT_EQ(MessageOutcome::kGone, Delete(2, "boris", true).outcome);
  EXPECT_EQ(MessageOutcome::kGone, Edit(1, "anna", "c").outcome);
  EXPECT_EQ(0, Number("SELECT count(*) FROM messages WHERE text != ''"));
  // The number stays.
  EXPECT_EQ("1 2 ", After(0, {.messages = 9}));
  EXPECT_EQ(3, Append(Saying("c")).message.number);
}

TEST_F(MessagesTest, AnAnswerGrowsAndIsNobodysToEdit) {
  NewMessage answer;
  answer.room = "r1";
  answer.role = "assistant";
  answer.asked_by = "boris";
  answer.model = "echo";
  answer.state = "cut";
  answer.created = 100;
  const Message begun = Append(answer).message;
  EXPECT_FALSE(begun.author);
  EXPECT_EQ("boris", begun.asked_by->name);
  EXPECT_EQ("echo", begun.model);
  EXPECT_EQ("cut", begun.state);
  EXPECT_TRUE(
      Must([&](Connection& c) { return SaveAnswer(c, begun.id, "whole text", "whole", 110); }));
  const auto found = Must([](Connection& c) { return FindMessage(c, "r1", 1); });
  EXPECT_EQ("whole text", found->text);
  EXPECT_EQ("whole", found->state);
  EXPECT_EQ(0, found->edited);
  EXPECT_EQ(MessageOutcome::kForbidden, Edit(1, "boris", "x").outcome);
  EXPECT_EQ(MessageOutcome::kForbidden, Delete(1, "boris").outcome);
  EXPECT_EQ(MessageOutcome::kDone, Delete(1, "anna", true).outcome);
  EXPECT_FALSE(Must([&](Connection& c) { return SaveAnswer(c, begun.id, "more", "whole", 400); }));
  // Not a way to change what people wrote.
  const Message said = Append(Saying("mine")).message;
  EXPECT_FALSE(Must([&](Connection& c) { return SaveAnswer(c, said.id, "x", "whole", 400); }));
}

TEST_F(MessagesTest, TellsWhatChangedInAWindow) {
  for (int i = 0; i < 10; ++i) Append(Saying("a"));
  NewMessage answer;
  answer.room = "r1";
  answer.role = "assistant";
  answer.state = "cut";
  answer.created = 100;
  const Message begun = Append(answer).message;
  const auto changed = [&](int64_t up_to, int64_t window, int64_t since) {
    return Numbers(
        Must([&](Connection& c) { return MessagesChangedSince(c, "r1", up_to, window, since); }));
  };
  EXPECT_EQ("", changed(11, 100, 0));
  Edit(2, "anna", "b", 200);
  Edit(5, "anna", "b", 201);
  Delete(7, "anna", false, 202);
  // Within the same millisecond as it was begun.
  Must([&](Connection& c) { return SaveAnswer(c, begun.id, "t", "whole", 100); });
  EXPECT_EQ("2 5 7 11 ", changed(11, 100, 0));
  EXPECT_EQ("5 7 ", changed(11, 100, 201));
  EXPECT_EQ("7 ", changed(11, 100, 202));
  EXPECT_EQ("", changed(11, 100, 203));
  EXPECT_EQ("2 5 ", changed(6, 100, 0));
  EXPECT_EQ("5 ", changed(6, 4, 0));    // 3 4 5 6
  EXPECT_EQ("2 5 ", changed(6, 5, 0));  // 2 3 4 5 6
}

}  // namespace
}  // namespace framewall::backend::store
