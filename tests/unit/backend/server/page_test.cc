#include "backend/server/page.h"

#include <gtest/gtest.h>

#include "proxy/base/encoding.h"

namespace framewall::backend::server {
namespace {

constexpr PageLimits kLimits = {.otherwise = 50, .most = 200};

struct Asked {
  PageRequest page;
  std::string problems;
};

Asked Read(const std::optional<std::string>& limit, const std::optional<std::string>& cursor) {
  Query query([&](std::string_view name) -> std::optional<std::string> {
    if (name == "limit") return limit;
    if (name == "cursor") return cursor;
    return std::nullopt;
  });
  Asked asked;
  asked.page = ReadPage(query, "list", kLimits);
  for (const FieldProblem& problem : query.Finish()) asked.problems += problem.pointer;
  return asked;
}

TEST(Page, LimitsOnBothSides) {
  EXPECT_EQ(Read({}, {}).page.limit, 50u);
  EXPECT_EQ(Read("1", {}).page.limit, 1u);
  EXPECT_EQ(Read("200", {}).page.limit, 200u);
  EXPECT_EQ(Read("0", {}).problems, "?limit");
  EXPECT_EQ(Read("201", {}).problems, "?limit");
  EXPECT_EQ(Read("-1", {}).problems, "?limit");
}

TEST(Page, CursorsComeBack) {
  const std::string cursor = MakeCursor("list", "position 1/ё");
  EXPECT_EQ(cursor.find("position"), std::string::npos);
  const Asked asked = Read({}, cursor);
  EXPECT_EQ(asked.page.behind, "position 1/ё");
  EXPECT_EQ(asked.problems, "");
}

TEST(Page, RefusesWhatIsNoCursorOfThisList) {
  const std::string cursor = MakeCursor("list", "7");
  EXPECT_EQ(ReadCursor("list", cursor), "7");
  EXPECT_EQ(ReadCursor("another list", cursor), std::nullopt);
  EXPECT_EQ(ReadCursor("list", MakeCursor("list", "")), std::nullopt);
  for (const std::string& wrong : {std::string(), std::string("!"), cursor + "=", cursor.substr(1),
                                   std::string("AAAA"), std::string(513, 'A')}) {
    EXPECT_EQ(ReadCursor("list", wrong), std::nullopt) << wrong;
    EXPECT_EQ(Read({}, wrong).problems, "?cursor") << wrong;
  }
  EXPECT_TRUE(ReadCursor("list", MakeCursor("list", std::string(380, 'x'))).has_value());
  EXPECT_FALSE(ReadCursor("list", MakeCursor("list", std::string(381, 'x'))).has_value());
}

TEST(Page, NumbersBehindAreAboveZero) {
  for (const auto& [position, expected] :
       std::vector<std::pair<std::string, std::string>>{{"1", ""},
                                                        {"9223372036854775807", ""},
                                                        {"9223372036854775808", "?cursor"},
                                                        {"0", "?cursor"},
                                                        {"x", "?cursor"}}) {
    Query query([&](std::string_view name) -> std::optional<std::string> {
      if (name == "cursor") return MakeCursor("list", position);
      return std::nullopt;
    });
    const PageRequest page = ReadPage(query, "list", kLimits);
    NumberBehind(query, page);
    std::string problems;
    for (const FieldProblem& problem : query.Finish()) problems += problem.pointer;
    EXPECT_EQ(problems, expected) << position;
  }
}

TEST(Page, SaysNextWhereThereIsMore) {
  const auto number = [](int item) { return json::Node(item); };
  const auto position = [](int item) { return std::to_string(item); };
  const PageRequest two = {.limit = 2, .behind = {}};
  EXPECT_EQ(ToPage(std::vector<int>{}, two, "list", number, position).Text(),
            R"({"items":[],"next":null})");
  EXPECT_EQ(ToPage(std::vector<int>{9, 8}, two, "list", number, position).Text(),
            R"({"items":[9,8],"next":null})");
  const json::Node more = ToPage(std::vector<int>{9, 8, 7}, two, "list", number, position);
  EXPECT_EQ(more.view().Find("items")->Text(), "[9,8]");
  EXPECT_EQ(ReadCursor("list", more.view().Find("next")->AsString()), "8");
}

}  // namespace
}  // namespace framewall::backend::server
