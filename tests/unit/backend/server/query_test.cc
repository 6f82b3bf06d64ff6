#include "backend/server/query.h"

#include <gtest/gtest.h>

#include <map>

namespace framewall::backend::server {
namespace {

using Arguments = std::map<std::string, std::string, std::less<>>;

Query Of(const Arguments& arguments) {
  return Query([arguments](std::string_view name) -> std::optional<std::string> {
    const auto found = arguments.find(name);
    if (found == arguments.end()) return std::nullopt;
    return found->second;
  });
}

std::string Problems(Query& query) {
  std::string text;
  for (const FieldProblem& problem : query.Finish()) {
    text += problem.pointer + " " + problem.detail + "\n";
  }
  return text;
}

TEST(Query, ReadsWhatIsThere) {
  Query query = Of({{"q", " text "},
                    {"limit", "7"},
                    {"of", "mine"},
                    {"from", "2024-02-29"},
                    {"room", "01932f6e-7c1a-7abc-8def-0123456789ab"}});
  EXPECT_EQ(query.Text("q", {.max = 10}), "text");
  EXPECT_EQ(query.Integer("limit", 1, 10), 7);
  EXPECT_EQ(query.Choice("of", {"mine", "public"}), "mine");
  EXPECT_EQ(query.Day("from"), "2024-02-29");
  EXPECT_TRUE(query.Id("room").has_value());
  EXPECT_EQ(query.Integer("other", 1, 10), std::nullopt);
  EXPECT_EQ(Problems(query), "");
}

TEST(Query, NamesEveryBadArgument) {
  Query query =
      Of({{"q", "\xFF"}, {"limit", "11"}, {"of", "all"}, {"from", "2023-02-29"}, {"room", "1"}});
  EXPECT_EQ(query.Text("q", {.max = 10}), std::nullopt);
  EXPECT_EQ(query.Integer("limit", 1, 10), std::nullopt);
  EXPECT_EQ(query.Choice("of", {"mine", "public"}), std::nullopt);
  EXPECT_EQ(query.Day("from"), std::nullopt);
  EXPECT_EQ(query.Id("room"), std::nullopt);
  EXPECT_EQ(Problems(query),
            "?q expected text in UTF-8\n"
            "?limit expected an integer from 1 to 10\n"
            "?of expected one of \"mine\", \"public\"\n"
            "?from expected a day like 2026-11-21\n"
            "?room expected an id, 36 characters\n");
}

TEST(Query, TakesWholeNumbersOnly) {
  for (const char* wrong : {"", " 1", "1 ", "+1", "1.0", "0x1", "99999999999999999999", "0"}) {
    Query query = Of({{"limit", wrong}});
    EXPECT_EQ(query.Integer("limit", 1, 10), std::nullopt) << wrong;
  }
}

TEST(Query, TakesDaysOfTheCalendarOnly) {
  for (const char* wrong : {"2026-13-01", "2026-00-10", "2026-11-31", "2026-1-01", "26-11-21",
                            "2026-11-21T00:00:00Z", "2026/11/21", "+026-11-21"}) {
    Query query = Of({{"from", wrong}});
    EXPECT_EQ(query.Day("from"), std::nullopt) << wrong;
  }
}

}  // namespace
}  // namespace framewall::backend::server
