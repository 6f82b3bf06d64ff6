// Members of a body that hold prompts, out of sight of the rules between them and the marker.
#include <string>

#include "tests/unit/waf/waf_testing.h"

namespace framewall::waf {
namespace {

constexpr char kJson[] =
    "SecRequestBodyAccess On\n"
    "SecAction \"id:90,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON\"\n";
constexpr char kProse[] =
    "SecAction \"id:1,phase:2,pass,nolog,"
    "ver:'framewall/prose=text,messages.*.content,parts.*.a.*.b,images.*@base64'\"\n";
constexpr char kBad[] =
    "SecRule ARGS|ARGS_NAMES \"@rx bad\" \"id:7,phase:2,deny\"\n"
    "SecMarker FRAMEWALL-BEHIND-CRS\n";

std::int64_t Refusal(const std::shared_ptr<const RuleSet>& rules, const std::string& json,
                     const std::string& target = "/") {
  Transaction transaction(TestEngine(), rules, "id", nullptr);
  Request request = Get(target);
  request.method = "POST";
  Decision decision = transaction.ProcessRequestHead(request.view());
  if (decision.interrupts()) return decision.rule_id;
  decision = transaction.AppendRequestBody(Body(json));
  if (decision.interrupts()) return decision.rule_id;
  return transaction.ProcessRequestBody().rule_id;
}

std::int64_t Judge(const std::string& json, const std::string& target = "/") {
  static const auto rules = Rules(std::string(kJson) + kProse + kBad);
  return Refusal(rules, json, target);
}

TEST(Prose, IsNotSeen) {
  EXPECT_EQ(Judge(R"({"text":"bad"})"), 0);
  EXPECT_EQ(Judge(R"({"messages":[{"content":"bad"},{"role":"x","content":"bad"}]})"), 0);
  EXPECT_EQ(Judge(R"({"parts":[{"a":[{"b":"bad"}]}]})"), 0);
  EXPECT_EQ(Judge(R"({"text":"one","text":"bad"})"), 0);
  EXPECT_EQ(Judge(R"({"text":"\"a.messages.array_0\": bad \\"})"), 0);
}

TEST(Prose, AllElseIs) {
  EXPECT_EQ(Judge(R"({"other":"bad","text":"fine"})"), 7);
  EXPECT_EQ(Judge(R"({"bad":1,"text":"fine"})"), 7);
  EXPECT_EQ(Judge(R"({"Text":"bad"})"), 7);
  EXPECT_EQ(Judge(R"({"text":{"x":"bad"}})"), 7);
  EXPECT_EQ(Judge(R"({"text":["bad"]})"), 7);
  EXPECT_EQ(Judge(R"({"messages":[{"role":"bad","content":"bad"}]})"), 7);
  EXPECT_EQ(Judge(R"({"messages":[{"content":["bad"]}]})"), 7);
  EXPECT_EQ(Judge(R"({"messages":["bad"]})"), 7);
  EXPECT_EQ(Judge(R"({"messages":{"content":"bad"}})"), 7);
  EXPECT_EQ(Judge(R"({"x":{"text":"bad"}})"), 7);
  EXPECT_EQ(Judge(R"([{"text":"bad"}])"), 7);
}

TEST(Prose, WhatTheLibraryNamesAlikeIsSeen) {
  EXPECT_EQ(Judge(R"({"messages.array_0.content":"bad"})"), 7);
  EXPECT_EQ(Judge(R"({"messages.array_0":{"content":"bad"}})"), 7);
  EXPECT_EQ(Judge(R"({"messages":{"array_0.content":"bad"}})"), 7);
  EXPECT_EQ(Judge(R"({"messages":{"array_0":{"content":"bad"}}})"), 7);
  EXPECT_EQ(Judge(R"({"messages":{"\u0061rray_0":{"content":"bad"}}})"), 7);
  EXPECT_EQ(Judge(R"({"parts":[{"a.array_1.b":"bad"}]})"), 7);
  EXPECT_EQ(Judge("{\"messages\":{\"array_0\" \t\r\n: {\"content\":\"bad\"}}}"), 7);
  // Behind a string that ends with a backslash.
  EXPECT_EQ(Judge(R"({"x":"\\","messages":{"array_0":{"content":"bad"}}})"), 7);
  // Another member with a dot in its name misleads nobody.
  EXPECT_EQ(Judge(R"({"$x.y":1,"text":"bad"})"), 0);
}

TEST(Prose, ArgumentOfTheQueryIsSeen) {
  EXPECT_EQ(Judge(R"({"text":"fine"})", "/?json.text=bad"), 7);
  EXPECT_EQ(Judge(R"({"text":"fine"})", "/?JSON.Text=bad"), 7);
  EXPECT_EQ(Judge(R"({"text":"bad"})", "/?json.text=fine"), 7);
  EXPECT_EQ(Judge(R"({"text":"bad"})", "/?text=fine"), 0);
}

TEST(Prose, Base64IsThatAlone) {
  const auto image = [](const std::string& value) {
    return Judge("{\"images\":[\"" + value + "\"]}");
  };
  EXPECT_EQ(image("bad+/09AZ="), 0);
  EXPECT_EQ(image("data:image/png;base64,bad="), 0);
  EXPECT_EQ(image("data:image/svg+xml;base64,bad="), 0);
  EXPECT_EQ(image("bad "), 7);
  EXPECT_EQ(image("data:image/png,bad"), 7);
  EXPECT_EQ(image("data:image/png;charset=bad;base64,bad"), 7);
  EXPECT_EQ(image("data:bad<;base64,x"), 7);
  EXPECT_EQ(image("https://bad.example/"), 7);
}

TEST(Prose, WithoutJsonNothingIs) {
  const auto rules = Rules(
      "SecRequestBodyAccess On\n"
      "SecRule ARGS \"@rx bad\" \"id:3,phase:1,deny\"\n" +
      std::string(kProse) + kBad);
  EXPECT_EQ(Refusal(rules, "json.text=bad", "/?json.text=bad"), 3);
}

TEST(Prose, ComesBackBehindTheMarker) {
  const auto rules = Rules(std::string(kJson) + kProse + kBad +
                           "SecRule ARGS:json.text \"@streq worse\" \"id:8,phase:2,deny\"\n");
  EXPECT_EQ(Refusal(rules, R"({"text":"worse"})"), 8);
  EXPECT_EQ(Refusal(rules, R"({"text":"bad"})"), 0);
}

TEST(Prose, ComesBackWhereRulesAreSkipped) {
  const auto rules =
      Rules(std::string(kJson) + kProse +
            "SecAction \"id:2,phase:2,pass,nolog,skipAfter:FRAMEWALL-BEHIND-CRS\"\n" + kBad +
            "SecRule ARGS:json.text \"@streq worse\" \"id:8,phase:2,deny\"\n");
  EXPECT_EQ(Refusal(rules, R"({"text":"worse"})"), 8);
  EXPECT_EQ(Refusal(rules, R"({"other":"bad"})"), 0);
}

TEST(Prose, SaysHowMuchRemains) {
  const auto rules = Rules(std::string(kJson) + kProse +
                           "SecRule TX:prose_rest \"@gt 100\" \"id:9,phase:2,deny\"\n" + kBad);
  const std::string name = "json.x";
  EXPECT_EQ(Refusal(rules, R"({"text":")" + std::string(5000, 'a') + "\"}"), 0);
  const auto other = [](std::size_t size) {
    return R"({"text":"a","x":")" + std::string(size, 'a') + "\"}";
  };
  EXPECT_EQ(Refusal(rules, other(100 - name.size())), 0);
  EXPECT_EQ(Refusal(rules, other(101 - name.size())), 9);
}

