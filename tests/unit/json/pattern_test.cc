#include "proxy/json/pattern.h"

#include <gtest/gtest.h>

#include <string>

namespace framewall::json {
namespace {

bool Matches(std::string_view pattern, std::string_view text) {
  const auto compiled = CompilePattern(pattern);
  if (!compiled.ok()) {
    ADD_FAILURE() << pattern << ": " << compiled.error().message;
    return false;
  }
  return compiled->Matches(text);
}

std::string Fault(std::string_view pattern) {
  const auto compiled = CompilePattern(pattern);
  return compiled.ok() ? "" : compiled.error().message;
}

TEST(Pattern, SearchesAnywhere) {
  EXPECT_TRUE(Matches("es", "expression"));
  EXPECT_FALSE(Matches("^es", "expression"));
  EXPECT_TRUE(Matches("", ""));
}

TEST(Pattern, DollarIsTheEndAlone) {
  EXPECT_TRUE(Matches("^abc$", "abc"));
  EXPECT_FALSE(Matches("^abc$", "abc\n"));
  EXPECT_TRUE(Matches("^a\\$[$]$", "a$$"));
}

TEST(Pattern, DotLeavesOutLineEnds) {
  for (const char* end : {"\n", "\r", "\u2028", "\u2029"}) EXPECT_FALSE(Matches("^.$", end));
  for (const char* one : {"x", "\t", "я", "😀", "\v"}) EXPECT_TRUE(Matches("^.$", one)) << one;
  EXPECT_TRUE(Matches("^[.]\\.$", ".."));
}

TEST(Pattern, CharactersAreCodePoints) {
  EXPECT_TRUE(Matches("^😀{2}$", "😀😀"));
  EXPECT_TRUE(Matches("^[а-я]+$", "привет"));
  EXPECT_TRUE(Matches("^\\u0041\\u{1F600}\\uD83D\\uDE00\\x42$", "A😀😀B"));
  EXPECT_TRUE(Matches("^[\\u0430-\\u044f]$", "я"));
  EXPECT_TRUE(Matches("^\\0$", std::string_view("\0", 1)));
}

TEST(Pattern, ClassesOfAsciiAndOfUnicode) {
  EXPECT_FALSE(Matches("\\d", "\u0661"));
  EXPECT_FALSE(Matches("\\w", "я"));
  EXPECT_TRUE(Matches("^\\W$", "я"));
  for (const char* space : {" ", "\t", "\v", "\u00a0", "\ufeff", "\u2029", "\u3000", "\n"}) {
    EXPECT_TRUE(Matches("^\\s$", space));
    EXPECT_TRUE(Matches("^[a\\s]$", space));
    EXPECT_FALSE(Matches("\\S", space));
    EXPECT_FALSE(Matches("[\\Sa]", space));
    EXPECT_FALSE(Matches("[^\\s]", space));
  }
  for (const char* other : {"a", "я", "\x01", "\u200b"}) {
    EXPECT_FALSE(Matches("\\s", other));
    EXPECT_TRUE(Matches("^[\\S]$", other));
  }
  EXPECT_TRUE(Matches("^\\v$", "\v"));
  EXPECT_FALSE(Matches("\\v", "\n"));
  EXPECT_TRUE(Matches("^\\p{Letter}\\p{Lu}\\p{gc=Decimal_Number}\\P{L}$", "яЯ\u0661!"));
}

TEST(Pattern, Brackets) {
  EXPECT_FALSE(Matches("[]", "a"));
  EXPECT_TRUE(Matches("^[^]$", "\n"));
  // Of a, :, l, p, h and [, then a bracket.
  EXPECT_TRUE(Matches("^[[:alpha:]]$", "[]"));
  EXPECT_FALSE(Matches("^[[:alpha:]]$", "x"));
  EXPECT_TRUE(Matches("^[\\]a]$", "]"));
  EXPECT_TRUE(Matches("^[\\b\\-]+$", "\b-"));
}

TEST(Pattern, GroupsAndReferences) {
  EXPECT_TRUE(Matches("^(?<q>['\"]).*\\k<q>$", "'a'"));
  EXPECT_FALSE(Matches("^(['\"]).*\\1$", "'a\""));
  EXPECT_TRUE(Matches("^(?!b)(?:a|b)(?=c)c(?<=c)$", "ac"));
  EXPECT_TRUE(Matches("\\cJ", "\n"));
}

TEST(Pattern, RefusesWhatEcmaScriptHasNot) {
  for (const char* pattern :
       {"\\A",   "a\\Z",    "a\\z",           "\\Qa\\E", "\\K",   "\\R",   "\\h",   "\\a",
        "\\e",   "(*UTF)a", "(?P<n>a)",       "(?#x)",   "\\x1",  "\\xg0", "\\u12", "\\u{110000}",
        "\\u{}", "\\ud800", "\\ud800\\u0041", "\\pL",    "\\p{L", "[\\B]", "[\\1]", "\\01",
        "\\c1",  "\\"}) {
    EXPECT_NE(Fault(pattern).find("is no part of ECMA-262's regular expressions"),
              std::string::npos)
        << pattern << ": " << Fault(pattern);
  }
  for (const char* pattern : {"(", "[a", "a**", "[b-a]", "\\p{Nothing}", "(?<n>a)(?<n>b)", "\\2"}) {
    EXPECT_NE(Fault(pattern), "") << pattern;
  }
}

TEST(Pattern, HostileTextEndsAtTheLimit) {
  const auto pattern = CompilePattern("^(a+)+$");
  ASSERT_TRUE(pattern.ok());
  EXPECT_EQ(pattern->Match(std::string(40, 'a') + "!", nullptr), Regex::Outcome::kLimit);
}

}  // namespace
}  // namespace framewall::json
