#include "proxy/base/parse.h"

#include <gtest/gtest.h>

namespace framewall {
namespace {

TEST(ParseUnsigned, DigitsUpToTheLimit) {
  EXPECT_EQ(ParseUnsigned("0"), 0u);
  EXPECT_EQ(ParseUnsigned("007"), 7u);
  EXPECT_EQ(ParseUnsigned("18446744073709551615"), UINT64_MAX);
  EXPECT_FALSE(ParseUnsigned("18446744073709551616"));
  for (std::string_view text : {"", " 1", "1 ", "+1", "-1", "1a", "0x1"}) {
    EXPECT_FALSE(ParseUnsigned(text)) << text;
  }
}

TEST(ParseHex, DigitsUpToTheLimit) {
  EXPECT_EQ(ParseHex("fF"), 255u);
  EXPECT_EQ(ParseHex("ffffffffffffffff"), UINT64_MAX);
  EXPECT_FALSE(ParseHex("10000000000000000"));
  for (std::string_view text : {"", "0x1", "g", " 1", "-1"}) EXPECT_FALSE(ParseHex(text)) << text;
}

TEST(ParseSize, Units) {
  EXPECT_EQ(ParseSize("10"), 10u);
  EXPECT_EQ(ParseSize("8k"), 8192u);
  EXPECT_EQ(ParseSize("1M"), 1048576u);
  EXPECT_EQ(ParseSize("2g"), uint64_t{2} << 30);
  EXPECT_EQ(ParseSize("9223372036854775807"), uint64_t{INT64_MAX});
  for (std::string_view text : {"", "k", "1kk", "1t", "1 k", "-1", "9223372036854775808",
                                "8589934592g", "99999999999999999999g"}) {
    EXPECT_FALSE(ParseSize(text)) << text;
  }
}

TEST(ParseTime, UnitsDescending) {
  EXPECT_EQ(ParseTime("30"), Milliseconds(30000));
  EXPECT_EQ(ParseTime("0"), Milliseconds(0));
  EXPECT_EQ(ParseTime("100ms"), Milliseconds(100));
  EXPECT_EQ(ParseTime("1m30s"), Milliseconds(90000));
  EXPECT_EQ(ParseTime("1m 30s"), Milliseconds(90000));
  EXPECT_EQ(ParseTime("1m30"), Milliseconds(90000));
  EXPECT_EQ(ParseTime("1h"), Milliseconds(3600000));
  EXPECT_EQ(ParseTime("1M"), Milliseconds(2592000000));
  EXPECT_EQ(ParseTime("1y1M1w1d1h1m1s1ms"),
            Milliseconds(31536000000 + 2592000000 + 604800000 + 86400000 + 3600000 + 60000 + 1001));
  for (std::string_view text :
       {"", "s", "-1s", "1s1m", "1s1s", "1x", "1.5s", " 1s", "99999999999999999999", "1S",
        "9223372036854775808ms", "300000000y"}) {
    EXPECT_FALSE(ParseTime(text)) << text;
  }
}

TEST(ParseFlag, EitherCase) {
  EXPECT_EQ(ParseFlag("on"), true);
  EXPECT_EQ(ParseFlag("OFF"), false);
  EXPECT_FALSE(ParseFlag("yes"));
  EXPECT_FALSE(ParseFlag(""));
}

}  // namespace
}  // namespace framewall
