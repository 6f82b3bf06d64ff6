#include "waf/rule_set.h"

#include "tests/unit/waf/waf_testing.h"

namespace framewall::waf {
namespace {

constexpr char kDeny1[] = "SecAction \"id:1,phase:1,deny,msg:'one'\"\n";

std::string ErrorsOf(std::vector<RuleSource> sources,
                     std::shared_ptr<const RuleSet> parent = nullptr) {
  RuleLoader loader(TestEngine(), "/nonexistent");
  std::vector<RuleError> errors;
  EXPECT_EQ(loader.Load(std::move(parent), sources, &errors), nullptr);
  return Text(errors);
}

TEST(RuleLoader, InlineErrorHasTheLineOfTheConfiguration) {
  EXPECT_TRUE(ErrorsOf({Inline("SecRuleEngine On\nSecRul ARGS x\n", "/etc/site.conf", 31)})
                  .starts_with("/etc/site.conf:32: "))
      << ErrorsOf({Inline("SecRuleEngine On\nSecRul ARGS x\n", "/etc/site.conf", 31)});
}

TEST(RuleLoader, FileErrorHasFileAndLine) {
  TemporaryDirectory directory;
  const auto inner =
      directory.Write("inner.conf", "# fine\nSecRule ARGS \"@rx x\" \"id:4,nosuch\"\n");
  const auto outer = directory.Write("outer.conf", "SecRuleEngine On\nInclude inner.conf\n");
  EXPECT_TRUE(ErrorsOf({File(outer)}).starts_with(inner + ":2: ")) << ErrorsOf({File(outer)});
}

TEST(RuleLoader, MissingPhraseFileIsAnError) {
  TemporaryDirectory directory;
  const auto path =
      directory.Write("a.conf", "SecRule ARGS \"@pmFromFile none.data\" \"id:4,phase:1,deny\"\n");
  EXPECT_TRUE(ErrorsOf({File(path)}).starts_with(path + ":1: ")) << ErrorsOf({File(path)});
  EXPECT_NE(ErrorsOf({File(path)}).find("none.data"), std::string::npos);
}

TEST(RuleLoader, PhraseFileIsFoundBesideTheRules) {
  TemporaryDirectory directory;
  directory.Write("some.data", "evil\n");
  const auto path =
      directory.Write("a.conf", "SecRule ARGS \"@pmFromFile some.data\" \"id:4,phase:1,deny\"\n");
  RuleLoader loader(TestEngine(), "");
  std::vector<RuleError> errors;
  const RuleSource sources[] = {File(path)};
  EXPECT_TRUE(loader.Load(nullptr, sources, &errors)) << Text(errors);
}

TEST(RuleLoader, ChainWithoutItsEndIsAnError) {
  EXPECT_EQ(ErrorsOf({Inline("SecRule ARGS \"@rx x\" \"id:4,phase:1,deny,chain\"\n")}),
            "site.conf:1: rule 4 ends with `chain`, but no rule follows\n");
}

TEST(RuleLoader, SkippingToAMarkerThatIsNotBehindIsAnError) {
  const std::string skip = "SecAction \"id:1,phase:2,pass,skipAfter:END\"\n";
  const std::string error =
      "site.conf:1: no SecMarker \"END\" behind rule 1: skipAfter would skip all rules that follow "
      "in its phase\n";
  EXPECT_EQ(ErrorsOf({Inline(skip)}), error);
  EXPECT_EQ(ErrorsOf({Inline(skip + "SecMarker end\n")}), error);
  EXPECT_EQ(ErrorsOf({Inline("SecMarker END\n"), Inline(skip)}), error);
  Rules(skip + "SecMarker END\n");
  Rules(skip + "SecMarker \"END\"\n");

  // The rules of the level above run behind those of this one.
  RuleLoader loader(TestEngine(), "");
  std::vector<RuleError> errors;
  const RuleSource sources[] = {Inline(skip)};
  EXPECT_TRUE(loader.Load(Rules("SecMarker END\n"), sources, &errors)) << Text(errors);
}

TEST(RuleLoader, SkippingInAChainIsLookedAtToo) {
  EXPECT_EQ(ErrorsOf({Inline("SecRule ARGS \"@rx x\" \"id:1,phase:1,pass,chain\"\n"
                             "SecRule ARGS \"@rx y\" \"skipAfter:END\"\n")}),
            "site.conf:2: no SecMarker \"END\" behind rule 1: skipAfter would skip all rules that "
            "follow in its phase\n");
}

TEST(RuleLoader, AllBrokenSourcesAreReported) {
  const std::string text = ErrorsOf({Inline("x\n", "a.conf"), Inline("y\n", "b.conf")});
  EXPECT_NE(text.find("a.conf:1"), std::string::npos);
  EXPECT_NE(text.find("b.conf:1"), std::string::npos);
}

TEST(RuleLoader, IdTwiceInALevelAndItsParentIsAnError) {
  const auto parent = Rules("SecRule ARGS \"@rx x\" \"id:5,phase:1,pass\"\n");
  EXPECT_NE(ErrorsOf({Inline("SecRule ARGS \"@rx y\" \"id:5,phase:2,pass\"\n")}, parent)
                .find("5 is duplicated"),
            std::string::npos);
}

TEST(RuleLoader, RemoteRulesThatDoNotComeAreAnError) {
  RuleSource remote{RuleSource::Kind::kRemote, "https://127.0.0.1:1/rules", "key", "site.conf", 9};
  EXPECT_EQ(ErrorsOf({remote}),
            "site.conf:9: rules cannot be fetched from \"https://127.0.0.1:1/rules\": Couldn't "
            "connect to server\n");
}

TEST(RuleLoader, FileUsedByManyServersIsParsedOnce) {
  TemporaryDirectory directory;
  directory.Write("a.conf", "SecRuleEngine On\nSecRule ARGS \"@rx x\" \"id:1,phase:1,deny\"\n");
  RuleLoader loader(TestEngine(), directory.path());
  std::vector<RuleError> errors;
  for (int id = 2; id < 12; ++id) {
    const RuleSource sources[] = {
        File("a.conf"),
        Inline("SecRule ARGS \"@rx y\" \"id:" + std::to_string(id) + ",phase:1,deny\"\n")};
    const auto rules = loader.Load(nullptr, sources, &errors);
    ASSERT_TRUE(rules) << Text(errors);
    EXPECT_EQ(rules->rule_ids(), (std::vector<std::int64_t>{1, id}));
  }
  EXPECT_EQ(loader.files_parsed(), 1U);
}

TEST(RuleLoader, BrokenFileIsReportedOnce) {
  TemporaryDirectory directory;
  directory.Write("a.conf", "SecRul\n");
  RuleLoader loader(TestEngine(), directory.path());
  std::vector<RuleError> errors;
  const RuleSource sources[] = {File("a.conf")};
  EXPECT_FALSE(loader.Load(nullptr, sources, &errors));
  EXPECT_FALSE(loader.Load(nullptr, sources, &errors));
  EXPECT_EQ(errors.size(), 1U);
}

TEST(RuleLoader, LevelWithoutRulesSharesItsParents) {
  const auto parent = Rules(kDeny1);
  RuleLoader loader(TestEngine(), "");
  std::vector<RuleError> errors;
  EXPECT_EQ(loader.Load(parent, {}, &errors), parent);
  EXPECT_EQ(loader.Load(nullptr, {}, &errors), nullptr);
  EXPECT_TRUE(errors.empty());
}

TEST(RuleLoader, OwnSettingsWinOverTheParents) {
  const auto parent = Rules(
      "SecRequestBodyLimit 1000\nSecRequestBodyLimitAction Reject\nSecRequestBodyAccess On\n"
      "SecResponseBodyAccess On\nSecResponseBodyMimeType text/html\n");
  RuleLoader loader(TestEngine(), "");
  std::vector<RuleError> errors;
  const RuleSource sources[] = {Inline(
      "SecRuleEngine DetectionOnly\nSecRequestBodyLimit 20\nSecResponseBodyMimeType text/xml\n")};
  const auto child = loader.Load(parent, sources, &errors);
  ASSERT_TRUE(child) << Text(errors);
  EXPECT_EQ(parent->engine_mode(), EngineMode::kOn);
  EXPECT_EQ(child->engine_mode(), EngineMode::kDetectionOnly);
  EXPECT_EQ(child->request_body_limit(), 20U);
  EXPECT_EQ(child->request_body_limit_action(), BodyLimitAction::kReject);
  EXPECT_TRUE(child->InspectsResponseType("text/html"));
  EXPECT_TRUE(child->InspectsResponseType("text/xml"));
  EXPECT_FALSE(parent->InspectsResponseType("text/xml"));
}

TEST(RuleSet, WithoutSettingsItDetectsAndReadsRequests) {
  RuleLoader loader(TestEngine(), "");
  std::vector<RuleError> errors;
  const RuleSource sources[] = {Inline(kDeny1)};
  const auto rules = loader.Load(nullptr, sources, &errors);
  ASSERT_TRUE(rules) << Text(errors);
  EXPECT_EQ(rules->engine_mode(), EngineMode::kDetectionOnly);
  EXPECT_TRUE(rules->inspects_request_bodies());
  EXPECT_FALSE(rules->inspects_response_bodies());
  EXPECT_EQ(rules->request_body_limit(), 0U);
  EXPECT_EQ(rules->request_body_limit_action(), std::nullopt);
  EXPECT_EQ(rules->rule_count(), 1U);
}

TEST(RuleSet, ResponseTypeIsComparedWithoutCaseAndParameters) {
  const auto rules = Rules("SecResponseBodyMimeType text/html application/json\n");
  EXPECT_TRUE(rules->InspectsResponseType("Text/HTML ; charset=utf-8"));
  EXPECT_TRUE(rules->InspectsResponseType("application/json"));
  EXPECT_FALSE(rules->InspectsResponseType("text/event-stream"));
  EXPECT_FALSE(rules->InspectsResponseType(""));
}

TEST(RuleSet, ClearedResponseTypesAreNone) {
  const auto rules = Rules("SecResponseBodyMimeTypesClear\n");
  EXPECT_FALSE(rules->InspectsResponseType("text/html"));
}

TEST(RuleSet, OffIsSaid) {
  RuleLoader loader(TestEngine(), "");
  std::vector<RuleError> errors;
  const RuleSource sources[] = {Inline("SecRuleEngine Off\n")};
  EXPECT_EQ(loader.Load(nullptr, sources, &errors)->engine_mode(), EngineMode::kOff);
}

TEST(RuleSet, WarnsOfPersistentCollectionsWithTheirPlace) {
  TemporaryDirectory directory;
  const auto path = directory.Write("a.conf",
                                    "SecRuleEngine On\n"
                                    "SecAction \"id:1,phase:1,pass,initcol:ip=%{REMOTE_ADDR}\"\n"
                                    "SecAction \"id:2,phase:1,pass,setvar:tx.a=1\"\n"
                                    "SecAction \"id:3,phase:1,pass,setsid:%{ARGS.s}\"\n"
                                    "SecAction \"id:4,phase:1,pass,setuid:%{ARGS.u}\"\n"
                                    "SecAction \"id:5,phase:1,pass,initcol:global=x\"\n"
                                    "SecRuleRemoveById 5\n");
  RuleLoader loader(TestEngine(), "");
  std::vector<RuleError> errors;
  const RuleSource sources[] = {File(path)};
  const auto rules = loader.Load(nullptr, sources, &errors);
  ASSERT_TRUE(rules) << Text(errors);
  ASSERT_EQ(rules->warnings().size(), 3U);
  EXPECT_EQ(rules->warnings()[0].Text(),
            path +
                ":2: rule 1 keeps a persistent collection (initcol); each worker counts for "
                "itself, and a reload starts from nothing");
  EXPECT_EQ(rules->warnings()[1].rule_id, 3);
  EXPECT_EQ(rules->warnings()[2].rule_id, 4);
}

TEST(RuleSet, WarnsOfAnAuditEngineWithoutALog) {
  const auto rules = Rules("SecAuditEngine On\n");
  ASSERT_EQ(rules->warnings().size(), 1U);
  EXPECT_EQ(rules->warnings()[0].kind, RuleWarning::Kind::kAuditWithoutFile);
}

TEST(RuleSet, WarnsOfAnAuditLogOverHttps) {
  const auto rules = Rules("SecAuditEngine On\nSecAuditLogType HTTPS\nSecAuditLog https://x/\n");
  ASSERT_EQ(rules->warnings().size(), 1U);
  EXPECT_EQ(rules->warnings()[0].kind, RuleWarning::Kind::kAuditHttps);
}

}  // namespace
}  // namespace framewall::waf
