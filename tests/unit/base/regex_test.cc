#include "proxy/base/regex.h"

#include <gtest/gtest.h>

namespace framewall {
namespace {

Regex Pattern(std::string_view pattern, Regex::Case sensitivity = Regex::Case::kSensitive) {
  auto regex = Regex::Compile(pattern, sensitivity);
  EXPECT_TRUE(regex.ok()) << (regex.ok() ? "" : regex.error().message);
  return std::move(regex).value();
}

TEST(Regex, CaseAsAsked) {
  EXPECT_TRUE(Pattern("\\.php$").Matches("/index.php"));
  EXPECT_FALSE(Pattern("\\.php$").Matches("/index.PHP"));
  EXPECT_TRUE(Pattern("\\.php$", Regex::Case::kInsensitive).Matches("/index.PHP"));
}

TEST(Regex, OctetsNotCharacters) {
  EXPECT_TRUE(Pattern("^..$").Matches("\xc3\xa4"));
  EXPECT_TRUE(Pattern("^.$").Matches("\xff"));
}

TEST(Regex, GivesCaptures) {
  const Regex regex = Pattern("^(a)?(b)(c)?");
  EXPECT_EQ(regex.capture_count(), 3);
  constexpr size_t kNone = std::string_view::npos;
  Regex::Captures captures = {{9, 9}};
  ASSERT_EQ(regex.Match("bx", &captures), Regex::Outcome::kMatch);
  const Regex::Captures expected = {{0, 1}, {kNone, kNone}, {0, 1}, {kNone, kNone}};
  EXPECT_EQ(captures, expected);
  EXPECT_EQ(regex.Match("x", &captures), Regex::Outcome::kNoMatch);
}

TEST(Regex, NamesItsGroups) {
  const Regex regex = Pattern("(?<zone>a)(b)(?P<area>c)");
  const std::vector<std::pair<std::string, int>> expected = {{"area", 3}, {"zone", 1}};
  EXPECT_EQ(regex.names(), expected);
  EXPECT_EQ(regex.pattern(), "(?<zone>a)(b)(?P<area>c)");
}

TEST(Regex, MatchesNothingAndZeroOctets) {
  EXPECT_TRUE(Pattern("^$").Matches({}));
  EXPECT_TRUE(Pattern("").Matches(""));
  EXPECT_TRUE(Pattern("a.b").Matches(std::string_view("a\0b", 3)));
}

TEST(Regex, ManyGroupsAfterFew) {
  std::string many;
  for (int i = 0; i < 40; ++i) many += "(.)";
  const Regex few = Pattern("(.)");
  const Regex large = Pattern(many);
  Regex::Captures captures;
  ASSERT_EQ(few.Match("x", &captures), Regex::Outcome::kMatch);
  ASSERT_EQ(large.Match(std::string(40, 'x'), &captures), Regex::Outcome::kMatch);
  EXPECT_EQ(captures.size(), 41u);
  EXPECT_EQ(captures[40], (std::pair<size_t, size_t>(39, 40)));
  ASSERT_EQ(few.Match("x", &captures), Regex::Outcome::kMatch);
  EXPECT_EQ(captures.size(), 2u);
}

TEST(Regex, ErrorInTheWordsOfNginx) {
  const auto at_end = Regex::Compile("(", Regex::Case::kSensitive);
  ASSERT_FALSE(at_end.ok());
  EXPECT_EQ(at_end.error().message, "pcre2_compile() failed: missing closing parenthesis in \"(\"");
  EXPECT_EQ(at_end.error().source, ErrorSource::kOperator);
  const auto inside = Regex::Compile("a**b", Regex::Case::kSensitive);
  ASSERT_FALSE(inside.ok());
  EXPECT_EQ(inside.error().message,
            "pcre2_compile() failed: quantifier does not follow a repeatable item in \"a**b\" at "
            "\"*b\"");
}

TEST(Regex, HostileTextMeetsTheLimit) {
  const Regex regex = Pattern("^(a+)+$");
  EXPECT_EQ(regex.Match(std::string(40, 'a') + "!", nullptr), Regex::Outcome::kLimit);
  EXPECT_FALSE(regex.Matches(std::string(40, 'a') + "!"));
  EXPECT_TRUE(regex.Matches(std::string(40, 'a')));
}

TEST(Regex, OrdinaryLongTextDoesNot) {
  EXPECT_EQ(Pattern("^(?:[a-z]|/)*$").Match(std::string(8192, 'a'), nullptr),
            Regex::Outcome::kMatch);
  EXPECT_EQ(Pattern("(.*)(.*)x").Match(std::string(200, 'a'), nullptr), Regex::Outcome::kNoMatch);
}

TEST(Regex, InvalidTextUnderUtfIsLeftOpen) {
  EXPECT_EQ(Pattern("(*UTF)^.$").Match("\xff", nullptr), Regex::Outcome::kLimit);
}

TEST(Regex, MovesWithItsCode) {
  Regex first = Pattern("a");
  Regex second = std::move(first);
  EXPECT_TRUE(second.Matches("a"));
  second = Pattern("b");
  EXPECT_FALSE(second.Matches("a"));
}

}  // namespace
}  // namespace framewall
