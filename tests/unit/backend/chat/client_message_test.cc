#include "backend/chat/client_message.h"

#include <gtest/gtest.h>

#include <string>

#include "backend/base/time.h"
#include "support.h"

namespace framewall::backend::chat {
namespace {

using Type = ClientMessage::Type;

ClientMessage Good(const std::string& json, const MessageLimits& limits = {}) {
  const ParsedMessage parsed = ParseClientMessage(json, limits);
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) {
    ADD_FAILURE() << json << ": " << ProblemText(refusal->problem);
    return {};
  }
  return std::get<ClientMessage>(parsed);
}

Refusal Bad(const std::string& json, const MessageLimits& limits = {}) {
  const ParsedMessage parsed = ParseClientMessage(json, limits);
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) return *refusal;
  ADD_FAILURE() << json << " was taken";
  return {};
}

// The pointer of the only field that is wrong.
std::string BadField(const std::string& json, const MessageLimits& limits = {}) {
  const Refusal refusal = Bad(json, limits);
  EXPECT_EQ(refusal.problem.status, 422) << json;
  EXPECT_FALSE(refusal.ends);
  if (refusal.problem.fields.size() != 1) return ProblemText(refusal.problem);
  return refusal.problem.fields[0].pointer;
}

std::string Said(const std::string& members) {
  return R"({"type":"message","room":")" + kRoom + "\"," + members + "}";
}
std::string WithText(const std::string& text) {
  return Said(R"("client_id":"c1","text":")" + text + "\"");
}

TEST(ClientMessage, HelloNamesRooms) {
  const ClientMessage hello =
      Good(R"({"type":"hello","v":1,"rooms":[{"room":")" + kRoom +
           R"(","after":42,"since":"2026-11-21T20:09:51.042Z"},{"room":")" + kAnn.id + R"("}]})");
  EXPECT_EQ(hello.type, Type::kHello);
  ASSERT_EQ(hello.rooms.size(), 2U);
  EXPECT_EQ(hello.rooms[0].room, kRoom);
  EXPECT_EQ(hello.rooms[0].after, 42);
  EXPECT_EQ(Rfc3339(*hello.rooms[0].since), "2026-11-21T20:09:51.042Z");
  EXPECT_FALSE(hello.rooms[1].after.has_value());
  EXPECT_TRUE(Good(R"({"type":"hello","v":1})").rooms.empty());
  EXPECT_TRUE(Good(R"({"type":"hello","v":1,"rooms":null})").rooms.empty());
}

TEST(ClientMessage, AnotherVersionEndsTheSocket) {
  for (const char* json : {R"({"type":"hello"})", R"({"type":"hello","v":2})",
                           R"({"type":"hello","v":"1"})", R"({"type":"hello","v":1.0})"}) {
    EXPECT_TRUE(Bad(json).ends) << json;
    EXPECT_EQ(Bad(json).problem.code, "version");
  }
}

TEST(ClientMessage, WhatIsNoObjectEndsTheSocket) {
  for (const char* json : {"", "x", "[]", "1", "\"hello\"", "{", R"({"type":"ping"} x)",
                           R"({"type":"a","type":"b"})", R"({"type":1})", "{}", "\xff"}) {
    EXPECT_TRUE(Bad(json).ends) << json;
  }
}

TEST(ClientMessage, AnUnknownTypeIsSaidAndNoMore) {
  const Refusal refusal = Bad(R"({"type":"shout","ref":"r"})");
  EXPECT_FALSE(refusal.ends);
  EXPECT_EQ(refusal.problem.code, "unknown_type");
  EXPECT_EQ(refusal.in_reply_to, "r");
}

TEST(ClientMessage, UnknownMembersAreNotLookedAt) {
  EXPECT_EQ(Good(R"({"type":"ping","ref":"8","mood":{"deep":[1,2]}})").ref, "8");
}

