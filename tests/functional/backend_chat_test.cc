// The chat, as its protocol (docs/chat-protocol.md) tells it, over the real framewall-backend.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/functional/backend_chat_testing.h"

namespace framewall::test {
namespace {

using Chat = ChatTest;

constexpr char kOrigin[] = "Origin: http://localhost:8080\r\n";
constexpr char kOtherOrigin[] = "Origin: http://localhost:8081\r\n";

// --- coming in ---

TEST_F(Chat, NobodyComesInWithoutCredentials) {
  Start();
  EXPECT_EQ(Connect("")->status(), 401);
  EXPECT_EQ(Connect(kOrigin)->status(), 401);
  EXPECT_EQ(Connect("Authorization: Bearer x.y.z\r\n")->status(), 401);
  EXPECT_EQ(Connect(kOrigin, "?ticket=made-up")->status(), 401);
  EXPECT_EQ(Connect("Cookie: refresh=fwr_x\r\n")->status(), 401);
  EXPECT_EQ(backend.Get("/ws/chat").status(), 401);
}

TEST_F(Chat, ATicketIsGoodOnceAndFromThePageAlone) {
  Start();
  const ChatUser ann = Register("ann");
  const std::string ticket = Ticket(ann);
  auto socket = Connect(kOrigin, "?ticket=" + ticket);
  ASSERT_EQ(socket->status(), 101);
  socket->Hello();
  EXPECT_EQ(socket->Wait("welcome").At("user").At("id").Text(), ann.id);
  EXPECT_EQ(Connect(kOrigin, "?ticket=" + ticket)->status(), 401);

  EXPECT_EQ(Connect(kOtherOrigin, "?ticket=" + Ticket(ann))->status(), 403);
  EXPECT_EQ(Connect("Origin: null\r\n", "?ticket=" + Ticket(ann))->status(), 403);
  EXPECT_EQ(Connect("", "?ticket=" + Ticket(ann))->status(), 403);
  EXPECT_EQ(Connect(std::string(kOrigin) + kOrigin, "?ticket=" + Ticket(ann))->status(), 403);
  // One that was shown from elsewhere is used up.
  const std::string burnt = Ticket(ann);
  EXPECT_EQ(Connect(kOtherOrigin, "?ticket=" + burnt)->status(), 403);
  EXPECT_EQ(Connect(kOrigin, "?ticket=" + burnt)->status(), 401);
}

TEST_F(Chat, ABearerTokenNeedsNoOriginButNoOther) {
  Start();
  const ChatUser ann = Register("ann");
  EXPECT_EQ(Connect(ann.bearer())->status(), 101);
  EXPECT_EQ(Connect(ann.bearer() + kOrigin)->status(), 101);
  EXPECT_EQ(Connect(ann.bearer() + kOtherOrigin)->status(), 403);
  const std::string protocols =
      "Sec-WebSocket-Protocol: bearer, " + ann.token + ", framewall.chat\r\n";
  auto socket = Connect(protocols);
  EXPECT_EQ(socket->status(), 101);
  EXPECT_EQ(socket->client().answer().Header("Sec-WebSocket-Protocol"), "framewall.chat");
  EXPECT_EQ(Connect("Sec-WebSocket-Protocol: bearer, x.y.z, framewall.chat\r\n")->status(), 401);
  EXPECT_EQ(Connect(protocols + kOtherOrigin)->status(), 403);
}

TEST_F(Chat, AKeyNeedsItsScope) {
  Start();
  const ChatUser ann = Register("ann");
  const auto key = [&](const std::string& scope) {
    const HttpMessage answer = backend.Request("POST", "/api/v1/keys", ann.bearer(),
                                               R"({"name":"k","scopes":[")" + scope + "\"]}");
    EXPECT_EQ(answer.status(), 201) << answer.body;
    return "Authorization: Bearer " + Json(answer.body).At("key").Text() + "\r\n";
  };
  EXPECT_EQ(Connect(key("rooms:write"))->status(), 403);
  auto socket = Connect(key("chat"));
  ASSERT_EQ(socket->status(), 101);
  socket->Hello();
  EXPECT_FALSE(socket->Wait("welcome").Has("expires"));
}

TEST_F(Chat, WhatIsNoHandshakeIsTold) {
  Start();
  const ChatUser ann = Register("ann");
  EXPECT_EQ(backend.Get("/ws/chat", ann.bearer()).status(), 426);
}

TEST_F(Chat, SocketsOfAUserAreCounted) {
  Start("chat: {sockets: 2}\n");
  const ChatUser ann = Register("ann");
  const ChatUser bob = Register("bob");
  auto first = Come(ann);
  auto second = Come(ann);
  EXPECT_EQ(first->status(), 101);
  EXPECT_EQ(second->status(), 101);
  EXPECT_EQ(Come(ann)->status(), 429);
  EXPECT_EQ(Come(bob)->status(), 101);
  first.reset();
  EXPECT_TRUE(Eventually([&] { return Come(ann)->status() == 101; }));
}

// --- talking ---

TEST_F(Chat, TwoPeopleTalk) {
  Start();
  const ChatUser ann = Register("ann");
  const ChatUser bob = Register("bob");
  const std::string room = MakeRoom({ann, bob});
  auto a = Join(ann, room);
  auto b = Join(bob, room);
  a->Message(room, "c1", "Кто взял <b>чашку</b>?\\nline");
  const Json ack = a->Wait("ack");
  EXPECT_EQ(ack.At("client_id").Text(), "c1");
  EXPECT_EQ(ack.At("number").Number(), 1);
  EXPECT_EQ(ack.At("repeated").Text(), "false");
  const Json heard = b->Wait("message");
  EXPECT_EQ(heard.At("text").Text(), "Кто взял <b>чашку</b>?\nline");
  EXPECT_EQ(heard.At("author").At("name").Text(), "ann");
  EXPECT_EQ(heard.At("number").Number(), 1);
  EXPECT_EQ(a->Wait("message").At("id").Text(), ack.At("id").Text());
  b->Message(room, "c1", "I");
  b->Wait("ack");
  EXPECT_EQ(a->Wait("message").At("author").At("name").Text(), "bob");

  b->Of("edit", room, R"("number":2,"text":"It was me")");
  EXPECT_EQ(b->Wait("ack").At("in_reply_to").Text(), "r");
  EXPECT_EQ(a->Wait("edited").At("text").Text(), "It was me");
  a->Of("delete", room, R"("number":1)");
  EXPECT_EQ(b->Wait("deleted").At("number").Number(), 1);
  a->Of("typing", room, R"("active":true)");
  EXPECT_EQ(b->Wait("typing").At("user").At("name").Text(), "ann");
  a->Of("history", room, R"("limit":10)");
  const Json history = a->Wait("history");
  ASSERT_EQ(history.At("messages").size(), 2u);
  EXPECT_EQ(history.At("messages").At(0).At("text").Text(), "");
  EXPECT_EQ(history.At("messages").At(1).At("text").Text(), "It was me");
  const auto present = [&] {
    a->Of("presence", room);
    for (;;) {
      const Json presence = a->Wait("presence");
      if (presence.Has("online") || a->is_closed) return presence.At("count").Number();
    }
  };
  EXPECT_EQ(present(), 2);
  b.reset();
  // Asked at a pace that is allowed.
  EXPECT_TRUE(Eventually([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    return present() == 1;
  }));
}

TEST_F(Chat, OtherPeoplesRoomsAreNotThere) {
  Start();
  const ChatUser ann = Register("ann");
  const ChatUser eve = Register("eve");
  const std::string room = MakeRoom({ann});
  auto a = Join(ann, room);
  auto e = Come(eve);
  e->Hello(R"({"room":")" + room + "\"}");
  EXPECT_EQ(e->WaitForError(), "not_found");
  e->Message(room, "c", "let me in");
  EXPECT_EQ(e->WaitForError(), "not_joined");
  e->Of("history", room);
  EXPECT_EQ(e->WaitForError(), "not_joined");
  a->Message(room, "c", "secret");
  a->Wait("ack");
  e->Say(R"({"type":"ping"})");
  EXPECT_EQ(e->Read()->type(), "pong");
}

