// The assistant of the chat, with the model that needs no server: an echo, a word every 20 ms.
#include <gtest/gtest.h>

#include <string>

#include "tests/functional/backend_chat_testing.h"

namespace framewall::test {
namespace {

using ChatAssistant = ChatTest;

// So many words that it takes seconds.
std::string Long() {
  std::string text = "@assistant";
  for (int i = 0; i < 150; ++i) text += " word" + std::to_string(i);
  return text;
}

// All of an answer: what the pieces are together is what its end says.
Json WholeAnswer(ChatSocket& socket, int64_t number) {
  std::string text;
  size_t pieces = 0;
  while (auto message = socket.Read()) {
    if (message->At("number").Number() != number) continue;
    if (message->type() == "answer_piece") {
      text += message->At("text").Text();
      ++pieces;
    }
    if (message->type() != "answer_end") continue;
    EXPECT_EQ(text, message->At("text").Text());
    EXPECT_GT(pieces, 1u);
    return *message;
  }
  ADD_FAILURE() << "no end";
  return Json("null");
}

Json Answer(ChatSocket& socket) {
  for (;;) {
    Json message = socket.Wait("message");
    if (message.At("role").Text() != "user" || socket.is_closed) return message;
  }
}

TEST_F(ChatAssistant, AnswersWhereItIsAddressedToAll) {
  Start();
  const ChatUser ann = Register("ann");
  const ChatUser bob = Register("bob");
  const std::string room = MakeRoom({ann, bob}, "echo");
  auto a = Join(ann, room);
  auto b = Join(bob, room);
  a->Message(room, "1", "not for you");
  a->Wait("ack");
  a->Message(room, "2", "@assistant who are you? Привет.");
  const Json begun = Answer(*b);
  EXPECT_EQ(begun.At("number").Number(), 3);
  EXPECT_EQ(begun.At("role").Text(), "assistant");
  EXPECT_EQ(begun.At("state").Text(), "streaming");
  EXPECT_EQ(begun.At("model").Text(), "echo");
  EXPECT_EQ(begun.At("asked_by").At("name").Text(), "ann");
  const Json end = WholeAnswer(*b, 3);
  EXPECT_EQ(end.At("state").Text(), "whole");
  EXPECT_NE(end.At("text").Text().find("who are you? Привет."), std::string::npos)
      << end.At("text").Text();
  EXPECT_GT(end.At("usage").At("completion_tokens").Number(), 0);
  a->Of("history", room, R"("limit":1)");
  EXPECT_EQ(a->Wait("history").At("messages").At(0).At("text").Text(), end.At("text").Text());
  // Its cost is that of who asked.
  const auto used = [&](const ChatUser& user) {
    return backend.Get("/api/v1/usage", user.bearer()).body;
  };
  EXPECT_TRUE(Eventually([&] { return used(ann).find("\"echo\"") != std::string::npos; }))
      << used(ann);
  EXPECT_EQ(used(bob).find("\"echo\""), std::string::npos) << used(bob);
}

TEST_F(ChatAssistant, AnswersEverythingInAConversation) {
  Start();
  const ChatUser ann = Register("ann");
  const std::string talk = MakeConversation(ann);
  auto a = Join(ann, talk);
  a->Message(talk, "1", "hello");
  EXPECT_EQ(Answer(*a).At("number").Number(), 2);
  EXPECT_EQ(WholeAnswer(*a, 2).At("state").Text(), "whole");
}

TEST_F(ChatAssistant, CanBeCancelledByWhoAskedAndByTheOwner) {
  Start();
  const ChatUser owner = Register("owner");
  const ChatUser ann = Register("ann");
  const ChatUser eve = Register("eve");
  const std::string room = MakeRoom({owner, ann, eve}, "echo");
  auto o = Join(owner, room);
  auto a = Join(ann, room);
  auto e = Join(eve, room);
  for (auto* socket : {a.get(), o.get()}) {
    a->Message(room, std::string("c") + (socket == a.get() ? "1" : "2"), Long());
    const std::string number = std::to_string(Answer(*socket).At("number").Number());
    socket->Wait("answer_piece");
    e->Of("cancel", room, "\"number\":" + number);
    EXPECT_EQ(e->WaitForError(), "forbidden");
    socket->Of("cancel", room, "\"number\":" + number);
    EXPECT_EQ(socket->Wait("ack").At("in_reply_to").Text(), "r");
    const Json end = socket->Wait("answer_end");
    EXPECT_EQ(end.At("state").Text(), "cut");
    EXPECT_FALSE(end.At("text").Text().empty());
    EXPECT_EQ(end.At("text").Text().find("word149"), std::string::npos);
    socket->Of("cancel", room, "\"number\":" + number);
    EXPECT_EQ(socket->WaitForError(), "not_found");
    o->Say(R"({"type":"ping"})");
    o->Wait("pong");
  }
}

TEST_F(ChatAssistant, GoesOnWithoutWhoAskedAndIsJoinedInTheMiddle) {
  Start();
  const ChatUser ann = Register("ann");
  const ChatUser bob = Register("bob");
  const std::string room = MakeRoom({ann, bob}, "echo");
  auto a = Join(ann, room);
  a->Message(room, "1", Long());
  EXPECT_EQ(Answer(*a).At("number").Number(), 2);
  a->Wait("answer_piece");
  a->client().raw().Reset();
  a.reset();
  // Bob was here for the question only.
  auto b = Come(bob);
  b->Hello(R"({"room":")" + room + R"(","after":2})");
  const Json joined = b->Wait("joined");
  ASSERT_EQ(joined.At("answers").size(), 1u);
  std::string text = joined.At("answers").At(0).At("text").Text();
  EXPECT_FALSE(text.empty());
  for (;;) {
    const auto message = b->Read();
    ASSERT_TRUE(message.has_value());
    if (message->type() == "answer_piece") text += message->At("text").Text();
    if (message->type() != "answer_end") continue;
    EXPECT_EQ(text, message->At("text").Text());
    EXPECT_EQ(message->At("state").Text(), "whole");
    break;
  }
}

TEST_F(ChatAssistant, ItsAnswersAreCounted) {
  Start();
  const ChatUser ann = Register("ann");
  const std::string room = MakeRoom({ann}, "echo");
  auto a = Join(ann, room);
  for (const char* name : {"1", "2"}) {
    a->Message(room, name, Long());
    Answer(*a);
  }
  a->Message(room, "3", Long());
  const Json refused = a->Wait("error");
  EXPECT_EQ(refused.At("problem").At("code").Text(), "too_many_answers");
  EXPECT_EQ(refused.At("in_reply_to").Text(), "3");
  // It was stored all the same.
  a->Of("history", room, R"("limit":1)");
  EXPECT_EQ(a->Wait("history").At("messages").At(0).At("client_id").Text(), "3");
}

TEST_F(ChatAssistant, IsCutWhenTheServerGoesAndWhenItIsKilled) {
  Start();
  ChatUser ann = Register("ann");
  const std::string room = MakeRoom({ann}, "echo");
  for (const bool killed : {false, true}) {
    {
      auto a = Join(ann, room);
      a->Message(room, killed ? "2" : "1", Long());
      Answer(*a);
      // Long enough that it was saved on its way.
      const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(2300);
      while (std::chrono::steady_clock::now() < end) a->Wait("answer_piece");
      if (killed) {
        backend.Kill();
      } else {
        EXPECT_EQ(backend.Terminate(), 0);
        const auto closed_with = [&] {
          a->WaitForClose();
          return a->code;
        };
        EXPECT_EQ(closed_with(), 1001);
      }
    }
    ASSERT_TRUE(backend.Start()) << backend.Output();
    ann = LogIn("ann");
    auto a = Join(ann, room);
    a->Of("history", room, R"("limit":1)");
    const Json cut = a->Wait("history").At("messages").At(0);
    EXPECT_EQ(cut.At("role").Text(), "assistant");
    EXPECT_EQ(cut.At("state").Text(), "cut");
    EXPECT_NE(cut.At("text").Text().find("word1"), std::string::npos) << cut.At("text").Text();
    EXPECT_EQ(cut.At("text").Text().find("word149"), std::string::npos);
  }
}

}  // namespace
}  // namespace framewall::test