TEST(Prose, HoldsInALevelBelowAndCanBeRemoved) {
  const auto parent = Rules(std::string(kJson) + kProse + kBad);
  RuleLoader loader(TestEngine(), "");
  std::vector<RuleError> errors;
  const RuleSource sources[] = {Inline("SecAction \"id:20,phase:1,pass,nolog\"\n")};
  EXPECT_EQ(Refusal(loader.Load(parent, sources, &errors), R"({"text":"bad"})"), 0);
  const auto removed = Rules(std::string(kJson) + kProse + kBad + "SecRuleRemoveById 1\n");
  EXPECT_EQ(Refusal(removed, R"({"text":"bad"})"), 7);
}

TEST(Prose, IllWrittenRuleIsAnError) {
  const auto error = [](const std::string& text) {
    RuleLoader loader(TestEngine(), "");
    std::vector<RuleError> errors;
    const RuleSource sources[] = {Inline(text)};
    EXPECT_FALSE(loader.Load(nullptr, sources, &errors)) << text;
    return Text(errors);
  };
  const std::string marker = "SecMarker FRAMEWALL-BEHIND-CRS\n";
  for (const char* list : {"", "text,", "a..b", ".a", "a.", "a b", "a.**", "@base64", "text@hex"}) {
    EXPECT_NE(error("SecAction \"id:1,phase:2,pass,ver:'framewall/prose=" + std::string(list) +
                    "'\"\n" + marker)
                  .find("site.conf:1: "),
              std::string::npos)
        << list;
  }
  EXPECT_NE(error("SecAction \"id:1,phase:1,pass,ver:'framewall/prose=a'\"\n" + marker)
                .find("must be of phase 2"),
            std::string::npos);
  EXPECT_NE(error("SecRule ARGS \"@rx a\" \"id:1,phase:2,pass,ver:'framewall/prose=a',chain\"\n"
                  "SecRule ARGS \"@rx b\" \"t:none\"\n" +
                  marker)
                .find("cannot be a chain"),
            std::string::npos);
  EXPECT_NE(error("SecAction \"id:1,phase:2,pass,ver:'framewall/prose=a'\"\n")
                .find("no SecMarker \"FRAMEWALL-BEHIND-CRS\""),
            std::string::npos);
}

}  // namespace
}  // namespace framewall::waf
