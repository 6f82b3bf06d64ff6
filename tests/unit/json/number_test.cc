#include "proxy/json/number.h"

#include <gtest/gtest.h>

#include <string>

namespace framewall::json {
namespace {

int Order(std::string_view a, std::string_view b) {
  const auto left = Document::Parse(a);
  const auto right = Document::Parse(b);
  const int order = Compare(left->root(), right->root());
  EXPECT_EQ(Compare(right->root(), left->root()), -order) << a << " " << b;
  return order;
}

bool Multiple(std::string_view number, std::string_view of) {
  const auto left = Document::Parse(number);
  const auto right = Document::Parse(of);
  return IsMultipleOf(left->root(), right->root());
}

TEST(Number, ComparesExactly) {
  EXPECT_EQ(Order("1", "2"), -1);
  EXPECT_EQ(Order("1", "1.0"), 0);
  EXPECT_EQ(Order("1", "1.5"), -1);
  EXPECT_EQ(Order("-1", "-1.5"), 1);
  EXPECT_EQ(Order("9007199254740993", "9007199254740992.0"), 1);
  EXPECT_EQ(Order("9223372036854775807", "9223372036854775808"), -1);
  EXPECT_EQ(Order("-9223372036854775808", "-9223372036854775808.0"), 0);
  EXPECT_EQ(Order("-9223372036854775808", "-1e300"), 1);
  EXPECT_EQ(Order("1e300", "1e301"), -1);
}

TEST(Number, Integers) {
  const auto is_integer = [](std::string_view text) {
    const auto document = Document::Parse(text);
    return IsInteger(document->root());
  };
  EXPECT_TRUE(is_integer("1"));
  EXPECT_TRUE(is_integer("1.0"));
  EXPECT_TRUE(is_integer("1e300"));
  EXPECT_FALSE(is_integer("1.5"));
  EXPECT_FALSE(is_integer("1e-5"));
}

TEST(Number, Multiples) {
  EXPECT_TRUE(Multiple("10", "2"));
  EXPECT_FALSE(Multiple("7", "2"));
  EXPECT_TRUE(Multiple("-8", "2"));
  EXPECT_TRUE(Multiple("0", "3.7"));
  EXPECT_TRUE(Multiple("4.5", "1.5"));
  EXPECT_FALSE(Multiple("35", "1.5"));
  EXPECT_TRUE(Multiple("0.0075", "0.0001"));
  EXPECT_FALSE(Multiple("0.00751", "0.0001"));
  EXPECT_TRUE(Multiple("19.99", "0.01"));
  EXPECT_TRUE(Multiple("12391239123", "1e-8"));
  EXPECT_TRUE(Multiple("1e308", "0.5"));
  EXPECT_FALSE(Multiple("1e308", "0.123456789"));
  EXPECT_FALSE(Multiple("1e-308", "1e308"));
  EXPECT_TRUE(Multiple("9223372036854775807", "7"));
  EXPECT_FALSE(Multiple("9223372036854775807", "2"));
  EXPECT_TRUE(Multiple("-9223372036854775808", "4294967296"));
  EXPECT_FALSE(Multiple("1", "0"));
}

}  // namespace
}  // namespace framewall::json
