#include "waf/message_payload.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace framewall::waf {
namespace {

using namespace std::string_literals;
using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs PairsOf(const MessageArguments& arguments) {
  Pairs pairs;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    pairs.emplace_back(arguments[i].name, arguments[i].value);
  }
  return pairs;
}

struct Reading {
  PayloadKind kind;
  Pairs pairs;
  bool full;
  std::string rest;
};

Reading Read(const PayloadView& payload, std::size_t count = 500, std::size_t octets = 1 << 20) {
  MessageArguments arguments(count, octets);
  const ReadPayloadResult result = ReadPayload(payload, &arguments);
  return {result.kind, PairsOf(arguments), result.full, std::string(result.rest)};
}
Pairs Text(std::string_view text) { return Read({text}).pairs; }
PayloadKind Kind(std::string_view text, bool is_binary = false) {
  return Read({text, is_binary}).kind;
}

TEST(MessagePayload, PlainText) {
  EXPECT_EQ(Text("привет & hello"), (Pairs{{"message", "привет & hello"}}));
  EXPECT_EQ(Text(""), (Pairs{{"message", ""}}));
  EXPECT_EQ(Text("12"), (Pairs{{"message", "12"}}));
  EXPECT_EQ(Text("a\0b"s), (Pairs{{"message", "a\0b"s}}));
}

TEST(MessagePayload, Json) {
  EXPECT_EQ(Text(R"({"a":{"b":"c"}})"), (Pairs{{"json.a.b", "c"}}));
  EXPECT_EQ(Text("\xef\xbb\xbf [1]"), (Pairs{{"json.array_0", "1"}}));
  EXPECT_EQ(Kind("{\"a\":1}\x1e"), PayloadKind::kJson);
}

TEST(MessagePayload, BrokenJsonIsTextAndLeavesNoLeaves) {
  for (const char* text : {"{\"a\":1", "[see above]", "[1] ' or 1=1", "{a:1}"}) {
    EXPECT_EQ(Text(text), (Pairs{{"message", text}})) << text;
    EXPECT_EQ(Kind(text), PayloadKind::kText);
  }
}

TEST(MessagePayload, JsonStringAloneIsShownBothWays) {
  EXPECT_EQ(Text(R"("\u0027 x")"), (Pairs{{"json", "' x"}, {"message", R"("\u0027 x")"}}));
}

TEST(MessagePayload, JsonInAStringIsReplacedByItsLeaves) {
  EXPECT_EQ(Text(R"({"a":"{\"b\":\"\\u0027\",\"c\":[1]}"})"),
            (Pairs{{"json.a.b", "'"}, {"json.a.c.array_0", "1"}}));
  EXPECT_EQ(Text(R"(["{\"b\":1}"])"), (Pairs{{"json.array_0.b", "1"}}));
  // Not where it is no JSON, or says nothing.
  EXPECT_EQ(Text(R"({"a":"{\"b\":1"})"), (Pairs{{"json.a", "{\"b\":1"}}));
  EXPECT_EQ(Text(R"({"a":"[x]","b":"{}","c":"7"})"),
            (Pairs{{"json.a", "[x]"}, {"json.b", "{}"}, {"json.c", "7"}}));
}

TEST(MessagePayload, JsonInStringsIsUnpackedToALimit) {
  const auto pack = [](std::string inner, int times) {
    for (int i = 0; i < times; ++i) {
      std::string quoted;
      for (const char c : inner) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
      }
      inner = "[\"" + quoted + "\"]";
    }
    return inner;
  };
  const Pairs deepest = Text(pack("[\"x\"]", kDeepestNesting));
  ASSERT_EQ(deepest.size(), 1U);
  EXPECT_EQ(deepest[0].second, "x");
  const Pairs beyond = Text(pack("[\"x\"]", kDeepestNesting + 1));
  ASSERT_EQ(beyond.size(), 1U);
  EXPECT_EQ(beyond[0].second, "[\"x\"]");
}

TEST(MessagePayload, SocketIo) {
  EXPECT_EQ(Text(R"(42["say",{"text":"hi"}])"),
            (Pairs{{"json.array_0", "say"}, {"json.array_1.text", "hi"}}));
  EXPECT_EQ(Text(R"(42/<x>,7["say"])"),
            (Pairs{{"socketio.namespace", "/<x>"}, {"json.array_0", "say"}}));
  EXPECT_EQ(Kind(R"(42["say"])"), PayloadKind::kSocketIo);
  for (const char* text : {"2probe", "42", "42[oh", "4 apples", "42/<x>,[oh", "2[1] x"}) {
    EXPECT_EQ(Text(text), (Pairs{{"message", text}})) << text;
  }
}

TEST(MessagePayload, Form) {
  EXPECT_EQ(Text("a=%27+or+1&b[]=%D0%BF"), (Pairs{{"a", "' or 1"}, {"b[]", "п"}}));
  EXPECT_EQ(Text("x=%7B%22a%22%3A1%7D&y=1"), (Pairs{{"x.a", "1"}, {"y", "1"}}));
  EXPECT_EQ(Text("allow_url_include=1"),
            (Pairs{{"allow_url_include", "1"}, {"message", "allow_url_include=1"}}));
  EXPECT_EQ(Kind("a=1&b=2"), PayloadKind::kForm);
  EXPECT_EQ(Kind("if a=1 & b=2"), PayloadKind::kText);
}