TEST(ClientMessage, AMessageIsAnsweredByItsClientId) {
  const ClientMessage message = Good(WithText("Привет\\n<b>"));
  EXPECT_EQ(message.type, Type::kMessage);
  EXPECT_EQ(message.room, kRoom);
  EXPECT_EQ(message.client_id, "c1");
  EXPECT_EQ(message.ref, "c1");
  EXPECT_EQ(message.text, "Привет\n<b>");
  EXPECT_EQ(Good(Said(R"("ref":"r","client_id":"c1","text":"x")")).ref, "r");
}

TEST(ClientMessage, EveryBadFieldIsNamed) {
  const Refusal refusal =
      Bad(R"({"type":"message","ref":"r","room":"here","client_id":"","text":7})");
  EXPECT_EQ(refusal.in_reply_to, "r");
  ASSERT_EQ(refusal.problem.fields.size(), 3U);
  EXPECT_EQ(refusal.problem.fields[0].pointer, "/room");
  EXPECT_EQ(refusal.problem.fields[1].pointer, "/client_id");
  EXPECT_EQ(refusal.problem.fields[2].pointer, "/text");
}

TEST(ClientMessage, TextsHaveAtMostSoManyOctetsAndCharacters) {
  const MessageLimits limits{.octets = 10, .characters = 7, .rooms = 1, .page = 1};
  Good(WithText("1234567"), limits);
  EXPECT_EQ(BadField(WithText("12345678"), limits), "/text");
  Good(WithText("ёёёёё"), limits);
  EXPECT_EQ(BadField(WithText("ёёёёёx"), limits), "/text");
}

TEST(ClientMessage, TextsSaySomething) {
  EXPECT_EQ(BadField(WithText("")), "/text");
  EXPECT_EQ(BadField(WithText(" \\t\\n\\r")), "/text");
  Good(WithText(" \\n."));
}

TEST(ClientMessage, TextsHaveNoControlCharacters) {
  for (const char* text : {"a\\u0000b", "a\\u001bb", "a\\u007f", "a\\b"}) {
    EXPECT_EQ(BadField(WithText(text)), "/text") << text;
  }
  Good(WithText("a\\tb\\r\\nc"));
}

TEST(ClientMessage, NamesHaveOneTo64Characters) {
  const std::string longest(64, 'x');
  Good(R"({"type":"ping","ref":")" + longest + "\"}");
  EXPECT_EQ(BadField(R"({"type":"ping","ref":")" + longest + "x\"}"), "/ref");
  EXPECT_EQ(BadField(R"({"type":"ping","ref":""})"), "/ref");
  EXPECT_EQ(BadField(R"({"type":"ping","ref":"a\nb"})"), "/ref");
  EXPECT_EQ(BadField(R"({"type":"ping","ref":1})"), "/ref");
  EXPECT_EQ(BadField(Said(R"("text":"x")")), "/client_id");
  EXPECT_EQ(BadField(Said(R"("client_id":")" + longest + R"(x","text":"x")")), "/client_id");
  Good(Said(R"("client_id":")" + longest + R"(","text":"x")"));
}

TEST(ClientMessage, RoomsOfAHelloAreCounted) {
  const std::string room = R"({"room":")" + kRoom + "\"}";
  const MessageLimits limits{.octets = 10, .characters = 10, .rooms = 2, .page = 1};
  Good(R"({"type":"hello","v":1,"rooms":[)" + room + "," + room + "]}", limits);
  EXPECT_EQ(BadField(R"({"type":"hello","v":1,"rooms":[)" + room + "," + room + "," + room + "]}",
                     limits),
            "/rooms");
  EXPECT_EQ(BadField(R"({"type":"hello","v":1,"rooms":{}})"), "/rooms");
  EXPECT_EQ(BadField(R"({"type":"hello","v":1,"rooms":[7]})"), "/rooms/0");
  EXPECT_EQ(BadField(R"({"type":"hello","v":1,"rooms":[)" + room + R"(,{"room":"x"}]})"),
            "/rooms/1/room");
}