TEST_F(Chat, SendingAgainIsTheSameMessageAlsoAfterAKill) {
  Start();
  ChatUser ann = Register("ann");
  const ChatUser bob = Register("bob");
  const std::string room = MakeRoom({ann, bob});
  auto a = Join(ann, room);
  a->Message(room, "c1", "once");
  const Json first = a->Wait("ack");
  a->Message(room, "c1", "once");
  const Json second = a->Wait("ack");
  EXPECT_EQ(second.At("repeated").Text(), "true");
  EXPECT_EQ(second.At("id").Text(), first.At("id").Text());
  backend.Kill();
  ASSERT_TRUE(backend.Start()) << backend.Output();
  ann = LogIn("ann");
  a = Join(ann, room, 0);
  EXPECT_EQ(a->Wait("message").At("number").Number(), 1);
  a->Message(room, "c1", "once");
  const Json third = a->Wait("ack");
  EXPECT_EQ(third.At("id").Text(), first.At("id").Text());
  EXPECT_EQ(third.At("number").Number(), first.At("number").Number());
  EXPECT_EQ(third.At("created").Text(), first.At("created").Text());
  // Another's may be called the same.
  auto b = Join(bob, room);
  b->Message(room, "c1", "mine");
  EXPECT_EQ(b->Wait("ack").At("repeated").Text(), "false");
}