TEST(MessagePayload, Base64OfTextIsShownDecodedToo) {
  EXPECT_EQ(Text("PHNjcmlwdD4="),
            (Pairs{{"message", "PHNjcmlwdD4="}, {"message.base64", "<script>"}}));
  EXPECT_EQ(Text(R"({"a":"PHNjcmlwdD4="})"),
            (Pairs{{"json.a", "PHNjcmlwdD4="}, {"json.a.base64", "<script>"}}));
  // {"a":"<b>"} in base64, and that in base64 again.
  EXPECT_EQ(Text("eyJhIjoiPGI+In0="),
            (Pairs{{"message", "eyJhIjoiPGI+In0="}, {"message.base64.a", "<b>"}}));
  EXPECT_EQ(Text(R"(["ZXlKaElqb2lQR0krSW4wPQ=="])").back(),
            (std::pair<std::string, std::string>("json.array_0.base64.base64.a", "<b>")));
}

TEST(MessagePayload, BinaryThatIsTextIsText) {
  EXPECT_EQ(Kind("{\"a\":1}", true), PayloadKind::kJson);
  EXPECT_EQ(Kind("hello", true), PayloadKind::kText);
  EXPECT_EQ(Read({"hell\xd0", true, true}).kind, PayloadKind::kText);
  EXPECT_EQ(Kind("hell\xd0", true), PayloadKind::kBinary);
}

TEST(MessagePayload, BinaryShowsItsTexts) {
  const Reading packed =
      Read({"\x82\xa1q\xa6"
            "1'or'1\xa1j\xa7{\"a\":1}",
            true});
  EXPECT_EQ(packed.kind, PayloadKind::kBinary);
  EXPECT_EQ(packed.pairs, (Pairs{{"message.text_0", "q"},
                                 {"message.text_1", "1'or'1"},
                                 {"message.text_2", "j"},
                                 {"message.text_3.a", "1"}}));
  EXPECT_EQ(Read({"\xff\xd8\xff\xe0", true}).pairs, Pairs{});
}

TEST(MessagePayload, CutJsonIsNotThrownAway) {
  EXPECT_EQ(Read({R"({"a":"b","c":"<scr)", false, true}).pairs,
            (Pairs{{"json.a", "b"}, {"json.c", "<scr"}}));
  EXPECT_EQ(Read({R"(42["e","<scr)", false, true}).pairs,
            (Pairs{{"json.array_0", "e"}, {"json.array_1", "<scr"}}));
  EXPECT_EQ(Read({R"({"a":"{\"b\":\"<scr)", false, true}).pairs, (Pairs{{"json.a.b", "<scr"}}));
}

TEST(MessagePayload, WhatDoesNotFitIsTheRest) {
  const std::string json = R"({"a":"1","b":"2","c":"3"})";
  EXPECT_FALSE(Read({json}, 3).full);
  const Reading two = Read({json}, 2);
  EXPECT_TRUE(two.full);
  EXPECT_EQ(two.pairs, (Pairs{{"json.a", "1"}, {"json.b", "2"}}));
  EXPECT_NE(two.rest.find("\"3\""), std::string::npos) << two.rest;
  EXPECT_EQ(two.rest.find("\"2\""), std::string::npos) << two.rest;

  const Reading form = Read({"a=1&b=2&c=3"}, 2);
  EXPECT_TRUE(form.full);
  EXPECT_EQ(form.rest, "c=3");

  const Reading text = Read({"hello"}, 500, 11);
  EXPECT_TRUE(text.full);
  EXPECT_EQ(text.pairs, Pairs{});
  EXPECT_EQ(text.rest, "hello");
  EXPECT_FALSE(Read({"hello"}, 500, 12).full);

  const Reading binary = Read({"\x92\xa1q\xa6"
                               "1'or'1",
                               true},
                              1);
  EXPECT_TRUE(binary.full);
  EXPECT_EQ(binary.rest, "1'or'1");
}

TEST(MessagePayload, LeavesOfAStringThatDoesNotFitAreNotHalfTaken) {
  const Reading reading = Read({R"({"a":"x","b":"[1,2,3]"})"}, 3);
  EXPECT_TRUE(reading.full);
  EXPECT_EQ(reading.pairs, (Pairs{{"json.a", "x"}}));
  EXPECT_NE(reading.rest.find("[1,2,3]"), std::string::npos);
}

TEST(MessagePayload, LongNamesCountToo) {
  const std::string name(1000, 'k');
  std::string json = "{\"" + name + "\":[1";
  for (int i = 0; i < 99; ++i) json += ",1";
  const Reading reading = Read({json + "]}"}, 500, 20000);
  EXPECT_TRUE(reading.full);
  EXPECT_LT(reading.pairs.size(), 20U);
}

TEST(MessageArguments, EachCostsItsOverhead) {
  MessageArguments arguments(10, 100, 30);
  EXPECT_TRUE(arguments.Add(MessageArguments::Origin::kPost, "a", "123456789"));
  EXPECT_TRUE(arguments.Add(MessageArguments::Origin::kPost, "b", "123456789"));
  EXPECT_FALSE(arguments.Add(MessageArguments::Origin::kPost, "c", ""));
  arguments.Truncate(1);
  EXPECT_EQ(arguments.octets(), 10U);
  arguments.AddBeginning(MessageArguments::Origin::kPost, "rest", std::string(50, 'x'));
  ASSERT_EQ(arguments.size(), 2U);
  EXPECT_EQ(arguments[1].value, std::string(26, 'x'));
  EXPECT_EQ(arguments[0].value, "123456789");
}

TEST(MessagePayload, GuessAgreesWithTheReading) {
  for (const auto& [text, is_binary] : std::vector<std::pair<std::string, bool>>{
           {"{\"a\":1}", false}, {"hello", false}, {"42[1]", true}, {"\xff\x00"s, true}}) {
    EXPECT_EQ(GuessKind({text, is_binary}), Kind(text, is_binary)) << text;
  }
}

}  // namespace
}  // namespace framewall::waf
