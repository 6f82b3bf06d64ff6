#include "proxy/content/range.h"

#include <gtest/gtest.h>

#include <string>

namespace framewall::content {
namespace {

// "0-9 20-29", "whole" or "416", for content of 1000 octets unless said otherwise.
std::string Parse(std::string_view field, int64_t length = 1000,
                  std::optional<uint64_t> max_ranges = std::nullopt) {
  std::vector<ByteRange> ranges;
  switch (ParseRange(field, length, max_ranges, ranges)) {
    case RangeAnswer::kWhole:
      return "whole";
    case RangeAnswer::kUnsatisfiable:
      return "416";
    case RangeAnswer::kPartial:
      break;
  }
  std::string text;
  for (const ByteRange& range : ranges) {
    if (!text.empty()) text += ' ';
    text += std::to_string(range.begin) + "-" + std::to_string(range.end - 1);
  }
  return text;
}

TEST(ParseRange, ReadsTheThreeForms) {
  EXPECT_EQ(Parse("bytes=0-8"), "0-8");
  EXPECT_EQ(Parse("bytes=0-0"), "0-0");
  EXPECT_EQ(Parse("bytes=999-"), "999-999");
  EXPECT_EQ(Parse("bytes=-10"), "990-999");
  EXPECT_EQ(Parse("BYTES= 1 - 2 "), "1-2");
  EXPECT_EQ(Parse("bytes=0-9, -10,20-29"), "0-9 990-999 20-29");
}

TEST(ParseRange, CutsAtTheEndOfTheContent) {
  EXPECT_EQ(Parse("bytes=0-999"), "0-999");
  EXPECT_EQ(Parse("bytes=0-1000"), "0-999");
  EXPECT_EQ(Parse("bytes=-1000"), "0-999");
  EXPECT_EQ(Parse("bytes=-1001"), "0-999");
  EXPECT_EQ(Parse("bytes=5-9223372036854775807"), "5-999");
  EXPECT_EQ(Parse("bytes=0-1", 9223372036854775807), "0-1");
}

TEST(ParseRange, WhatIsNoByteRangeIsIgnored) {
  EXPECT_EQ(Parse(""), "whole");
  EXPECT_EQ(Parse("bytes="), "whole");
  EXPECT_EQ(Parse("lines=1-2"), "whole");
  EXPECT_EQ(Parse("bytes 1-2"), "whole");
}

TEST(ParseRange, WhatIsMalformedOrBeyondIsRefused) {
  for (const char* field :
       {"bytes=-", "bytes=x", "bytes=1", "bytes=1-x", "bytes=1-2x", "bytes=1--2", "bytes=--1",
        "bytes=1-2;3-4", "bytes=1-2,", "bytes=,1-2", "bytes=1000-", "bytes=1000-1001", "bytes=5-4",
        "bytes=-0", "bytes=9223372036854775808-", "bytes=0-9223372036854775808",
        "bytes=99999999999999999999-99999999999999999999"}) {
    EXPECT_EQ(Parse(field), "416") << field;
  }
}

TEST(ParseRange, SkipsRangesBeyondBesideGoodOnes) {
  EXPECT_EQ(Parse("bytes=2000-3000,1-2,5-4"), "1-2");
}

TEST(ParseRange, EmptyContentIsSentWhole) {
  EXPECT_EQ(Parse("bytes=0-", 0), "whole");
  EXPECT_EQ(Parse("bytes=-5", 0), "whole");
  EXPECT_EQ(Parse("bytes=1-", 0), "416");
}

TEST(ParseRange, MoreThanTheContentIsSentWhole) {
  EXPECT_EQ(Parse("bytes=0-499,500-999"), "0-499 500-999");
  EXPECT_EQ(Parse("bytes=0-499,499-999"), "whole");
  std::string many = "bytes=0-";
  for (int i = 0; i < 1000; ++i) many += ",0-";
  EXPECT_EQ(Parse(many, 9223372036854775807), "whole");
}

TEST(ParseRange, CountsRanges) {
  EXPECT_EQ(Parse("bytes=0-1", 1000, 0), "whole");
  EXPECT_EQ(Parse("bytes=0-1", 1000, 1), "0-1");
  EXPECT_EQ(Parse("bytes=0-1,3-4", 1000, 1), "whole");
  EXPECT_EQ(Parse("bytes=0-1,3-4", 1000, 2), "0-1 3-4");
}

TEST(IfRangeHolds, ComparesTagsAndDatesExactly) {
  const std::string_view etag = "\"a\"";
  constexpr char kDate[] = "Mon, 28 Sep 1970 06:00:00 GMT";
  EXPECT_TRUE(IfRangeHolds("\"a\"", &etag, -1));
  EXPECT_FALSE(IfRangeHolds("\"b\"", &etag, 23349600));
  EXPECT_FALSE(IfRangeHolds("W/\"a\"", &etag, -1));
  EXPECT_FALSE(IfRangeHolds("\"a\"", nullptr, -1));
  EXPECT_TRUE(IfRangeHolds(kDate, &etag, 23349600));
  EXPECT_FALSE(IfRangeHolds(kDate, &etag, 23349601));
  EXPECT_FALSE(IfRangeHolds(kDate, &etag, -1));
  EXPECT_FALSE(IfRangeHolds("wrong", &etag, 23349600));
  EXPECT_FALSE(IfRangeHolds("wrong", &etag, -1));
}

}  // namespace
}  // namespace framewall::content
