#include "proxy/json/equality.h"

#include <gtest/gtest.h>

#include <string>

namespace framewall::json {
namespace {

bool Same(std::string_view a, std::string_view b) {
  const auto left = Document::Parse(a);
  const auto right = Document::Parse(b);
  Budget budget(1000);
  const bool same = Equal(left->root(), right->root(), budget);
  if (same) {
    EXPECT_EQ(Hash(left->root(), budget), Hash(right->root(), budget)) << a << " " << b;
  }
  EXPECT_FALSE(budget.spent());
  return same;
}

TEST(Equality, NumbersByValue) {
  EXPECT_TRUE(Same("1", "1.0"));
  EXPECT_TRUE(Same("0", "-0.0"));
  EXPECT_TRUE(Same("9007199254740992", "9007199254740992.0"));
  EXPECT_FALSE(Same("9007199254740993", "9007199254740992.0"));
  EXPECT_FALSE(Same("9007199254740993", "9007199254740992"));
  EXPECT_FALSE(Same("1", "true"));
  EXPECT_FALSE(Same("0", "false"));
  EXPECT_FALSE(Same("1", "\"1\""));
}

TEST(Equality, ObjectsInAnyOrderArraysInTheirs) {
  EXPECT_TRUE(Same(R"({"a":1,"b":[2,null]})", R"({"b":[2.0,null],"a":1})"));
  EXPECT_FALSE(Same(R"({"a":1})", R"({"a":1,"b":2})"));
  EXPECT_FALSE(Same(R"({"a":1})", R"({"b":1})"));
  EXPECT_FALSE(Same("[1,2]", "[2,1]"));
  EXPECT_FALSE(Same("[]", "{}"));
  EXPECT_FALSE(Same("[]", "null"));
}

bool Different(std::string_view text, uint64_t steps, bool* spent) {
  const auto document = Document::Parse(text);
  Budget budget(steps);
  const bool different = AllDifferent(document->root(), budget);
  *spent = budget.spent();
  return different;
}

TEST(Equality, AllDifferent) {
  bool spent = false;
  EXPECT_TRUE(Different("[]", 100, &spent));
  EXPECT_TRUE(Different("[1,true,\"1\",[1],{\"a\":1},{\"a\":2},null,0,false]", 100, &spent));
  EXPECT_FALSE(Different("[1,2,1.0]", 100, &spent));
  EXPECT_FALSE(Different(R"([{"a":1,"b":2},0,{"b":2,"a":1}])", 100, &spent));
  EXPECT_FALSE(spent);
  EXPECT_FALSE(Different("[1,2,3,4,5,6,7,8]", 10, &spent));
  EXPECT_TRUE(spent);
}

}  // namespace
}  // namespace framewall::json