// --- limits ---

TEST_F(Chat, TextsAreAsLongAsIsSaid) {
  Start("limits: {message_limit: 100, message_characters: 60}\n");
  const ChatUser ann = Register("ann");
  const std::string room = MakeRoom({ann});
  auto a = Join(ann, room);
  a->Message(room, "1", std::string(60, 'x'));
  a->Wait("ack");
  a->Message(room, "2", std::string(61, 'x'));
  const Json refused = a->Wait("error");
  EXPECT_EQ(refused.At("in_reply_to").Text(), "2");
  EXPECT_EQ(refused.At("problem").At("errors").At(0).At("pointer").Text(), "/text");
  std::string wide;
  for (int i = 0; i < 50; ++i) wide += "ё";
  a->Message(room, "3", wide);
  a->Wait("ack");
  a->Message(room, "4", wide + "x");
  EXPECT_EQ(a->WaitForError(), "validation");
  // 3 x 100 + 16384 octets of a whole message.
  const std::string head = R"({"type":"ping","x":")";
  a->Say(head + std::string(16684 - head.size() - 2, 'x') + "\"}");
  a->Wait("pong");
  a->Say(head + std::string(16685 - head.size() - 2, 'x') + "\"}");
  a->WaitForClose();
  EXPECT_EQ(a->code, 1009);
}

TEST_F(Chat, RoomsOfASocketAreCounted) {
  Start("chat: {rooms: 2}\n");
  const ChatUser ann = Register("ann");
  const std::string one = MakeRoom({ann});
  const std::string two = MakeRoom({ann});
  const std::string three = MakeRoom({ann});
  auto a = Join(ann, one);
  a->Of("join", two);
  a->Wait("joined");
  a->Of("join", three);
  EXPECT_EQ(a->WaitForError(), "too_many_rooms");
  a->Of("leave", two);
  a->Wait("left");
  a->Of("join", three);
  EXPECT_EQ(a->Wait("joined").At("room").Text(), three);
}

