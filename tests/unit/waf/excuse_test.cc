#include "tests/unit/waf/waf_testing.h"

namespace framewall::waf {
namespace {

constexpr char kRules[] =
    "SecRule ARGS \"@rx fine\" \"id:1,phase:1,pass,nolog,ver:'framewall/excuses=7,8'\"\n"
    "SecRule ARGS|ARGS_NAMES \"@rx bad\" \"id:7,phase:1,deny\"\n"
    "SecRule ARGS \"@rx bad\" \"id:9,phase:1,pass,log,msg:'not excused'\"\n";

std::int64_t Refusal(const std::shared_ptr<const RuleSet>& rules, const std::string& query,
                     Heard* heard = nullptr) {
  Transaction transaction(TestEngine(), rules, "id", heard);
  return transaction.ProcessRequestHead(Get("/?" + query).view()).rule_id;
}

TEST(Excuse, HidesTheValueFromTheListedRulesAlone) {
  const auto rules = Rules(kRules);
  Heard heard;
  EXPECT_EQ(Refusal(rules, "a=bad"), 7);
  EXPECT_EQ(Refusal(rules, "a=bad+fine", &heard), 0);
  EXPECT_EQ(heard.ids, std::vector<std::int64_t>{9});
}

TEST(Excuse, HoldsForItsOwnArgumentAlone) {
  const auto rules = Rules(kRules);
  EXPECT_EQ(Refusal(rules, "a=fine&b=bad"), 7);
  EXPECT_EQ(Refusal(rules, "a=fine&bad=1"), 7);
  EXPECT_EQ(Refusal(rules, "a=bad+fine&b=bad+fine"), 0);
}

TEST(Excuse, SecondArgumentOfTheSameNameMustMatchToo) {
  const auto rules = Rules(kRules);
  EXPECT_EQ(Refusal(rules, "a=fine&a=bad"), 7);
  EXPECT_EQ(Refusal(rules, "a=bad&a=fine"), 7);
  EXPECT_EQ(Refusal(rules, "A=fine&a=bad"), 7);
  EXPECT_EQ(Refusal(rules, "a=bad+fine&a=fine"), 0);
}

TEST(Excuse, SeesNothingOfWhatTheRuleBeforeMatched) {
  const auto rules =
      Rules("SecRule ARGS \"@rx bad\" \"id:2,phase:1,pass,nolog\"\n" + std::string(kRules));
  EXPECT_EQ(Refusal(rules, "a=bad&b=fine"), 7);
}

TEST(Excuse, LastsForOneTransaction) {
  const auto rules = Rules(kRules);
  EXPECT_EQ(Refusal(rules, "a=bad+fine"), 0);
  EXPECT_EQ(Refusal(rules, "a=bad"), 7);
}

TEST(Excuse, HoldsInALevelBelow) {
  const auto parent = Rules(kRules);
  RuleLoader loader(TestEngine(), "");
  std::vector<RuleError> errors;
  const RuleSource sources[] = {Inline("SecAction \"id:20,phase:1,pass,nolog\"\n")};
  EXPECT_EQ(Refusal(loader.Load(parent, sources, &errors), "a=bad+fine"), 0);
}

TEST(Excuse, HoldsForARuleOfAnotherSource) {
  RuleLoader loader(TestEngine(), "");
  std::vector<RuleError> errors;
  const RuleSource sources[] = {
      Inline("SecRuleEngine On\n"
             "SecRule ARGS \"@rx fine\" \"id:1,phase:1,pass,nolog,ver:'framewall/excuses=7'\"\n"),
      Inline("SecRule ARGS \"@rx bad\" \"id:7,phase:1,deny\"\n")};
  const auto rules = loader.Load(nullptr, sources, &errors);
  EXPECT_EQ(Refusal(rules, "a=bad"), 7);
  EXPECT_EQ(Refusal(rules, "a=bad+fine"), 0);
}

TEST(Excuse, HoldsForEachOfSeveralRulesWhereverTheyStand) {
  const auto rules = Rules(
      "SecRule ARGS \"@rx fine\" \"id:1,phase:1,pass,nolog,ver:'framewall/excuses=7,8'\"\n"
      "SecRule ARGS \"@rx nice\" \"id:2,phase:1,pass,nolog,ver:'framewall/excuses=8'\"\n"
      "SecRule ARGS \"@rx bad\" \"id:8,phase:1,deny\"\n"
      "SecRule REQUEST_URI \"@rx skip\" \"id:3,phase:1,pass,nolog,skipAfter:BEHIND\"\n"
      "SecRule ARGS \"@rx bad\" \"id:7,phase:1,deny,chain\"\n"
      "SecRule ARGS \"@rx worse\" \"t:none\"\n"
      "SecMarker BEHIND\n"
      "SecRule ARGS:c \"@rx worse\" \"id:9,phase:1,deny\"\n");
  EXPECT_EQ(Refusal(rules, "a=bad+fine&b=worse"), 0);
  EXPECT_EQ(Refusal(rules, "a=bad+nice&b=worse"), 7);
  EXPECT_EQ(Refusal(rules, "a=bad"), 8);
  EXPECT_EQ(Refusal(rules, "a=bad+fine&c=worse"), 9);
  EXPECT_EQ(Refusal(rules, "a=bad+fine&c=worse&skip=1"), 9);
}

TEST(Excuse, LeavesExceptionsOfRulesAlone) {
  const auto rules =
      Rules("SecAction \"id:2,phase:1,pass,nolog,ctl:ruleRemoveTargetById=7;ARGS:b\"\n" +
            std::string(kRules) +
            "SecAction \"id:3,phase:1,pass,nolog,ctl:ruleRemoveTargetById=10;ARGS:b\"\n"
            "SecRule ARGS \"@rx bad\" \"id:10,phase:1,deny\"\n");
  EXPECT_EQ(Refusal(rules, "a=bad+fine&b=bad"), 10);
  EXPECT_EQ(Refusal(rules, "a=fine&b=bad"), 0);
}

TEST(Excuse, CanBeRemovedById) {
  const auto rules = Rules(std::string(kRules) + "SecRuleRemoveById 1\n");
  EXPECT_EQ(Refusal(rules, "a=bad+fine"), 7);
}

TEST(Excuse, IllWrittenListIsAnError) {
  for (const char* list : {"", "x", "7,", "7;8", "-1"}) {
    RuleLoader loader(TestEngine(), "");
    std::vector<RuleError> errors;
    const RuleSource sources[] = {
        Inline("SecRule ARGS \"@rx a\" "
               "\"id:1,phase:1,pass,ver:'framewall/excuses=" +
               std::string(list) + "'\"\n")};
    EXPECT_FALSE(loader.Load(nullptr, sources, &errors)) << list;
    EXPECT_NE(Text(errors).find("site.conf:1: "), std::string::npos) << Text(errors);
  }
}

}  // namespace
}  // namespace framewall::waf
