#include "proxy/http/cookie.h"

#include <gtest/gtest.h>

namespace framewall::http {
namespace {

std::string Find(std::initializer_list<std::string_view> cookies, std::string_view name) {
  Arena arena;
  HeaderMap map(&arena);
  for (std::string_view cookie : cookies) map.Add(FieldId::kCookie, cookie);
  const auto value = FindCookie(map, name);
  return value ? std::string(*value) : "none";
}

TEST(FindCookie, FindsByNameWithoutCase) {
  EXPECT_EQ(Find({"a=1; b=2; c=3"}, "b"), "2");
  EXPECT_EQ(Find({"A=1"}, "a"), "1");
  EXPECT_EQ(Find({"x=1", "y=2"}, "y"), "2");
  EXPECT_EQ(Find({"a = 1 ;b=2"}, "a"), "1 ");
  EXPECT_EQ(Find({"a=b=c"}, "a"), "b=c");
  EXPECT_EQ(Find({"a="}, "a"), "");
  EXPECT_EQ(Find({"a=1,b=2"}, "b"), "2");
}

TEST(FindCookie, DoesNotTakeParts) {
  EXPECT_EQ(Find({"ab=1; cb=2"}, "b"), "none");
  EXPECT_EQ(Find({"ab=1"}, "a"), "none");
  EXPECT_EQ(Find({"a"}, "a"), "none");
  EXPECT_EQ(Find({"x=a=1"}, "a"), "none");
  EXPECT_EQ(Find({}, "a"), "none");
  EXPECT_EQ(Find({"=1"}, ""), "none");
}

TEST(FindSetCookie, TakesTheNameAtTheStartOnly) {
  Arena arena;
  HeaderMap map(&arena);
  map.Add(FieldId::kSetCookie, "sid=abc; Path=/; HttpOnly");
  map.Add(FieldId::kSetCookie, "t=1");
  EXPECT_EQ(FindSetCookie(map, "SID"), "abc");
  EXPECT_EQ(FindSetCookie(map, "t"), "1");
  EXPECT_FALSE(FindSetCookie(map, "Path"));
}

}  // namespace
}  // namespace framewall::http