TEST_F(Chat, WhoTalksTooFastIsToldAndThenClosed) {
  Start("chat: {messages: 1, burst: 3}\n");
  const ChatUser ann = Register("ann");
  auto a = Come(ann);
  a->Hello();
  a->Say(R"({"type":"ping"})");
  a->Say(R"({"type":"ping"})");
  a->Say(R"({"type":"ping","ref":"fast"})");
  const Json refused = a->Wait("error");
  EXPECT_EQ(refused.At("problem").At("code").Text(), "rate");
  EXPECT_EQ(refused.At("in_reply_to").Text(), "fast");
  for (int i = 0; i < 120; ++i) a->Say(R"({"type":"ping"})");
  a->WaitForClose();
  EXPECT_EQ(a->code, 4429);
}

TEST_F(Chat, WhoDoesNotReadIsClosedAndNobodyElse) {
  Start("chat: {unsent: 64k, messages: 10000, burst: 100000}\n");
  const ChatUser ann = Register("ann");
  const ChatUser bob = Register("bob");
  const std::string room = MakeRoom({ann, bob});
  auto slow = Join(bob, room);
  auto a = Join(ann, room);
  const std::string text(8000, 'x');
  // Beside 64 KiB here the kernel keeps some for him. He has five seconds to read why.
  const auto closed = [&] {
    return backend.Get("/metrics").body.find("sockets_closed_total{code=\"1013\"} 1") !=
           std::string::npos;
  };
  int sent = 0;
  while (sent < 1000 && !closed()) {
    for (int i = 0; i < 10; ++i) a->Message(room, "c" + std::to_string(++sent), text);
    for (int i = 0; i < 10; ++i) a->Wait("ack");
  }
  std::vector<int64_t> heard;
  while (const auto message = slow->Read()) heard.push_back(message->At("number").Number());
  EXPECT_EQ(slow->code, 1013);
  EXPECT_EQ(slow->reason, "reads too slowly");
  ASSERT_FALSE(heard.empty());
  a->Say(R"({"type":"ping"})");
  a->Wait("pong");
  // With what he has he comes back, and misses nothing.
  const int64_t last = *std::max_element(heard.begin(), heard.end());
  EXPECT_LT(last, sent);
  auto back = Join(bob, room, last);
  EXPECT_EQ(back->Wait("message").At("number").Number(), last + 1);
}

TEST_F(Chat, FirstsAreHellosAndTextsAreJson) {
  Start();
  const ChatUser ann = Register("ann");
  for (const char* text : {R"({"type":"ping"})", "hello", R"({"type":"hello","v":2})", "[]"}) {
    auto a = Come(ann);
    a->Say(text);
    a->WaitForClose();
    EXPECT_EQ(a->code, 4400) << text;
  }
  auto a = Come(ann);
  a->client().end().SendBinary("x");
  a->WaitForClose();
  EXPECT_EQ(a->code, 1003);
}

// --- ends ---

TEST_F(Chat, EndsWithItsSession) {
  Start();
  const ChatUser ann = Register("ann");
  const ChatUser same = LogIn("ann");
  auto first = Come(ann);
  auto second = Come(same);
  first->Hello();
  second->Hello();
  first->Wait("welcome");
  second->Wait("welcome");
  EXPECT_LT(backend.Request("POST", "/api/v1/logout", ann.bearer(), "{}").status(), 300);
  first->WaitForClose();
  EXPECT_EQ(first->code, 4403);
  EXPECT_EQ(first->reason, "logout");
  // The other log-in is another session.
  second->Say(R"({"type":"ping"})");
  second->Wait("pong");
  EXPECT_LT(backend.Request("POST", "/api/v1/logout-everywhere", same.bearer(), "{}").status(),
            300);
  second->WaitForClose();
  EXPECT_EQ(second->code, 4403);
}

