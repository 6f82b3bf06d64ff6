#include "waf/target_ranges.h"

#include <algorithm>

#include "tests/unit/waf/waf_testing.h"

namespace framewall::waf {
namespace {

// The ids of 100, 150, 199 and 200 that fire for ?a=evil&b=good.
std::vector<std::int64_t> Fired(const std::string& first) {
  const auto rules = Rules(first +
                           "SecRule ARGS \"@rx evil\" \"id:100,phase:1,pass\"\n"
                           "SecRule ARGS \"@rx evil\" \"id:150,phase:1,pass\"\n"
                           "SecRule ARGS \"@rx evil\" \"id:199,phase:2,pass\"\n"
                           "SecRule ARGS \"@rx evil\" \"id:200,phase:1,pass\"\n");
  Heard heard;
  Transaction transaction(TestEngine(), rules, "x", &heard);
  const Request request = Get("/?a=evil&b=good");
  transaction.ProcessRequestHead(request.view());
  transaction.ProcessRequestBody();
  transaction.ProcessLogging();
  std::sort(heard.ids.begin(), heard.ids.end());
  return heard.ids;
}

std::string Action(const std::string& ctl) {
  return "SecAction \"id:1,phase:1,pass,nolog," + ctl + "\"\n";
}

TEST(TargetRanges, AllRulesOfTheRangeLeaveTheTargetOut) {
  EXPECT_EQ(Fired(""), (std::vector<std::int64_t>{100, 150, 199, 200}));
  EXPECT_EQ(Fired(Action("ctl:ruleRemoveTargetById=100-199;ARGS:a")),
            (std::vector<std::int64_t>{200}));
  EXPECT_EQ(Fired(Action("CTL:ruleremovetargetbyid=101-200;ARGS:a")),
            (std::vector<std::int64_t>{100}));
}

TEST(TargetRanges, OnlyThatTarget) {
  EXPECT_EQ(Fired(Action("ctl:ruleRemoveTargetById=100-199;ARGS:b")),
            (std::vector<std::int64_t>{100, 150, 199, 200}));
}

TEST(TargetRanges, OneIdIsTheLibrarys) {
  EXPECT_EQ(Fired(Action("ctl:ruleRemoveTargetById=100;ARGS:a")),
            (std::vector<std::int64_t>{150, 199, 200}));
}

TEST(TargetRanges, RulesOfTheLevelAboveAreMeantToo) {
  const auto parent = Rules("SecRule ARGS \"@rx evil\" \"id:150,phase:1,deny\"\n");
  RuleLoader loader(TestEngine(), "");
  std::vector<RuleError> errors;
  const RuleSource sources[] = {Inline(Action("ctl:ruleRemoveTargetById=100-199;ARGS:a"))};
  const auto rules = loader.Load(parent, sources, &errors);
  ASSERT_TRUE(rules) << Text(errors);
  Transaction transaction(TestEngine(), rules, "x", nullptr);
  EXPECT_FALSE(transaction.ProcessRequestHead(Get("/?a=evil").view()).interrupts());
  Transaction other(TestEngine(), parent, "x", nullptr);
  EXPECT_TRUE(other.ProcessRequestHead(Get("/?a=evil").view()).interrupts());
}

}  // namespace
}  // namespace framewall::waf
