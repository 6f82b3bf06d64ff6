#include "backend/chat/session.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "proxy/base/clock.h"
#include "support.h"

namespace framewall::backend::chat {
namespace {

class Wire final : public server::Socket {
 public:
  struct Seen {
    std::vector<std::string> told;
    int code = 0;
    std::string reason;
    server::SocketEvents* events = nullptr;
    bool gone = false;
  };
  explicit Wire(Seen& seen) : seen_(seen) {}
  ~Wire() override { seen_.gone = true; }
  void SetEvents(server::SocketEvents* events) override { seen_.events = events; }
  void Send(std::string_view text) override { seen_.told.emplace_back(text); }
  void Send(const Frame& frame) override { seen_.told.push_back(Unframed(*frame)); }
  void Close(uint16_t code, std::string_view reason) override {
    seen_.code = code;
    seen_.reason = reason;
  }
  size_t unsent() const override { return 0; }

 private:
  Seen& seen_;
};

class NoModels final : public llm::Models {
 public:
  const std::vector<Model>& all() const override { return none_; }
  std::unique_ptr<llm::Completion> Complete(const llm::CompletionRequest&,
                                            llm::CompletionEvents*) override {
    return nullptr;
  }

 private:
  std::vector<Model> none_;
};

// A token is the name of a user; "wrong" does not hold.
class NamedTokens final : public auth::TokenVerifier {
 public:
  Result<Identity> VerifyAccessToken(std::string_view token) override {
    if (token == "wrong") {
      return Error{ErrorKind::kRefused, ErrorSource::kClient, "signature", 0};
    }
    Identity identity;
    identity.kind = Identity::Kind::kSession;
    identity.user = token == "ann" ? kAnn.id : kBob.id;
    identity.session = "s2";
    identity.expires = expires;
    return identity;
  }
  int64_t expires = 0;
};

class SessionTest : public testing::Test {
 protected:
  ~SessionTest() override {
    for (const auto& session : sessions) session->OnClosed(1006);
  }
  Wire::Seen& Come(const Person& who, int64_t expires = 0) {
    Identity identity;
    identity.kind = Identity::Kind::kSession;
    identity.user = who.id;
    identity.session = "s1";
    identity.expires = expires;
    seen.push_back(std::make_unique<Wire::Seen>());
    sessions.push_back(std::make_shared<Session>(house, identity, who));
    sessions.back()->Start(std::make_unique<Wire>(*seen.back()));
    return *seen.back();
  }
  Wire::Seen& Joined(const Person& who) {
    Wire::Seen& wire = Come(who);
    Say(wire, R"({"type":"hello","v":1,"rooms":[{"room":")" + kRoom + "\"}]}");
    wire.told.clear();
    return wire;
  }
  void Say(Wire::Seen& wire, const std::string& text) {
    wire.events->OnMessage(text);
    records.Settle();
    loop.RunOnce(std::chrono::milliseconds(0));
  }
  static std::string Of(const std::string& type, const std::string& more = "") {
    return R"({"type":")" + type + R"(","ref":"r","room":")" + kRoom + "\"" + more + "}";
  }
  static Json Last(const Wire::Seen& wire) { return Json(wire.told.back()); }
  static std::string LastCode(const Wire::Seen& wire) {
    return Last(wire).At("problem").At("code").Text();
  }
  // The clock goes on; timers that are due fire.
  void Wait(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) loop.RunOnce(std::chrono::milliseconds(5));
  }

  event::EventLoop loop;
  MemoryRecords records;
  Hub hub;
  NoModels models;
  NamedTokens tokens;
  ChatLimits limits;
  Presence presence{loop, hub};
  Answers answers{{loop, records, hub, models, limits}};
  Announcer announcer{hub, answers};
  std::vector<Session*> over;
  std::shared_ptr<Session::House> house = std::make_shared<Session::House>(
      Session::House{loop, records, hub, presence, answers, announcer, tokens, limits,
                     [this](Session* session) { over.push_back(session); }});
  std::vector<std::unique_ptr<Wire::Seen>> seen;
  std::vector<std::shared_ptr<Session>> sessions;
};

