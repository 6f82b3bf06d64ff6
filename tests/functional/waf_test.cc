// What the rules decide, and how it is answered.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/functional/waf_testing.h"

namespace framewall::test {
namespace {

const std::string kRules = std::string(kWafRules) + kWafAudit;

class Waf : public ::testing::Test {
 protected:
  void Start(const std::string& server, const std::string& rules = kRules) {
    proxy_ = std::make_unique<ProxyProcess>(WafServer(rules, server));
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
    port_ = proxy_->port(0);
  }
  // Lines of the audit log, after the end of all that is under way.
  size_t Records() {
    proxy_->Quit();
    return proxy_->CountInLog("\n", "audit.log");
  }

  FakeUpstream upstream_{FakeUpstream::Always(Answer("fine"))};
  std::unique_ptr<ProxyProcess> proxy_;
  uint16_t port_ = 0;
};

TEST_F(Waf, DeniesWithTheStatusOfTheRule) {
  Start("location / { " + Pass(upstream_) + " }");
  EXPECT_EQ(Get(port_, "/").status(), 200);
  EXPECT_EQ(Get(port_, "/?deny=1").status(), 403);
  EXPECT_EQ(Get(port_, "/?deny2=1").status(), 406);
  EXPECT_EQ(upstream_.requests().size(), 1u);
  EXPECT_TRUE(proxy_->WaitForLog("ModSecurity: Access denied with code 403 (phase 1)"));
  EXPECT_EQ(Records(), 2u);
}

TEST_F(Waf, RedirectsWhereTheRuleSays) {
  Start("location / { " + Pass(upstream_) + " }");
  const HttpMessage answer = Get(port_, "/?redirect=1");
  EXPECT_EQ(answer.status(), 302);
  EXPECT_EQ(answer.Header("Location"), "http://elsewhere.test/x");
  EXPECT_EQ(Records(), 1u);
  EXPECT_EQ(proxy_->CountInLog("\"http_code\":302", "audit.log"), 1u);
}

TEST_F(Waf, DropsWithoutAnAnswer) {
  Start("error_page 403 /denied; location = /denied { return 200 page; } location / { " +
        Pass(upstream_) + " }");
  for (const char* path : {"/?drop=1", "/?quiet=1"}) {
    EXPECT_EQ(SendAndRead(port_, std::string("GET ") + path + " HTTP/1.1\r\nHost: a\r\n\r\n"), "")
        << path;
  }
  EXPECT_EQ(upstream_.requests().size(), 0u);
  EXPECT_TRUE(proxy_->WaitForLog("\" 444 0", "access.log"));
}

TEST_F(Waf, DropsAsTheDefaultActionOfBlock) {
  Start("location / { " + Pass(upstream_) + " }",
        "SecRuleEngine On\nSecDefaultAction \"phase:1,log,auditlog,drop\"\n"
        "SecRule ARGS:block \"@streq 1\" \"id:1,phase:1,block\"\n");
  EXPECT_EQ(SendAndRead(port_, "GET /?block=1 HTTP/1.1\r\nHost: a\r\n\r\n"), "");
  EXPECT_EQ(Get(port_, "/").status(), 200);
}

TEST_F(Waf, AllowSkipsTheOtherRules) {
  Start("location / { " + Pass(upstream_) + " }");
  EXPECT_EQ(Get(port_, "/?allow=1&deny2=1").status(), 200);
}

TEST_F(Waf, ErrorPageGivesOneRecord) {
  Start(
      "error_page 403 406 /denied; location = /denied { return 200 \"our page\"; } location / { " +
      Pass(upstream_) + " }");
  for (const char* path : {"/?deny=1", "/?deny2=1"}) {
    EXPECT_EQ(Get(port_, path).body, "our page") << path;
  }
  EXPECT_EQ(Records(), 2u);
  EXPECT_EQ(proxy_->CountInLog("\"ruleId\":\"1\"", "audit.log"), 1u);
  EXPECT_EQ(proxy_->CountInLog("\"ruleId\":\"2\"", "audit.log"), 1u);
}

TEST_F(Waf, DetectionOnlyLogsAndPasses) {
  Start("location / { " + Pass(upstream_) + " }", kRules + "SecRuleEngine DetectionOnly\n");
  for (const char* path : {"/?deny=1", "/?drop=1", "/?redirect=1", "/?deny2=1"}) {
    EXPECT_EQ(Get(port_, path).status(), 200) << path;
  }
  EXPECT_TRUE(proxy_->WaitForLog("[id \"1\"]"));
}

TEST_F(Waf, OffInALocationAndRulesOfALocation) {
  Start("location /open { modsecurity off; " + Pass(upstream_) + " }\n" +
        "location /more { modsecurity_rules 'SecRule ARGS:more \"@streq 1\" "
        "\"id:30,phase:1,deny,status:418\"'; " +
        Pass(upstream_) + " }\nlocation / { " + Pass(upstream_) + " }");
  EXPECT_EQ(Get(port_, "/open?deny=1").status(), 200);
  EXPECT_EQ(Get(port_, "/more?deny=1").status(), 403);
  EXPECT_EQ(Get(port_, "/more?more=1").status(), 418);
  EXPECT_EQ(Get(port_, "/?more=1").status(), 200);
}

TEST_F(Waf, TransactionIdIsTheOneGiven) {
  Start(
      "modsecurity_transaction_id \"tx-$arg_n\"; location / { add_header X-Tx "
      "$modsecurity_transaction_id always; " +
      Pass(upstream_) + " }");
  EXPECT_EQ(Get(port_, "/?n=7&deny=1").Header("X-Tx"), "tx-7");
  EXPECT_TRUE(proxy_->WaitForLog("[unique_id \"tx-7\"]"));
  Records();
  EXPECT_EQ(proxy_->CountInLog("\"unique_id\":\"tx-7\"", "audit.log"), 1u);
}

TEST_F(Waf, EveryTransactionHasAnIdOfItsOwn) {
  Start("location / { add_header X-Tx $modsecurity_transaction_id always; " + Pass(upstream_) +
        " }");
  const std::string first = Get(port_, "/").Header("X-Tx");
  EXPECT_EQ(first.size(), 32u);
  EXPECT_NE(first, Get(port_, "/").Header("X-Tx"));
}

TEST_F(Waf, ErrorLogIsLeftAloneWhereAsked) {
  Start("modsecurity_use_error_log off; location / { " + Pass(upstream_) + " }");
  EXPECT_EQ(Get(port_, "/?deny=1").status(), 403);
  EXPECT_EQ(Records(), 1u);
  EXPECT_EQ(proxy_->CountInLog("Access denied"), 0u);
}

TEST_F(Waf, EarlyOrderRunsBeforeAccessAndReturn) {
  Start("location /closed { deny all; } location /gone { return 410; }");
  EXPECT_EQ(Get(port_, "/closed?deny2=1").status(), 406);
  EXPECT_EQ(Get(port_, "/gone?deny=1").status(), 403);
  // A return ends the request before its body is judged, as in the connector.
  EXPECT_EQ(Get(port_, "/gone?deny2=1").status(), 410);
}

TEST_F(Waf, LateOrderRunsAfterAccess) {
  Start(
      "modsecurity_order late; location /closed { deny all; } location /users { auth_basic x; "
      "auth_basic_user_file %%DIR%%/users; } location / { " +
      Pass(upstream_) + " }");
  EXPECT_EQ(Get(port_, "/closed?deny=1").status(), 403);
  EXPECT_EQ(Get(port_, "/users?deny=1").status(), 401);
  EXPECT_EQ(Get(port_, "/?deny2=1").status(), 406);
  EXPECT_EQ(Post(port_, "/", "attack").status(), 403);
  proxy_->Quit();
  // Only what reached the rules is in their log.
  EXPECT_EQ(proxy_->CountInLog("\"ruleId\":\"1\"", "audit.log"), 0u);
  EXPECT_EQ(proxy_->CountInLog("\"ruleId\":\"2\"", "audit.log"), 1u);
}

TEST_F(Waf, ClientAddressIsTheRealOne) {
  Start("set_real_ip_from 127.0.0.1; real_ip_header X-Real-IP; location / { " + Pass(upstream_) +
            " }",
        "SecRuleEngine On\nSecRule REMOTE_ADDR \"@ipMatch 203.0.113.0/24\" "
        "\"id:1,phase:1,deny,status:403\"\n");
  EXPECT_EQ(Get(port_, "/").status(), 200);
  EXPECT_NE(SendAndRead(port_,
                        "GET / HTTP/1.1\r\nHost: a\r\nX-Real-IP: 203.0.113.9\r\nConnection: "
                        "close\r\n\r\n")
                .find("403 Forbidden"),
            std::string::npos);
}

TEST(WafStart, BadRuleFileStopsItWithFileAndLine) {
  ProxyProcess proxy(
      "events {} http { server { listen 127.0.0.1:%%PORT_0%%; modsecurity on; "
      "modsecurity_rules_file %%DIR%%/bad.conf; } }");
  proxy.directory().Write("bad.conf",
                          "SecRuleEngine On\n\nSecRule ARGS \"@rx a\" \"id:1,phase:9,nonsense\"\n");
  const CommandResult result = proxy.Run({"-t"});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_NE(result.output.find("bad.conf:3"), std::string::npos) << result.output;
}

TEST(WafStart, BadInlineRulesStopItAtTheirOwnLine) {
  ProxyProcess proxy(
      "events {}\nhttp { server { listen 127.0.0.1:%%PORT_0%%; modsecurity on;\n"
      "modsecurity_rules '\nSecRuleEngine On\nFooBar on\n'; } }");
  const CommandResult result = proxy.Run({"-t"});
  EXPECT_NE(result.exit_code, 0);
  // The test's own lines stand before the text's: what counts is the distance to `events`.
  const size_t events_line = [&] {
    const std::string text = proxy.directory().Read("nginx.conf");
    return 1 + static_cast<size_t>(std::count(
                   text.begin(),
                   text.begin() + static_cast<std::ptrdiff_t>(text.find("events {}\n")), '\n'));
  }();
  EXPECT_NE(result.output.find("nginx.conf:" + std::to_string(events_line + 4) + ":"),
            std::string::npos)
      << result.output;
}

TEST(WafStart, MissingRuleFileStopsItWhereItIsNamed) {
  ProxyProcess proxy(
      "events {} http { server { listen 127.0.0.1:%%PORT_0%%; modsecurity on;\n"
      "modsecurity_rules_file %%DIR%%/none.conf; } }");
  const CommandResult result = proxy.Run({"-t"});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_NE(result.output.find("none.conf"), std::string::npos) << result.output;
}

TEST(WafStart, CollectionsBringAWarning) {
  ProxyProcess proxy(WafServer(
      "SecRuleEngine On\nSecAction \"id:1,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR}\"\n",
      "return 204;", "worker_processes 2;"));
  const CommandResult result = proxy.Run({"-t"});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("[warn]"), std::string::npos) << result.output;
}

}  // namespace
}  // namespace framewall::test
