#include "backend/server/text_rule.h"

#include <gtest/gtest.h>

#include "backend/base/characters.h"

namespace framewall::backend::server {
namespace {

constexpr TextRule kName = {.max = 5};
constexpr TextRule kProse = {.kind = TextRule::Kind::kProse, .max = 5};

std::string Kept(const TextRule& rule, std::string text) {
  const std::optional<std::string> fault = CheckText(rule, text);
  return fault ? "! " + *fault : text;
}

std::string Repeated(std::string_view piece, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += piece;
  return text;
}

TEST(TextRule, CountsCharactersNotOctets) {
  EXPECT_EQ(CountCharacters(""), 0u);
  EXPECT_EQ(CountCharacters("aé€𝄞"), 4u);
  EXPECT_EQ(Kept(kName, Repeated("ж", 5)), Repeated("ж", 5));
  EXPECT_EQ(Kept(kName, Repeated("ж", 6)), "! expected at most 5 characters, found 6");
  EXPECT_EQ(Kept(kName, Repeated("𝄞", 5)), Repeated("𝄞", 5));
}

TEST(TextRule, CountsWhatWasSentBeforeSpacesGo) {
  EXPECT_EQ(Kept(kName, " abc "), "abc");
  EXPECT_EQ(Kept(kName, " abcd "), "! expected at most 5 characters, found 6");
}

TEST(TextRule, LimitsOctetsWhereItSaysSo) {
  const TextRule rule = {.kind = TextRule::Kind::kProse, .max = 100, .octets = 6};
  EXPECT_EQ(Kept(rule, "жжж"), "жжж");
  EXPECT_EQ(Kept(rule, "жжжa"), "! expected at most 6 octets of UTF-8, found 7");
}

TEST(TextRule, TrimsNamesOfAllKindsOfSpaces) {
  EXPECT_EQ(Kept({.max = 20}, "\xC2\xA0 a b \xE2\x80\x83\xE3\x80\x80"), "a b");
  EXPECT_EQ(Kept({.max = 20}, " \xE2\x80\x8B "), "! expected more than nothing and spaces");
  EXPECT_EQ(Kept({.max = 20}, ""), "! expected more than nothing and spaces");
  EXPECT_EQ(Kept({.min = 0, .max = 20}, "  "), "");
  EXPECT_EQ(Kept({.min = 3, .max = 20}, " ab "), "! expected at least 3 characters, found 2");
  EXPECT_EQ(Kept({.min = 3, .max = 20}, " abc "), "abc");
}

TEST(TextRule, KeepsProseAsItWasSent) {
  EXPECT_EQ(Kept(kProse, " a\n "), " a\n ");
  EXPECT_EQ(Kept(kProse, "\t\r\n"), "! expected more than nothing and spaces");
}

TEST(TextRule, RefusesControlCharacters) {
  EXPECT_EQ(Kept(kName, "a\nb"), "! the character U+000A is not allowed here");
  EXPECT_EQ(Kept(kName, "a\tb"), "! the character U+0009 is not allowed here");
  EXPECT_EQ(Kept(kProse, "a\r\nb"), "a\r\nb");
  for (const TextRule& rule : {kName, kProse}) {
    EXPECT_EQ(Kept(rule, std::string("a\0b", 3)), "! the character U+0000 is not allowed here");
    EXPECT_EQ(Kept(rule, "a\x1b"), "! the character U+001B is not allowed here");
    EXPECT_EQ(Kept(rule, "a\x7f"), "! the character U+007F is not allowed here");
    EXPECT_EQ(Kept(rule, "a\xC2\x85"), "! the character U+0085 is not allowed here");
  }
}

TEST(TextRule, RefusesNamesThatTurnWhatFollows) {
  EXPECT_EQ(Kept(kName, "a\xE2\x80\xAE"), "! the character U+202E is not allowed here");
  EXPECT_EQ(Kept(kName, "a\xE2\x81\xA6"), "! the character U+2066 is not allowed here");
  EXPECT_EQ(Kept(kName, "a\xE2\x80\xA8"), "! the character U+2028 is not allowed here");
  EXPECT_EQ(Kept(kProse, "a\xE2\x80\xAE"), "a\xE2\x80\xAE");
  // Families of emoji are joined by U+200D.
  EXPECT_EQ(Kept(kName, "👩\xE2\x80\x8D👧"), "👩\xE2\x80\x8D👧");
}

TEST(TextRule, RefusesWhatIsNoUtf8) {
  EXPECT_EQ(Kept(kName, "a\xFF"), "! expected text in UTF-8");
  EXPECT_EQ(Kept(kProse, "\xED\xA0\x80"), "! expected text in UTF-8");
}

}  // namespace
}  // namespace framewall::backend::server