TEST_F(Chat, EndsWhenItsAccountIsLocked) {
  Start();
  const ChatUser ann = Register("ann");
  auto a = Come(ann);
  a->Hello();
  a->Wait("welcome");
  // The administrator of the first start.
  std::string password = backend.directory().Read("data/admin-password");
  password.erase(password.find_last_not_of('\n') + 1);
  const auto login = [&](const std::string& with) {
    const HttpMessage answer = backend.Request("POST", "/api/v1/login", "",
                                               R"({"name":"admin","password":")" + with + "\"}");
    EXPECT_EQ(answer.status(), 200) << answer.body;
    return "Authorization: Bearer " + Json(answer.body).At("access_token").Text() + "\r\n";
  };
  const HttpMessage changed = backend.Request(
      "POST", "/api/v1/password", login(password),
      R"({"current_password":")" + password + R"(","new_password":")" + kChatPassword + "\"}");
  EXPECT_LT(changed.status(), 300) << changed.body;
  const HttpMessage locked = backend.Request("PATCH", "/api/v1/users/" + ann.id,
                                             login(kChatPassword), R"({"locked":true})");
  EXPECT_LT(locked.status(), 300) << locked.body;
  a->WaitForClose();
  EXPECT_EQ(a->code, 4403);
  EXPECT_EQ(a->reason, "lock");
}

TEST_F(Chat, EndsWithItsTokenUnlessAFreshOneComes) {
  Start("");
  backend.Terminate();
  backend.SetSettings("accounts: {registration_open: true, access_token_seconds: 10}\n");
  ASSERT_TRUE(backend.Start()) << backend.Output();
  const ChatUser ann = Register("ann");
  const ChatUser bob = Register("bob");
  auto old = Come(ann);
  auto fresh = Come(ann);
  auto wrong = Come(ann);
  auto other = Come(ann);
  for (auto* socket : {old.get(), fresh.get(), wrong.get(), other.get()}) {
    socket->Hello();
    EXPECT_TRUE(socket->Wait("welcome").Has("expires"));
  }
  wrong->Say(R"({"type":"auth","token":"x.y.z"})");
  wrong->WaitForClose();
  EXPECT_EQ(wrong->code, 4401);
  EXPECT_EQ(wrong->reason, "token refused");
  other->Say(R"({"type":"auth","token":")" + bob.token + "\"}");
  other->WaitForClose();
  EXPECT_EQ(other->code, 4401);
  // Past the half of the first one's life.
  EXPECT_FALSE(old->Read(std::chrono::seconds(5)).has_value());
  fresh->Say(R"({"type":"auth","token":")" + LogIn("ann").token + "\"}");
  EXPECT_TRUE(fresh->Wait("authenticated").Has("expires"));
  old->WaitForClose();
  EXPECT_EQ(old->code, 4401);
  EXPECT_EQ(old->reason, "token expired");
  fresh->Say(R"({"type":"ping"})");
  fresh->Wait("pong");
}

TEST_F(Chat, IsToldWhenTheServerGoes) {
  Start();
  const ChatUser ann = Register("ann");
  const std::string room = MakeRoom({ann});
  auto a = Join(ann, room);
  backend.Signal(SIGTERM);
  a->WaitForClose();
  EXPECT_EQ(a->code, 1001);
  EXPECT_EQ(backend.WaitForExit(), 0);
}

TEST_F(Chat, ADeadPeerIsNoticed) {
  Start("chat: {ping_interval: 1}\n");
  const ChatUser ann = Register("ann");
  const ChatUser bob = Register("bob");
  const std::string room = MakeRoom({ann, bob});
  auto a = Join(ann, room);
  auto b = Join(bob, room);
  a->client().end().answers_pings = false;
  // Bob's are answered while he reads.
  while (!a->is_closed) {
    a->Read(std::chrono::milliseconds(50));
    b->Read(std::chrono::milliseconds(50));
  }
  b->Say(R"({"type":"ping"})");
  b->Wait("pong");
}

}  // namespace
}  // namespace framewall::test