TEST(ClientMessage, NumbersArePositive) {
  const std::string head = R"({"type":"delete","room":")" + kRoom + R"(","number":)";
  EXPECT_EQ(Good(head + "1}").number, 1);
  EXPECT_EQ(Good(head + "9007199254740992}").number, int64_t{1} << 53);
  for (const char* number : {"0}", "-1}", "1.5}", "\"1\"}", "9007199254740993}", "null}"}) {
    EXPECT_EQ(BadField(head + number), "/number") << number;
  }
  EXPECT_EQ(BadField(R"({"type":"cancel","room":")" + kRoom + "\"}"), "/number");
}

TEST(ClientMessage, HistoryGoesOneWay) {
  const std::string head = R"({"type":"history","room":")" + kRoom + "\"";
  EXPECT_EQ(Good(head + R"(,"before":42,"limit":200})").limit, 200);
  EXPECT_EQ(Good(head + R"(,"after":0})").after, 0);
  EXPECT_EQ(Good(head + "}").limit, 0);
  EXPECT_EQ(BadField(head + R"(,"before":42,"after":1})"), "/after");
  EXPECT_EQ(BadField(head + R"(,"before":0})"), "/before");
  EXPECT_EQ(BadField(head + R"(,"limit":201})"), "/limit");
  EXPECT_EQ(BadField(head + R"(,"limit":0})"), "/limit");
}

TEST(ClientMessage, OthersHaveWhatTheyNeed) {
  const std::string room = R"("room":")" + kRoom + "\"";
  EXPECT_EQ(Good(R"({"type":"join",)" + room + R"(,"after":3})").rooms.at(0).after, 3);
  EXPECT_EQ(Good(R"({"type":"leave",)" + room + "}").type, Type::kLeave);
  EXPECT_EQ(Good(R"({"type":"presence",)" + room + "}").type, Type::kPresence);
  EXPECT_EQ(Good(R"({"type":"edit",)" + room + R"(,"number":2,"text":"x"})").text, "x");
  EXPECT_TRUE(Good(R"({"type":"typing",)" + room + R"(,"active":true})").active);
  EXPECT_EQ(BadField(R"({"type":"typing",)" + room + "}"), "/active");
  EXPECT_EQ(Good(R"({"type":"auth","token":"e.y.J"})").token, "e.y.J");
  EXPECT_EQ(BadField(R"({"type":"auth"})"), "/token");
  EXPECT_EQ(BadField(R"({"type":"auth","token":""})"), "/token");
  Good(R"({"type":"auth","token":")" + std::string(16384, 'x') + "\"}");
  EXPECT_EQ(BadField(R"({"type":"auth","token":")" + std::string(16385, 'x') + "\"}"), "/token");
}

TEST(Rfc3339, IsReadAsItIsWritten) {
  for (const int64_t time : {int64_t{0}, int64_t{1'700'000'000'123}, int64_t{951'782'400'000}}) {
    EXPECT_EQ(ParseRfc3339(Rfc3339(time)), time);
  }
  EXPECT_EQ(ParseRfc3339("1970-01-01T00:00:01Z"), 1000);
  EXPECT_EQ(ParseRfc3339("1970-01-01T00:00:01.5Z"), 1500);
  EXPECT_EQ(ParseRfc3339("1970-01-01T00:00:01.123456Z"), 1123);
  for (const char* text :
       {"", "Z", "1970-01-01", "1970-01-01T00:00:00", "1970-01-01T00:00:00+00:00",
        "1970-02-30T00:00:00Z", "1970-01-01T24:00:00Z", "1970-01-01T00:60:00Z",
        "1970-01-01T00:00:00.Z", "1970-01-01 00:00:00Z", "1970-01-01T00:00:00.1x2Z",
        "19x0-01-01T00:00:00Z"}) {
    EXPECT_FALSE(ParseRfc3339(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace framewall::backend::chat