TEST_F(SessionTest, GreetsAndJoins) {
  Wire::Seen& ann = Come(kAnn, 0);
  Say(ann, R"({"type":"hello","v":1,"rooms":[{"room":")" + kRoom + "\"}]}");
  ASSERT_EQ(ann.told.size(), 2U);
  EXPECT_EQ(Json(ann.told[0]).type(), "welcome");
  EXPECT_EQ(Json(ann.told[0]).At("user").At("display_name").Text(), "Ann");
  EXPECT_EQ(Json(ann.told[0]).At("limits").At("text_octets").Number(), 16384);
  EXPECT_FALSE(Json(ann.told[0]).Has("expires"));
  EXPECT_EQ(Last(ann).type(), "joined");
  EXPECT_EQ(Last(ann).At("count").Number(), 1);
}

TEST_F(SessionTest, TwoPeopleTalk) {
  Wire::Seen& ann = Joined(kAnn);
  Wire::Seen& bob = Joined(kBob);
  Say(ann, R"({"type":"message","room":")" + kRoom + R"(","client_id":"c","text":"hi"})");
  ASSERT_EQ(ann.told.size(), 2U);
  EXPECT_EQ(Json(ann.told[0]).type(), "ack");
  EXPECT_EQ(Json(ann.told[0]).At("in_reply_to").Text(), "c");
  EXPECT_EQ(Json(ann.told[0]).At("number").Number(), 1);
  EXPECT_EQ(Json(ann.told[1]).type(), "message");
  ASSERT_EQ(bob.told.size(), 1U);
  EXPECT_EQ(bob.told[0], ann.told[1]);
  EXPECT_EQ(Last(bob).At("author").At("name").Text(), "ann");
}

TEST_F(SessionTest, NothingIsAcknowledgedBeforeItIsStored) {
  Wire::Seen& ann = Joined(kAnn);
  ann.events->OnMessage(R"({"type":"message","room":")" + kRoom +
                        R"(","client_id":"c","text":"hi"})");
  EXPECT_TRUE(ann.told.empty());
  records.Execute();
  EXPECT_TRUE(ann.told.empty());
  records.Deliver();
  EXPECT_EQ(ann.told.size(), 2U);
}

TEST_F(SessionTest, SendingAgainGivesTheSameAcknowledgementAndNoMessage) {
  Wire::Seen& ann = Joined(kAnn);
  const std::string text =
      R"({"type":"message","room":")" + kRoom + R"(","client_id":"c","text":"hi"})";
  Say(ann, text);
  const Json first(ann.told[0]);
  ann.told.clear();
  Say(ann, text);
  ASSERT_EQ(ann.told.size(), 1U);
  EXPECT_EQ(Last(ann).At("number").Number(), first.At("number").Number());
  EXPECT_EQ(Last(ann).At("id").Text(), first.At("id").Text());
  EXPECT_EQ(first.At("repeated").Text(), "false");
  EXPECT_EQ(Last(ann).At("repeated").Text(), "true");
  EXPECT_EQ(records.messages.size(), 1U);
}

TEST_F(SessionTest, AMessageOfWhoHasGoneIsToldAllTheSame) {
  Wire::Seen& ann = Joined(kAnn);
  Wire::Seen& bob = Joined(kBob);
  ann.events->OnMessage(R"({"type":"message","room":")" + kRoom +
                        R"(","client_id":"c","text":"hi"})");
  sessions.front()->OnClosed(1006);
  sessions.erase(sessions.begin());
  EXPECT_TRUE(ann.gone);
  records.Settle();
  ASSERT_EQ(bob.told.size(), 1U);
  EXPECT_EQ(Last(bob).At("text").Text(), "hi");
}

