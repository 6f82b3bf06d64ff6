// Rules from a server: `modsecurity_rules_remote`, and SecRemoteRules in rules.
#include "tests/unit/waf/https_server.h"
#include "tests/unit/waf/waf_testing.h"

namespace framewall::waf {
namespace {

using Pages = std::map<std::string, std::string>;

constexpr char kDeny[] = "SecRuleEngine On\nSecRule ARGS \"@rx evil\" \"id:7,phase:1,deny\"\n";

RuleSource Remote(const std::string& url) {
  return {RuleSource::Kind::kRemote, url, "secret", "site.conf", 9};
}

// "denied", "passes", or why the rules do not load.
std::string Outcome(const RuleSource& source) {
  RuleLoader loader(TestEngine(), "");
  std::vector<RuleError> errors;
  const auto rules = loader.Load(nullptr, {&source, 1}, &errors);
  if (!rules) return Text(errors);
  Transaction transaction(TestEngine(), rules, "x", nullptr);
  return transaction.ProcessRequestHead(Get("/?a=evil").view()).interrupts() ? "denied" : "passes";
}

std::optional<std::string> OutcomeTrusting(const HttpsServer& server, const RuleSource& source) {
  return TrustingOnly(server.AuthorityPem(), [&source] { return Outcome(source); });
}

// Where the test may not change what its system trusts, it can only say so.
#define EXPECT_OUTCOME(server, source, expected)                                  \
  do {                                                                            \
    const auto result = OutcomeTrusting(server, source);                          \
    if (!result) GTEST_SKIP() << "no mount namespace is allowed to this process"; \
    EXPECT_EQ(*result, expected);                                                 \
  } while (false)

TEST(RemoteRules, AreFetchedWithTheirKeyAndInspect) {
  HttpsServer server(Pages{{"/rules", kDeny}});
  EXPECT_OUTCOME(server, Remote(server.Url("/rules")), "denied");
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_NE(requests[0].find("\r\nModSec-key: secret\r\n"), std::string::npos) << requests[0];
  EXPECT_NE(requests[0].find("\r\nModSec-unique-id: "), std::string::npos) << requests[0];
  EXPECT_NE(requests[0].find("\r\nModSec-status: "), std::string::npos) << requests[0];
}

TEST(RemoteRules, ServerThatNobodyVouchesForIsAnError) {
  HttpsServer server(Pages{{"/rules", kDeny}});
  const test::Certificate other = test::Certificate::Authority("another");
  const auto result =
      TrustingOnly(other.CertificatePem(), [&] { return Outcome(Remote(server.Url("/rules"))); });
  if (!result) GTEST_SKIP() << "no mount namespace is allowed to this process";
  EXPECT_EQ(*result, "site.conf:9: rules cannot be fetched from \"" + server.Url("/rules") +
                         "\": SSL peer certificate or SSH remote key was not OK\n");
  EXPECT_TRUE(server.requests().empty());
}

TEST(RemoteRules, ErrorOfTheServerIsAnError) {
  HttpsServer server(Pages{});
  EXPECT_OUTCOME(server, Remote(server.Url("/rules")),
                 "site.conf:9: rules cannot be fetched from \"" + server.Url("/rules") +
                     "\": HTTP response code said error\n");
}

TEST(RemoteRules, WhatIsWrongWithThemHasItsLineThere) {
  HttpsServer server(Pages{{"/rules", "\nSecRulee ARGS \"@rx x\" \"id:1,phase:1,deny\"\n"},
                           {"/page", "<html></html>\n"}});
  EXPECT_OUTCOME(server, Remote(server.Url("/rules")),
                 server.Url("/rules") +
                     ":2: directive \"SecRulee\" is not known, did you mean \"SecRule\"?\n");
  EXPECT_OUTCOME(server, Remote(server.Url("/page")),
                 server.Url("/page") + ":1: a directive was expected, found \"<html></html>\"\n");
}

// -- SecRemoteRules -----------------------------------------------------------

RuleSource Within(const std::string& action, const std::string& url) {
  return Inline("SecRemoteRulesFailAction " + action + "\nSecRemoteRules secret " + url +
                "\nSecRuleEngine On\n");
}

TEST(RemoteRules, InsideRulesAreFetchedToo) {
  HttpsServer server(Pages{{"/rules", kDeny}});
  EXPECT_OUTCOME(server, Within("Abort", server.Url("/rules")), "denied");
  EXPECT_OUTCOME(server, Within("Warn", server.Url("/rules")), "denied");
  ASSERT_EQ(server.requests().size(), 2U);
  EXPECT_NE(server.requests()[0].find("\r\nModSec-key: secret\r\n"), std::string::npos);
}

TEST(RemoteRules, AbortStopsTheStart) {
  HttpsServer server(Pages{});
  EXPECT_OUTCOME(server, Within("Abort", server.Url("/rules")),
                 server.Url("/rules") + ":1: Failed to download: HTTP response code said error\n");
}

TEST(RemoteRules, WarnGoesOnWithoutThem) {
  HttpsServer server(Pages{});
  EXPECT_OUTCOME(server, Within("Warn", server.Url("/rules")), "passes");
  EXPECT_EQ(server.requests().size(), 1U);
}

}  // namespace
}  // namespace framewall::waf
