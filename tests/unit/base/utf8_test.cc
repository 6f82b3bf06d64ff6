#include "proxy/base/utf8.h"

#include <gtest/gtest.h>

#include <random>
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

// Whole characters are checked in blocks, the rest octet by octet: the two agree wherever a
// character or a fault lies.
TEST(Utf8, BlocksAndOctetsAgree) {
  constexpr uint32_t kPoints[] = {'a',     ' ',     0x7f,    0x80,     0x7ff,    0x43f,   0x800,
                                  0xfff,   0xd7ff,  0xe000,  0xffff,   0x20ac,   0x1f600, 0x10000,
                                  0x3ffff, 0x40000, 0xfffff, 0x100000, 0x10ffff, 0xd800,  0x110000};
  constexpr size_t kValid = 19;  // the first ones
  std::minstd_rand random(1);
  size_t valid = 0;
  for (int round = 0; round < 50000; ++round) {
    std::string text;
    const size_t size = random() % 70;
    const size_t mix = 1 + random() % kValid;
    while (text.size() < size) text += Encode(kPoints[random() % mix]);
    switch (random() % 4) {
      case 0:
        if (!text.empty()) text[random() % text.size()] = static_cast<char>(random());
        break;
      case 1:
        text.resize(text.size() - std::min<size_t>(text.size(), random() % 4));
        break;
      case 2:
        text += Encode(kPoints[random() % std::size(kPoints)]);
        break;
      default:
        break;
    }
    valid += Valid(text) ? 1 : 0;
    // In two pieces, cut anywhere.
    const size_t cut = random() % (text.size() + 1);
    Utf8Validator validator;
    const bool first = validator.Feed(std::string_view(text).substr(0, cut));
    EXPECT_EQ(validator.Feed(std::string_view(text).substr(cut)) && validator.complete(),
              IsValidUtf8(text));
    EXPECT_TRUE(first || !IsValidUtf8(text));
  }
  EXPECT_GT(valid, 10000u);
  EXPECT_LT(valid, 45000u);
}

}  // namespace
}  // namespace framewall
