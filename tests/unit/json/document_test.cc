#include "proxy/json/document.h"

#include <gtest/gtest.h>

#include <string>

namespace framewall::json {
namespace {

std::string Fault(std::string_view text, const Limits& limits = {}) {
  const auto document = Document::Parse(text, limits);
  return document.ok() ? "" : document.error().message;
}

std::string Text(std::string_view text) {
  const auto document = Document::Parse(text);
  return document.ok() ? document->root().Text() : document.error().message;
}

TEST(Document, ReadsEveryKind) {
  const auto document =
      Document::Parse(R"( {"n":null,"t":true,"i":-7,"r":1.5,"s":"\u044f\n","a":[1,[]],"o":{}} )");
  ASSERT_TRUE(document.ok()) << document.error().message;
  const Value root = document->root();
  ASSERT_EQ(root.kind(), Kind::kObject);
  EXPECT_EQ(root.size(), 7u);
  EXPECT_EQ(root.Find("n")->kind(), Kind::kNull);
  EXPECT_TRUE(root.Find("t")->AsBoolean());
  EXPECT_EQ(root.Find("i")->AsInteger(), -7);
  EXPECT_EQ(root.Find("r")->AsReal(), 1.5);
  EXPECT_EQ(root.Find("s")->AsString(), "я\n");
  EXPECT_EQ(root.Find("a")->At(1).kind(), Kind::kArray);
  EXPECT_FALSE(root.Find("missing"));
  EXPECT_FALSE(root.Find("a")->Find("0"));
}

TEST(Document, MembersKeepTheirOrder) {
  const auto document = Document::Parse(R"({"b":1,"a":2,"c":3})");
  std::string names;
  for (MemberCursor at(document->root()); const auto member = at.Next();) names += member->name;
  EXPECT_EQ(names, "bac");
  EXPECT_EQ(document->root().Text(), R"({"b":1,"a":2,"c":3})");
}

TEST(Document, ScalarsAreDocuments) {
  for (const char* text : {"1", "\"a\"", "null", "true", " 1.5 "}) EXPECT_EQ(Fault(text), "");
}

TEST(Document, RefusesWithLineAndColumn) {
  EXPECT_EQ(Fault("{\n  \"a\": 1,\n  \"a\": 2}").substr(0, 25), "3:5: duplicate object key");
  EXPECT_EQ(Fault("1 2").substr(0, 4), "1:3:");
  EXPECT_EQ(Fault("[1]x").substr(0, 4), "1:4:");
  for (const char* text : {"",
                           " ",
                           "{",
                           "[1,]",
                           "{\"a\"}",
                           "'a'",
                           "nul",
                           "01",
                           "1.",
                           "+1",
                           "NaN",
                           "Infinity",
                           "[1 2]",
                           "// c\n1",
                           "\"\x01\"",
                           "\"\\x\"",
                           "\"\\ud800\"",
                           "\"\xff\"",
                           "\"\xed\xa0\x80\"",
                           "\xef\xbb\xbf{}",
                           "1e400",
                           "\"open"}) {
    EXPECT_NE(Fault(text), "") << text;
  }
}

TEST(Document, NullCharacters) {
  const auto document = Document::Parse("\"a\\u0000b\"");
  ASSERT_TRUE(document.ok());
  EXPECT_EQ(document->root().AsString(), std::string_view("a\0b", 3));
  EXPECT_NE(Fault("{\"a\\u0000b\":1}"), "");
  EXPECT_NE(Fault(std::string_view("[1]\0", 4)), "");
}

TEST(Document, IntegersOf64BitsAndBeyond) {
  const auto kind_of = [](std::string_view text) {
    const auto document = Document::Parse(text);
    EXPECT_TRUE(document.ok()) << text;
    return document->root().kind();
  };
  EXPECT_EQ(kind_of("9223372036854775807"), Kind::kInteger);
  EXPECT_EQ(kind_of("-9223372036854775808"), Kind::kInteger);
  EXPECT_EQ(kind_of("9223372036854775808"), Kind::kReal);
  EXPECT_EQ(kind_of("-9223372036854775809"), Kind::kReal);
  // Beside a wide one the others stay exact, and digits in strings are text.
  const auto document =
      Document::Parse(R"([9007199254740993, 18446744073709551616, "18446744073709551616\""])");
  ASSERT_TRUE(document.ok());
  EXPECT_EQ(document->root().At(0).AsInteger(), 9007199254740993);
  EXPECT_EQ(document->root().At(1).AsReal(), 18446744073709551616.0);
  EXPECT_EQ(document->root().At(2).AsString(), "18446744073709551616\"");
  EXPECT_EQ(kind_of(std::string(300, '9')), Kind::kReal);
  EXPECT_NE(Fault(std::string(400, '9')), "");
}

TEST(Document, DepthFromBothSides) {
  const auto nested = [](size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
  };
  const Limits limits{.depth = 5};
  EXPECT_EQ(Fault(nested(5), limits), "");
  EXPECT_EQ(Fault(nested(6), limits), "1:6: more than 5 levels");
  EXPECT_EQ(Fault("[\"[[[[[[\", [[[[]]]], {}]", limits), "");
  EXPECT_EQ(Fault("\n[" + std::string(R"({"a":[{"b":[[]]}]})") + "]", limits),
            "2:14: more than 5 levels");
  EXPECT_EQ(Fault(nested(128)), "");
  EXPECT_NE(Fault(nested(129)), "");
}

TEST(Document, ValuesFromBothSides) {
  const Limits limits{.values = 5};
  EXPECT_EQ(Fault("[1,2,3,4]", limits), "");
  EXPECT_EQ(Fault("[1,2,3,4,5]", limits), "1:9: more than 5 values");
  EXPECT_EQ(Fault("[\"1,2,3,4,5,6,7\"]", limits), "");
}

TEST(Document, OctetsFromBothSides) {
  const Limits limits{.octets = 5};
  EXPECT_EQ(Fault("\"abc\"", limits), "");
  EXPECT_EQ(Fault("\"abcd\"", limits), "1:1: more than 5 octets");
}

TEST(Document, TextReadsBack) {
  for (const char* text : {"0.1", "1e-300", "12345678901234567890.0", "[true,null,\"\\u0000\"]"}) {
    EXPECT_EQ(Text(Text(text)), Text(text)) << text;
  }
}

TEST(Document, OfString) {
  EXPECT_EQ(Document::OfString("a\"b").root().AsString(), "a\"b");
  EXPECT_EQ(Document::OfString({}).root().AsString(), "");
}

}  // namespace
}  // namespace framewall::json
