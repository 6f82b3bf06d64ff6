#include "proxy/base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace framewall {
namespace {

// In one piece and octet by octet must agree.
bool Valid(std::string_view text) {
  const bool whole = IsValidUtf8(text);
  Utf8Validator validator;
  for (char c : text) validator.Feed({&c, 1});
  EXPECT_EQ(validator.complete(), whole);
  return whole;
}

std::string Encode(uint32_t point) {
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | (point >> shift & 0x3f)); };
  if (point < 0x80) return {static_cast<char>(point)};
  if (point < 0x800) return {static_cast<char>(0xc0 | point >> 6), tail(0)};
  if (point < 0x10000) return {static_cast<char>(0xe0 | point >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xf0 | point >> 18), tail(12), tail(6), tail(0)};
}

TEST(Utf8, EveryCodePointButSurrogates) {
  for (uint32_t point = 0; point < 0x110000; point += point < 0x11000 ? 1 : 61) {
    EXPECT_EQ(IsValidUtf8(Encode(point)), point < 0xd800 || point > 0xdfff) << point;
  }
  EXPECT_TRUE(Valid(Encode(0x10ffff)));
  EXPECT_FALSE(Valid(Encode(0x110000)));
}

TEST(Utf8, RefusesOverlongAndStray) {
  for (std::string_view text : {"\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\x80",
                                "\xbf", "\xf5\x80\x80\x80", "\xff", "\xc3(", "\xe2\x82(",
                                "\xed\xa0\x80", "\xf4\x90\x80\x80", "12345678\xff"}) {
    EXPECT_FALSE(Valid(text));
  }
}

TEST(Utf8, UnfinishedIsNotCompleteYet) {
  Utf8Validator validator;
  EXPECT_TRUE(validator.Feed("12345678a\xe2\x82"));
  EXPECT_FALSE(validator.complete());
  EXPECT_TRUE(validator.Feed("\xac"));
  EXPECT_TRUE(validator.complete());
}

TEST(Utf8, SaysNoAtTheFirstBadOctetAndStaysSo) {
  Utf8Validator validator;
  EXPECT_TRUE(validator.Feed("\xed"));
  EXPECT_FALSE(validator.Feed("\xa0"));
  EXPECT_FALSE(validator.Feed("a"));
  EXPECT_FALSE(validator.complete());
  validator.Reset();
  EXPECT_TRUE(validator.Feed("a"));
  EXPECT_TRUE(validator.complete());
}

TEST(Utf8, EmptyIsComplete) { EXPECT_TRUE(Valid("")); }

}  // namespace
}  // namespace framewall