TEST_F(SessionTest, ADatabaseThatFailsAcknowledgesNothing) {
  Wire::Seen& ann = Joined(kAnn);
  records.fails = true;
  Say(ann, R"({"type":"message","room":")" + kRoom + R"(","client_id":"c","text":"hi"})");
  ASSERT_EQ(ann.told.size(), 1U);
  EXPECT_EQ(LastCode(ann), "internal");
  EXPECT_EQ(Last(ann).At("in_reply_to").Text(), "c");
}

TEST_F(SessionTest, HelloComesFirst) {
  Wire::Seen& ann = Come(kAnn);
  Say(ann, R"({"type":"ping"})");
  EXPECT_EQ(ann.code, 4400);
  EXPECT_EQ(LastCode(ann), "no_hello");
  Wire::Seen& bob = Joined(kBob);
  Say(bob, R"({"type":"hello","v":1})");
  EXPECT_EQ(LastCode(bob), "greeted");
  EXPECT_EQ(bob.code, 0);
}

TEST_F(SessionTest, HelloComesInTime) {
  limits.hello_time = std::chrono::milliseconds(40);
  Wire::Seen& ann = Come(kAnn);
  Wire::Seen& bob = Joined(kBob);
  Wait(std::chrono::milliseconds(120));
  EXPECT_EQ(ann.code, 4408);
  EXPECT_EQ(bob.code, 0);
}

TEST_F(SessionTest, WhatIsNoJsonEndsIt) {
  Wire::Seen& ann = Joined(kAnn);
  Say(ann, "hi");
  EXPECT_EQ(ann.code, 4400);
  EXPECT_EQ(LastCode(ann), "not_json");
  const size_t before = ann.told.size();
  Say(ann, R"({"type":"ping"})");
  EXPECT_EQ(ann.told.size(), before);
}

TEST_F(SessionTest, RoomsHaveToBeJoined) {
  Wire::Seen& ann = Come(kAnn);
  Say(ann, R"({"type":"hello","v":1})");
  for (const std::string& text :
       {Of("leave"), Of("presence"), Of("history"), Of("typing", R"(,"active":true)"),
        Of("edit", R"(,"number":1,"text":"x")"), Of("delete", R"(,"number":1)"),
        Of("cancel", R"(,"number":1)"), Of("message", R"(,"client_id":"c","text":"x")")}) {
    Say(ann, text);
    EXPECT_EQ(LastCode(ann), "not_joined") << text;
    EXPECT_EQ(Last(ann).At("in_reply_to").Text(), "r") << text;
  }
  EXPECT_TRUE(records.messages.empty());
}

TEST_F(SessionTest, OtherPeoplesRoomsAreNotThere) {
  records.members.erase(kAnn.id);
  Wire::Seen& ann = Come(kAnn);
  Say(ann, R"({"type":"hello","v":1})");
  Say(ann, Of("join"));
  EXPECT_EQ(LastCode(ann), "not_found");
  EXPECT_EQ(presence.Count(kRoom), 0U);
  EXPECT_EQ(hub.subscribers(RoomTopic(kRoom)), 0U);
}

TEST_F(SessionTest, LeavingIsNotHearing) {
  Wire::Seen& ann = Joined(kAnn);
  Wire::Seen& bob = Joined(kBob);
  Say(ann, Of("leave"));
  EXPECT_EQ(Last(ann).type(), "left");
  EXPECT_EQ(Last(ann).At("reason").Text(), "asked");
  const size_t before = ann.told.size();
  Say(bob, Of("message", R"(,"client_id":"c","text":"x")"));
  EXPECT_EQ(ann.told.size(), before);
  EXPECT_EQ(presence.Count(kRoom), 1U);
}

TEST_F(SessionTest, WhoIsRemovedHearsNoMore) {
  Wire::Seen& ann = Joined(kAnn);
  Wire::Seen& bob = Joined(kBob);
  records.members.erase(kAnn.id);
  announcer.MemberRemoved(records.room, kAnn.id);
  ASSERT_EQ(ann.told.size(), 2U);
  EXPECT_EQ(Json(ann.told[0]).At("event").Text(), "removed");
  EXPECT_EQ(Json(ann.told[1]).At("reason").Text(), "removed");
  Say(bob, Of("message", R"(,"client_id":"c","text":"secret")"));
  EXPECT_EQ(ann.told.size(), 2U);
}

