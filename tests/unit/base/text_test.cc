#include "proxy/base/text.h"

#include <gtest/gtest.h>

namespace framewall {
namespace {

TEST(Text, TokensAreThoseOfRfc9110) {
  EXPECT_TRUE(IsToken("Content-Type"));
  EXPECT_TRUE(IsToken("!#$%&'*+-.^_`|~09azAZ"));
  EXPECT_FALSE(IsToken(""));
  for (char c : std::string_view("\"(),/:;<=>?@[\\]{} \t\x7f\x80\xff")) {
    EXPECT_FALSE(IsTokenChar(c)) << static_cast<int>(c);
  }
  EXPECT_FALSE(IsTokenChar('\0'));
}

TEST(Text, CaseIsAsciiOnly) {
  EXPECT_TRUE(EqualsIgnoreCase("KEEP-alive", "keep-ALIVE"));
  EXPECT_FALSE(EqualsIgnoreCase("a", "ab"));
  EXPECT_FALSE(EqualsIgnoreCase("\xc4", "\xe4"));
  EXPECT_FALSE(EqualsIgnoreCase("[", "{"));
  EXPECT_TRUE(StartsWithIgnoreCase("Basic abc", "basic "));
  EXPECT_FALSE(StartsWithIgnoreCase("Bas", "basic"));
  EXPECT_TRUE(EndsWithIgnoreCase("a.PHP", ".php"));
  EXPECT_EQ(ToLower("AbC\xc4"), "abc\xc4");
}

TEST(Text, TrimsOnlySpacesAndTabs) {
  EXPECT_EQ(Trim(" \ta b\t "), "a b");
  EXPECT_EQ(Trim(" \t "), "");
  EXPECT_EQ(Trim("\na\r"), "\na\r");
}

TEST(Text, ListElementsWithoutEmptyOnes) {
  std::string seen;
  ForEachListElement(" a, ,b ,, c d,",
                     [&](std::string_view e) { seen.append("<").append(e).append(">"); });
  EXPECT_EQ(seen, "<a><b><c d>");
  ForEachListElement("", [&](std::string_view) { FAIL(); });
  EXPECT_TRUE(ListContainsToken("keep-alive, Upgrade", "upgrade"));
  EXPECT_FALSE(ListContainsToken("keep-alive, Upgrades", "upgrade"));
}

TEST(Text, SplitKeepsEmptyParts) {
  using Parts = std::vector<std::string_view>;
  EXPECT_EQ(Split("a::b:", ':'), (Parts{"a", "", "b", ""}));
  EXPECT_EQ(Split("", ':'), (Parts{""}));
}

TEST(Text, EditDistanceForDidYouMean) {
  EXPECT_EQ(EditDistance("listen", "listen", 3), 0u);
  EXPECT_EQ(EditDistance("listne", "listen", 3), 1u);
  EXPECT_EQ(EditDistance("lisen", "listen", 3), 1u);
  EXPECT_EQ(EditDistance("server_nam", "server", 3), 3u);
  EXPECT_EQ(EditDistance("abc", "xyz", 3), 3u);
  EXPECT_EQ(EditDistance("", "ab", 3), 2u);
}

TEST(Text, HexDigits) {
  EXPECT_EQ(HexValue('9'), 9);
  EXPECT_EQ(HexValue('a'), 10);
  EXPECT_EQ(HexValue('F'), 15);
  EXPECT_EQ(HexValue('g'), -1);
  EXPECT_TRUE(IsHexDigit('f'));
  EXPECT_FALSE(IsHexDigit('G'));
}

}  // namespace
}  // namespace framewall
