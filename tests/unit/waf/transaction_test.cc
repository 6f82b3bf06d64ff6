#include "waf/transaction.h"

#include "tests/unit/waf/waf_testing.h"

namespace framewall::waf {
namespace {

// The decision on the head of a request.
Decision Head(const std::shared_ptr<const RuleSet>& rules, const Request& request,
              Heard* heard = nullptr) {
  Transaction transaction(TestEngine(), rules, "id-1", heard);
  Decision decision = transaction.ProcessRequestHead(request.view());
  transaction.ProcessLogging();
  return decision;
}

Decision JsonBody(const std::shared_ptr<const RuleSet>& rules, std::string_view body,
                  std::size_t step = 1) {
  Transaction transaction(TestEngine(), rules, "id-1", nullptr);
  EXPECT_FALSE(transaction.ProcessRequestHead(PostJson().view()).interrupts());
  for (std::size_t i = 0; i < body.size(); i += step) {
    const Decision decision = transaction.AppendRequestBody(Body(body.substr(i, step)));
    if (decision.interrupts()) return decision;
  }
  return transaction.ProcessRequestBody();
}

constexpr char kJson[] =
    "SecRequestBodyAccess On\n"
    "SecRule REQUEST_HEADERS:Content-Type \"^application/json\" "
    "\"id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON\"\n";

TEST(Transaction, CleanRequestPasses) {
  const auto rules = Rules("SecRule ARGS \"@streq bad\" \"id:7,phase:1,deny\"\n");
  const Decision decision = Head(rules, Get("/?a=good"));
  EXPECT_EQ(decision.action, Action::kPass);
  EXPECT_FALSE(decision.interrupts());
}

TEST(Transaction, DenyCarriesStatusRuleMessageAndLogLine) {
  const auto rules =
      Rules("SecRule ARGS \"@streq bad\" \"id:7,phase:1,deny,status:418,msg:'no %{ARGS.a}'\"\n");
  Heard heard;
  const Decision decision = Head(rules, Get("/x?a=bad"), &heard);
  EXPECT_EQ(decision.action, Action::kDeny);
  EXPECT_EQ(decision.status, 418);
  EXPECT_EQ(decision.rule_id, 7);
  EXPECT_EQ(decision.phase, 1);
  EXPECT_EQ(decision.message, "no bad");
  EXPECT_TRUE(decision.log_line.starts_with(
      "[client 192.0.2.7] ModSecurity: Access denied with code 418 (phase 1). Matched "))
      << decision.log_line;
  EXPECT_NE(decision.log_line.find("[file \"site.conf\"] [line \"2\"] [id \"7\"]"),
            std::string::npos);
  EXPECT_NE(decision.log_line.find("[unique_id \"id-1\"]"), std::string::npos);
  EXPECT_TRUE(heard.ids.empty());  // an interruption is said once, by the decision
}

TEST(Transaction, ForgedIdInTheMatchedTextDoesNotConfuse) {
  const auto rules = Rules("SecRule ARGS \"@rx evil\" \"id:7,phase:1,deny\"\n");
  EXPECT_EQ(Head(rules, Get("/?a=evil%22%5d+%5bid+%22999%22%5d")).rule_id, 7);
}

TEST(Transaction, WarningReachesTheListener) {
  const auto rules = Rules("SecRule ARGS \"@streq odd\" \"id:8,phase:1,pass,log,msg:'odd'\"\n");
  Heard heard;
  EXPECT_EQ(Head(rules, Get("/?a=odd"), &heard).action, Action::kPass);
  ASSERT_EQ(heard.ids, std::vector<std::int64_t>{8});
  EXPECT_TRUE(heard.lines[0].starts_with("ModSecurity: Warning. Matched ")) << heard.lines[0];
}

TEST(Transaction, DetectionOnlyNeverInterrupts) {
  const auto rules = Rules(
      "SecRule ARGS \"@streq bad\" \"id:7,phase:1,deny,msg:'x'\"\n"
      "SecAction \"id:1,phase:1,pass,nolog,ctl:ruleEngine=DetectionOnly\"\n");
  EXPECT_TRUE(Head(rules, Get("/?a=bad")).interrupts());
  RuleLoader loader(TestEngine(), "");
  std::vector<RuleError> errors;
  const RuleSource sources[] = {Inline("SecRuleEngine DetectionOnly\n")};
  Heard heard;
  const Decision decision = Head(loader.Load(rules, sources, &errors), Get("/?a=bad"), &heard);
  EXPECT_EQ(decision.action, Action::kPass);
  EXPECT_EQ(heard.ids, std::vector<std::int64_t>{7});
}

TEST(Transaction, RedirectCarriesUrl) {
  const auto rules =
      Rules("SecRule ARGS \"@streq bad\" \"id:7,phase:1,redirect:'http://x.test/?p=%{ARGS.a}'\"\n");
  const Decision decision = Head(rules, Get("/?a=bad"));
  EXPECT_EQ(decision.action, Action::kRedirect);
  EXPECT_EQ(decision.status, 302);
  EXPECT_EQ(decision.url, "http://x.test/?p=bad");
  EXPECT_EQ(decision.rule_id, 7);
}

TEST(Transaction, AllowIsSaidAndPasses) {
  const auto rules = Rules(
      "SecRule ARGS \"@streq good\" \"id:6,phase:1,allow,nolog\"\n"
      "SecAction \"id:7,phase:1,deny\"\n");
  const Decision decision = Head(rules, Get("/?a=good"));
  EXPECT_EQ(decision.action, Action::kAllow);
  EXPECT_FALSE(decision.interrupts());
  EXPECT_TRUE(Head(rules, Get("/?a=x")).interrupts());
}

// Each way to say drop, logged and not.
TEST(Transaction, DropIsToldFromDeny) {
  const std::string match = "SecRule ARGS \"@streq bad\" ";
  const struct {
    std::string rules;
    Action action;
  } cases[] = {
      {match + "\"id:7,phase:1,drop\"\n", Action::kDrop},
      {match + "\"id:7,phase:1,drop,nolog\"\n", Action::kDrop},
      {match + "\"id:7,phase:1,Drop,log,noauditlog\"\n", Action::kDrop},
      {match + "\"id:7,phase:1,deny,nolog\"\n", Action::kDeny},
      {"SecDefaultAction \"phase:1,log,drop\"\n" + match + "\"id:7,phase:1,block\"\n",
       Action::kDrop},
      {"SecDefaultAction \"phase:1,nolog,drop\"\n" + match + "\"id:7,phase:1,block,nolog\"\n",
       Action::kDrop},
      {"SecDefaultAction \"phase:1,log,deny\"\n" + match + "\"id:7,phase:1,block\"\n",
       Action::kDeny},
      {"SecDefaultAction \"phase:1,log,drop\"\n" + match + "\"id:7,phase:1,deny\"\n",
       Action::kDeny},
      {match + "\"id:7,phase:1,deny\"\nSecRuleUpdateActionById 7 \"drop\"\n", Action::kDrop},
      {match + "\"id:7,phase:1,drop\"\nSecRuleUpdateActionById 7 \"deny\"\n", Action::kDeny},
      {match + "\"id:7,phase:1,drop,chain\"\nSecRule REQUEST_METHOD \"@streq GET\" \"t:none\"\n",
       Action::kDrop},
  };
  for (const auto& test : cases) {
    const auto rules = Rules(test.rules);
    const Decision decision = Head(rules, Get("/?a=bad"));
    EXPECT_EQ(decision.action, test.action) << test.rules;
    EXPECT_EQ(decision.rule_id, 7) << test.rules;
    EXPECT_EQ(decision.status, 403) << test.rules;
    EXPECT_EQ(decision.log_line.find("connection close") != std::string::npos,
              test.action == Action::kDrop)
        << decision.log_line;
    EXPECT_EQ(Head(rules, Get("/?a=good")).action, Action::kPass);
  }
}

TEST(Transaction, DropOfAParentLevelIsKnownInItsChild) {
  const auto parent = Rules("SecRule ARGS \"@streq bad\" \"id:7,phase:1,drop,nolog\"\n");
  RuleLoader loader(TestEngine(), "");
  std::vector<RuleError> errors;
  const RuleSource sources[] = {Inline("SecAction \"id:1,phase:1,pass,nolog\"\n")};
  const auto child = loader.Load(parent, sources, &errors);
  EXPECT_EQ(Head(child, Get("/?a=bad")).action, Action::kDrop);
}

TEST(Transaction, JsonBodyIsInspectedWhateverItsPieces) {
  const auto rules =
      Rules(std::string(kJson) + "SecRule ARGS:json.text \"@streq bad\" \"id:7,phase:2,deny\"\n");
  const std::string_view bad = "{\"text\":\"bad\"}";
  for (std::size_t step = 1; step <= bad.size(); ++step) {
    const Decision decision = JsonBody(rules, bad, step);
    EXPECT_EQ(decision.rule_id, 7) << step;
    EXPECT_EQ(decision.phase, 2);
  }
  EXPECT_FALSE(JsonBody(rules, "{\"text\":\"good\"}").interrupts());
}

TEST(Transaction, BodyAtTheLimitIsWhole) {
  const auto rules =
      Rules("SecRequestBodyAccess On\nSecRequestBodyLimit 10\nSecRequestBodyLimitAction Reject\n");
  EXPECT_FALSE(JsonBody(rules, "0123456789", 3).interrupts());
  const Decision decision = JsonBody(rules, "0123456789A", 3);
  EXPECT_EQ(decision.action, Action::kDeny);
  EXPECT_EQ(decision.status, 403);
  EXPECT_EQ(decision.rule_id, 0);
  EXPECT_FALSE(decision.message.empty());
}

TEST(Transaction, PartialProcessingKeepsExactlyTheLimit) {
  const auto rules = Rules(
      "SecRequestBodyAccess On\nSecRequestBodyLimit 10\n"
      "SecRequestBodyLimitAction ProcessPartial\n"
      "SecRule REQUEST_BODY \"@streq 0123456789\" \"id:7,phase:2,deny,t:none\"\n"
      "SecRule INBOUND_DATA_ERROR \"@eq 1\" \"id:8,phase:2,deny,t:none\"\n");
  for (std::size_t step : {1U, 3U, 10U, 11U, 20U}) {
    EXPECT_EQ(JsonBody(rules, "0123456789ABCDEF", step).rule_id, 7) << step;
  }
  EXPECT_EQ(JsonBody(rules, "x123456789ABCDEF", 4).rule_id, 8);
  EXPECT_EQ(JsonBody(rules, "x123456789", 4).rule_id, 0);

  Transaction transaction(TestEngine(), rules, "id-1", nullptr);
  ASSERT_FALSE(transaction.ProcessRequestHead(PostJson().view()).interrupts());
  ASSERT_FALSE(transaction.AppendRequestBody(Body("0123456789")).interrupts());
  EXPECT_FALSE(transaction.request_body_cut());
  ASSERT_FALSE(transaction.AppendRequestBody(Body("A")).interrupts());
  EXPECT_TRUE(transaction.request_body_cut());
}

TEST(Transaction, RejectInDetectionOnlyInspectsWhatFits) {
  const auto base =
      Rules("SecRequestBodyAccess On\nSecRequestBodyLimit 10\nSecRequestBodyLimitAction Reject\n");
  RuleLoader loader(TestEngine(), "");
  std::vector<RuleError> errors;
  const RuleSource sources[] = {
      Inline("SecRuleEngine DetectionOnly\n"
             "SecRule REQUEST_BODY \"@streq 0123456789\" \"id:7,phase:2,deny,log,msg:'x'\"\n")};
  Heard heard;
  Transaction transaction(TestEngine(), loader.Load(base, sources, &errors), "id-1", &heard);
  ASSERT_FALSE(transaction.ProcessRequestHead(PostJson().view()).interrupts());
  EXPECT_FALSE(transaction.AppendRequestBody(Body("0123456789ABC")).interrupts());
  EXPECT_TRUE(transaction.request_body_cut());
  EXPECT_FALSE(transaction.ProcessRequestBody().interrupts());
  EXPECT_EQ(heard.ids, std::vector<std::int64_t>{7});
}

constexpr HeaderView kHtml[] = {{"Content-Type", "Text/HTML; charset=utf-8"}};
constexpr HeaderView kEvents[] = {{"Content-Type", "text/event-stream"}};

TEST(Transaction, ResponseIsInspectedWhereItsTypeSaysSo) {
  const auto rules = Rules(
      "SecResponseBodyAccess On\nSecResponseBodyMimeType text/html\n"
      "SecRule RESPONSE_HEADERS:X-Bad \"@rx .\" \"id:3,phase:3,deny,status:502\"\n"
      "SecRule RESPONSE_BODY \"@contains leak\" \"id:4,phase:4,deny,status:500\"\n");
  const auto run = [&rules](std::span<const HeaderView> headers, bool wanted) {
    Transaction transaction(TestEngine(), rules, "id-1", nullptr);
    EXPECT_FALSE(transaction.ProcessRequestHead(Get("/").view()).interrupts());
    EXPECT_FALSE(transaction.ProcessRequestBody().interrupts());
    Decision decision = transaction.ProcessResponseHeaders({200, "HTTP/1.1", headers});
    if (decision.interrupts()) return decision;
    EXPECT_EQ(transaction.wants_response_body(), wanted);
    EXPECT_FALSE(transaction.AppendResponseBody(Body("a le")).interrupts());
    EXPECT_FALSE(transaction.AppendResponseBody(Body("ak")).interrupts());
    return transaction.ProcessResponseBody();
  };
  EXPECT_EQ(run(kHtml, true).rule_id, 4);
  EXPECT_EQ(run(kHtml, true).status, 500);
  EXPECT_FALSE(run(kEvents, false).interrupts());
  const HeaderView bad[] = {{"X-Bad", "1"}};
  EXPECT_EQ(run(bad, false).rule_id, 3);
  EXPECT_EQ(run(bad, false).phase, 3);
}

TEST(Transaction, ResponseLimitIsKept) {
  const std::string base = "SecResponseBodyAccess On\nSecResponseBodyMimeType text/html\n";
  const auto run = [](const std::shared_ptr<const RuleSet>& rules, std::string_view body,
                      bool* cut) {
    Transaction transaction(TestEngine(), rules, "id-1", nullptr);
    EXPECT_FALSE(transaction.ProcessRequestHead(Get("/").view()).interrupts());
    EXPECT_FALSE(transaction.ProcessResponseHeaders({200, "HTTP/1.1", kHtml}).interrupts());
    for (const char& c : body) {
      const Decision decision = transaction.AppendResponseBody(Body({&c, 1}));
      if (decision.interrupts()) return decision;
    }
    *cut = transaction.response_body_cut();
    return transaction.ProcessResponseBody();
  };
  bool cut = false;
  const auto reject = Rules(base + "SecResponseBodyLimit 4\nSecResponseBodyLimitAction Reject\n");
  EXPECT_FALSE(run(reject, "0123", &cut).interrupts());
  EXPECT_EQ(run(reject, "01234", &cut).status, 403);
  const auto partial = Rules(base +
                             "SecResponseBodyLimit 4\nSecResponseBodyLimitAction ProcessPartial\n"
                             "SecRule RESPONSE_BODY \"@streq 0123\" \"id:4,phase:4,deny\"\n");
  EXPECT_EQ(run(partial, "0123", &cut).rule_id, 4);
  EXPECT_FALSE(cut);
  EXPECT_EQ(run(partial, "01234567", &cut).rule_id, 4);
  EXPECT_TRUE(cut);
}

TEST(Transaction, CtlDecidesWhetherTheBodyIsWanted) {
  const auto rules = Rules(
      "SecRequestBodyAccess Off\n"
      "SecRule ARGS:b \"@streq on\" \"id:1,phase:1,pass,nolog,ctl:requestBodyAccess=On\"\n"
      "SecRule ARGS:b \"@streq off\" \"id:2,phase:1,pass,nolog,ctl:ruleEngine=Off\"\n");
  const auto wants = [&rules](std::string target) {
    Transaction transaction(TestEngine(), rules, "id-1", nullptr);
    EXPECT_FALSE(transaction.ProcessRequestHead(Get(std::move(target)).view()).interrupts());
    return transaction.wants_request_body();
  };
  EXPECT_FALSE(wants("/"));
  EXPECT_TRUE(wants("/?b=on"));
  EXPECT_FALSE(wants("/?b=off"));
}

TEST(Transaction, HostnameStandsInForAMissingHostField) {
  const auto rules = Rules("SecRule SERVER_NAME \"@streq example.test\" \"id:7,phase:1,deny\"\n");
  Request request = Get("/");
  request.headers.clear();
  EXPECT_TRUE(Head(rules, request).interrupts());
}

TEST(Transaction, LoggingHappensOnce) {
  const auto rules = Rules("SecAction \"id:5,phase:5,pass,log,msg:'end'\"\n");
  Heard heard;
  Transaction transaction(TestEngine(), rules, "id-1", &heard);
  ASSERT_FALSE(transaction.ProcessRequestHead(Get("/").view()).interrupts());
  EXPECT_FALSE(transaction.logged());
  transaction.ProcessLogging();
  transaction.ProcessLogging();
  EXPECT_TRUE(transaction.logged());
  EXPECT_EQ(heard.ids, std::vector<std::int64_t>{5});
}

TEST(TransactionDeathTest, PhasesOutOfOrderAreABug) {
  const auto rules = Rules("SecRule ARGS \"@streq bad\" \"id:7,phase:1,deny\"\n");
  const auto run = [&rules](auto steps) {
    Transaction transaction(TestEngine(), rules, "id-1", nullptr);
    steps(transaction);
  };
  EXPECT_DEATH(run([](Transaction& t) {
                 (void)t.ProcessRequestBody();
                 (void)t.ProcessRequestHeaders(Get("/").view());
               }),
               "cannot follow");
  EXPECT_DEATH(run([](Transaction& t) {
                 (void)t.ProcessRequestBody();
                 (void)t.ProcessRequestBody();
               }),
               "cannot follow");
  EXPECT_DEATH(run([](Transaction& t) {
                 (void)t.ProcessRequestHead(Get("/?a=bad").view());
                 (void)t.ProcessRequestBody();
               }),
               "cannot follow");
}

TEST(Transaction, AnyEndIsFineWithoutLogging) {
  const auto rules = Rules("");
  Transaction transaction(TestEngine(), rules, "", nullptr);
  (void)transaction.ProcessConnection(Get("/").view());
}

}  // namespace
}  // namespace framewall::waf