TEST_F(SessionTest, ARoomThatIsDeletedIsLeft) {
  Wire::Seen& ann = Joined(kAnn);
  announcer.RoomDeleted(records.room, {kAnn.id});
  ASSERT_EQ(ann.told.size(), 2U);
  EXPECT_EQ(Json(ann.told[0]).At("reason").Text(), "deleted");
  EXPECT_EQ(Json(ann.told[1]).At("event").Text(), "deleted");
  loop.RunOnce(std::chrono::milliseconds(0));
  EXPECT_EQ(hub.subscribers(RoomTopic(kRoom)), 0U);
}

TEST_F(SessionTest, ListsAreKeptUpToDate) {
  Wire::Seen& ann = Joined(kAnn);
  store::Room other = records.room;
  other.id = kBob.id;
  announcer.MemberAdded(other, kAnn.id, "invited");
  EXPECT_EQ(Last(ann).type(), "room");
  EXPECT_EQ(Last(ann).At("event").Text(), "invited");
  EXPECT_EQ(Last(ann).At("room").At("visibility").Text(), "private");
  announcer.RoomChanged(records.room);
  EXPECT_EQ(Last(ann).At("event").Text(), "changed");
}

TEST_F(SessionTest, EditsAndDeletionsAreToldToAll) {
  Wire::Seen& ann = Joined(kAnn);
  Wire::Seen& bob = Joined(kBob);
  records.Store("old");
  Say(ann, Of("edit", R"(,"number":1,"text":"new")"));
  EXPECT_EQ(Json(ann.told[0]).type(), "ack");
  EXPECT_FALSE(Json(ann.told[0]).Has("repeated"));
  EXPECT_EQ(Last(bob).type(), "edited");
  EXPECT_EQ(Last(bob).At("text").Text(), "new");
  Say(bob, Of("edit", R"(,"number":1,"text":"mine")"));
  EXPECT_EQ(LastCode(bob), "forbidden");
  Say(bob, Of("delete", R"(,"number":1)"));
  EXPECT_EQ(Last(ann).type(), "deleted");
  EXPECT_EQ(Last(ann).At("text").Text(), "");
  Say(bob, Of("delete", R"(,"number":2)"));
  EXPECT_EQ(LastCode(bob), "not_found");
}

TEST_F(SessionTest, HistoryIsAPage) {
  for (int i = 0; i < 5; ++i) records.Store("m");
  Wire::Seen& ann = Joined(kAnn);
  Say(ann, Of("history", R"(,"limit":2)"));
  EXPECT_EQ(Last(ann).type(), "history");
  EXPECT_EQ(Last(ann).At("messages").size(), 2U);
  EXPECT_EQ(Last(ann).At("messages").At(0).At("number").Number(), 4);
  EXPECT_EQ(Last(ann).At("more").Text(), "true");
  Say(ann, Of("history", R"(,"before":3)"));
  EXPECT_EQ(Last(ann).At("messages").size(), 2U);
  EXPECT_EQ(Last(ann).At("more").Text(), "false");
}

TEST_F(SessionTest, TypingIsForOthersAndOnceASecond) {
  Wire::Seen& ann = Joined(kAnn);
  Wire::Seen& bob = Joined(kBob);
  Say(ann, Of("typing", R"(,"active":true)"));
  Say(ann, Of("typing", R"(,"active":true)"));
  ASSERT_EQ(bob.told.size(), 1U);
  EXPECT_EQ(Last(bob).At("user").At("name").Text(), "ann");
  EXPECT_TRUE(ann.told.empty());
  Say(ann, Of("typing", R"(,"active":false)"));
  EXPECT_EQ(bob.told.size(), 2U);
  Say(ann, Of("typing", R"(,"active":false)"));
  EXPECT_EQ(bob.told.size(), 2U);
  EXPECT_TRUE(records.messages.empty());
}

