#include "backend/store/usage.h"

#include "tests/unit/backend/store/support.h"

namespace framewall::backend::store {
namespace {

class UsageTest : public StoreTest {
 protected:
  void SetUp() override {
    Open();
    AddUser("anna", "anna");
    AddUser("boris", "boris");
  }
  void Add(const std::string& user, const std::string& day, const std::string& model,
           int64_t tokens) {
    Must([&](Connection& c) {
      return AddUsage(c, Usage{user, day, model, 1, tokens, 2 * tokens});
    });
  }
  std::string List(const UsageWish& wish) {
    std::string rows;
    for (const Usage& row : Must([&](Connection& c) { return ListUsage(c, wish); })) {
      rows += row.day.substr(8) + row.user.substr(0, 1) + row.model + "=" +
              std::to_string(row.requests) + "," + std::to_string(row.prompt_tokens) + "," +
              std::to_string(row.completion_tokens) + " ";
    }
    return rows;
  }
};

TEST_F(UsageTest, AddsUpByUserDayAndModel) {
  Add("anna", "2026-11-20", "echo", 5);
  Add("anna", "2026-11-20", "echo", 7);
  Add("anna", "2026-11-20", "a b", 1);
  Add("anna", "2026-11-21", "echo", 2);
  Add("boris", "2026-11-21", "echo", 3);
  const std::string from = "2026-11-01";
  const std::string to = "2026-11-30";
  EXPECT_EQ("21aecho=1,2,4 20aa b=1,1,2 20aecho=2,12,24 ", List({"anna", from, to, "", 10}));
  EXPECT_EQ("21aecho=1,2,4 21becho=1,3,6 20aa b=1,1,2 20aecho=2,12,24 ",
            List({"", from, to, "", 10}));
  EXPECT_EQ("21aecho=1,2,4 ", List({"anna", "2026-11-21", "2026-11-21", "", 10}));
  EXPECT_EQ("", List({"anna", "2026-11-22", to, "", 10}));
  EXPECT_EQ("", List({"nobody", from, to, "", 10}));
  const Usage sum =
      Must([&](Connection& c) { return SumUsage(c, "anna", "2026-11-20", "2026-11-20"); });
  EXPECT_EQ(3, sum.requests);
  EXPECT_EQ(13, sum.prompt_tokens);
  EXPECT_EQ(26, sum.completion_tokens);
  EXPECT_EQ(0, Must([&](Connection& c) { return SumUsage(c, "x", from, to); }).requests);
}

TEST_F(UsageTest, AddsUpByUserAndDayForBudgets) {
  Add("anna", "2026-11-19", "echo", 9);
  Add("anna", "2026-11-20", "echo", 5);
  Add("anna", "2026-11-20", "a b", 1);
  Add("anna", "2026-11-21", "echo", 2);
  Add("boris", "2026-11-21", "echo", 3);
  std::string rows;
  for (const Usage& row : Must([&](Connection& c) { return SumUsageByUser(c, "2026-11-20"); })) {
    rows += row.user + row.day.substr(8) + "=" + std::to_string(row.requests) + "," +
            std::to_string(row.prompt_tokens) + "," + std::to_string(row.completion_tokens) + " ";
  }
  EXPECT_EQ("anna20=2,6,12 anna21=1,2,4 boris21=1,3,6 ", rows);
}

TEST_F(UsageTest, HasPages) {
  for (const char* user : {"anna", "boris"}) {
    for (const char* day : {"2026-11-20", "2026-11-21"}) {
      for (const char* model : {"a b", "echo"}) Add(user, day, model, 1);
    }
  }
  for (const char* user : {"anna", ""}) {
    UsageWish wish{user, "2026-11-01", "2026-11-30", "", 100};
    const std::string all = List(wish);
    std::string pages;
    wish.limit = 3;
    for (int i = 0; i < 4; ++i) {
      const auto rows = Must([&](Connection& c) { return ListUsage(c, wish); });
      pages += List(wish);
      if (rows.empty()) break;
      wish.behind = UsagePosition(rows.back());
    }
    EXPECT_EQ(all, pages);
  }
}

TEST_F(UsageTest, NeedsItsUser) {
  EXPECT_EQ(ErrorKind::kRefused, FailureOf([](Connection& c) {
              return AddUsage(c, Usage{"nobody", "2026-11-20", "echo", 1, 1, 1});
            }));
}

TEST(UtcDay, IsTheDayInGreenwich) {
  EXPECT_EQ("2026-11-21", UtcDay(1795305599999));
  EXPECT_EQ("2026-11-22", UtcDay(1795305600000));
  EXPECT_EQ("1970-01-01", UtcDay(0));
}

}  // namespace
}  // namespace framewall::backend::store
