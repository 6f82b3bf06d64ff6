#include "waf/message_text.h"

#include <gtest/gtest.h>

namespace framewall::waf {
namespace {

using namespace std::string_literals;

TEST(MessageText, KnowsText) {
  for (const char* text : {"", "hello", "line\r\nline\ttab", "привет", "😀", "\u00a0", "\ue000"}) {
    EXPECT_TRUE(IsText(text)) << text;
  }
  for (const std::string& text :
       {"a\0"s, "\x01"s, "\x1b[0m"s, "\x7f"s, "\x80"s, "\xc2\x85"s, "\xc0\xaf"s, "\xe0\x80\xaf"s,
        "\xed\xa0\x80"s, "\xf4\x90\x80\x80"s, "\xf5\x80\x80\x80"s, "\xd0"s, "\xe2\x82"s}) {
    EXPECT_FALSE(IsText(text)) << text;
  }
}

TEST(MessageText, TakesAPartialSequenceOffTheEnd) {
  EXPECT_EQ(WithoutPartialSequence("ab\xd0"), "ab");
  EXPECT_EQ(WithoutPartialSequence("ab\xf0\x9f\x98"), "ab");
  EXPECT_EQ(WithoutPartialSequence("ab\xd0\xbf"), "ab\xd0\xbf");
  EXPECT_EQ(WithoutPartialSequence("ab"), "ab");
  EXPECT_EQ(WithoutPartialSequence(""), "");
  // No sequence at all is left for others to find.
  EXPECT_EQ(WithoutPartialSequence("a\x80\x80\x80\x80"), "a\x80\x80\x80\x80");
}

TEST(MessageText, DecodesBase64OfText) {
  EXPECT_EQ(DecodeBase64Text("PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=="), "<script>alert(1)</script>");
  EXPECT_EQ(DecodeBase64Text("PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg"), "<script>alert(1)</script>");
  EXPECT_EQ(DecodeBase64Text("PHNjcmlwdD5h\r\nbGVydCgxKTwvc2NyaXB0Pg==\r\n"),
            "<script>alert(1)</script>");
  EXPECT_EQ(DecodeBase64Text("data:text/html;charset=utf-8;base64,PHNjcmlwdD4="), "<script>");
  // Either alphabet: the text has both of its last letters.
  EXPECT_EQ(DecodeBase64Text("Pz8/Pj4+fn5+"), "?\?\?>>>~~~");
  EXPECT_EQ(DecodeBase64Text("Pz8_Pj4-fn5-"), "?\?\?>>>~~~");
  EXPECT_EQ(DecodeBase64Text("0L/RgNC40LLQtdGC"), "привет");
}

TEST(MessageText, LeavesAloneWhatIsNoBase64OfText) {
  for (const char* value : {"", "hello", "JChpZC", "hello world again", "administrator",
                            "5f2b8c1e9a77aa01", "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ",
                            "PHNjcmlwdD4=!", "PHNj.mlwdD4=", "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
                            "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg=="}) {
    EXPECT_FALSE(DecodeBase64Text(value)) << value;
  }
  EXPECT_EQ(DecodeBase64Text("JChpZCkK"), "$(id)\n");  // the shortest that counts
}

TEST(MessageText, KnowsForms) {
  for (const char* text : {"a=1", "a=1&b=2", "a=&b=1", "text=%D0%BF&x=%27+or+1", "a[b]=c&a[]=d",
                           "u=https://e.test/a:b", "token=abc==", "%61=b", "имя=1"}) {
    EXPECT_EQ(IsForm(text), text != "имя=1"s) << text;
  }
  for (const char* text :
       {"", "a", "a=", "PHNjcmlwdA==", "=1", "a=1&", "a=1&b", "a=1&&b=2", "a=1 b", "x=1&id;=2",
        "a='", "a=<b>", "a=1;id=2", "a=%2", "a=\"", "a=$(id)", "if (a=b)", "a=b?c=d", "a=b\nc=d"}) {
    EXPECT_FALSE(IsForm(text)) << text;
  }
}

TEST(MessageText, DecodesFormParts) {
  const auto decode = [](std::string_view part) {
    std::string decoded = "old";
    DecodeFormPart(part, &decoded);
    return decoded;
  };
  EXPECT_EQ(decode("%27+or%201%3d1"), "' or 1=1");
  EXPECT_EQ(decode("100%"), "100%");
  EXPECT_EQ(decode("%zz%4"), "%zz%4");
  EXPECT_EQ(decode("%00"), "\0"s);
}

TEST(MessageText, ReadsSocketIoPackets) {
  const auto json = [](std::string_view text) {
    const auto packet = ReadSocketIo(text);
    return packet ? std::string(packet->space) + "|" + std::string(packet->json) : "none";
  };
  EXPECT_EQ(json(R"(42["event",{}])"), R"(|["event",{}])");
  EXPECT_EQ(json(R"(42/admin,["e"])"), R"(/admin|["e"])");
  EXPECT_EQ(json(R"(421["e",1])"), R"(|["e",1])");
  EXPECT_EQ(json(R"(42/admin,17["e"])"), R"(/admin|["e"])");
  EXPECT_EQ(json(R"(4317[{"ok":true}])"), R"(|[{"ok":true}])");
  EXPECT_EQ(json(R"(451-["e",{"_placeholder":true,"num":0}])"),
            R"(|["e",{"_placeholder":true,"num":0}])");
  EXPECT_EQ(json(R"(4612-/n,5["e"])"), R"(/n|["e"])");
  EXPECT_EQ(json(R"(40{"token":"x"})"), R"(|{"token":"x"})");
  EXPECT_EQ(json(R"(40/admin,{"token":"x"})"), R"(/admin|{"token":"x"})");
  EXPECT_EQ(json(R"(0{"sid":"x"})"), R"(|{"sid":"x"})");
  EXPECT_EQ(json(R"(4["raw"])"), R"(|["raw"])");
  for (const char* text : {"", "4", "42", "2probe", "40/admin,", "42 [1]", "9[1]", "45[1]",
                           "451[1]", "42/admin[1]", "[1]", "47[1]", "hello", "1[1] x 4"}) {
    EXPECT_EQ(json(text), text == "1[1] x 4"s ? "|[1] x 4" : "none") << text;
  }
}

}  // namespace
}  // namespace framewall::waf