TEST_F(SessionTest, PresenceIsAnswered) {
  Wire::Seen& ann = Joined(kAnn);
  Joined(kBob);
  Say(ann, Of("presence"));
  EXPECT_EQ(Last(ann).At("online").size(), 2U);
  EXPECT_EQ(Last(ann).At("in_reply_to").Text(), "r");
}

TEST_F(SessionTest, RoomsOfASocketAreCounted) {
  limits.rooms = 2;
  Wire::Seen& ann = Come(kAnn);
  Say(ann, R"({"type":"hello","v":1,"rooms":[{"room":")" + kRoom + "\"}]}");
  // Two that are asked for at once; the second is one too many while the first is looked for.
  ann.events->OnMessage(R"({"type":"join","room":")" + kAnn.id + "\"}");
  ann.events->OnMessage(R"({"type":"join","room":")" + kBob.id + "\"}");
  EXPECT_EQ(LastCode(ann), "too_many_rooms");
  records.Settle();
  EXPECT_EQ(LastCode(ann), "not_found");
}

TEST_F(SessionTest, MessagesASecondAreCounted) {
  limits.burst = 5;
  limits.messages_per_second = 1;
  limits.refused_in_row = 3;
  Wire::Seen& ann = Joined(kAnn);  // one
  for (int i = 0; i < 4; ++i) Say(ann, R"({"type":"ping","ref":"r"})");
  EXPECT_EQ(Last(ann).type(), "pong");
  Say(ann, R"({"type":"ping","ref":"late"})");
  EXPECT_EQ(LastCode(ann), "rate");
  EXPECT_EQ(Last(ann).At("in_reply_to").Text(), "late");
  EXPECT_EQ(Last(ann).At("retry_after").Number(), 1);
  Say(ann, R"({"type":"ping"})");
  EXPECT_EQ(ann.code, 0);
  Say(ann, R"({"type":"ping"})");
  EXPECT_EQ(ann.code, 4429);
}

TEST_F(SessionTest, EndsWithItsToken) {
  UpdateCachedNow();
  Wire::Seen& ann = Come(kAnn, CachedNow().unix_milliseconds + 60);
  Say(ann, R"({"type":"hello","v":1})");
  EXPECT_TRUE(Json(ann.told[0]).Has("expires"));
  Wait(std::chrono::milliseconds(200));
  EXPECT_EQ(ann.code, 4401);
  EXPECT_EQ(ann.reason, "token expired");
}

TEST_F(SessionTest, GoesOnWithAFreshToken) {
  UpdateCachedNow();
  Wire::Seen& ann = Come(kAnn, CachedNow().unix_milliseconds + 60);
  Say(ann, R"({"type":"hello","v":1})");
  tokens.expires = CachedNow().unix_milliseconds + 3'600'000;
  Say(ann, R"({"type":"auth","ref":"r","token":"ann"})");
  EXPECT_EQ(Last(ann).type(), "authenticated");
  EXPECT_TRUE(Last(ann).Has("expires"));
  EXPECT_EQ(sessions.back()->identity().session, "s2");
  Wait(std::chrono::milliseconds(150));
  EXPECT_EQ(ann.code, 0);
}

TEST_F(SessionTest, ATokenThatDoesNotHoldEndsIt) {
  Wire::Seen& ann = Joined(kAnn);
  Say(ann, R"({"type":"auth","token":"wrong"})");
  EXPECT_EQ(ann.code, 4401);
  Wire::Seen& bob = Joined(kBob);
  Say(bob, R"({"type":"auth","token":"ann"})");
  EXPECT_EQ(bob.code, 4401);
  EXPECT_EQ(bob.reason, "token refused");
}

TEST_F(SessionTest, LeavesEverythingBehind) {
  Joined(kAnn);
  sessions.front()->OnClosed(1001);
  EXPECT_EQ(over.size(), 1U);
  sessions.clear();
  EXPECT_EQ(presence.Count(kRoom), 0U);
  EXPECT_EQ(hub.topics(), 0U);
}

}  // namespace
}  // namespace framewall::backend::chat
