// Two backends on one Redis: whose budgets they share, and what they do while it is away.
#include <signal.h>

#include <optional>

#include "tests/functional/budget_testing.h"
#include "tests/support/certificate.h"
#include "tests/support/redis_server.h"

namespace framewall::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class BackendBudgetRedis : public testing::Test {
 protected:
  void SetUp() override {
    if (!HasRedis()) GTEST_SKIP() << "no redis-server";
    ASSERT_TRUE(redis_.Start()) << redis_.Log();
  }

  // One with an account and a key, and another that stands on a copy of its data.
  void Open(const std::string& limits, const std::string& more = "") {
    settings_ = std::string(kOpenRegistration) + "llm:\n" + limits + "  providers:\n" +
                server_.Settings() + "  models:\n" + WordServer::Models("openai") +
                "redis: {servers: '" + redis_.address() +
                "', password_file: redis.password, deadline_ms: 400, pause_ms: 200" + more + "}\n";
    one_.emplace(settings_);
    one_->directory().Write("redis.password", "tell-nobody\n");
    ASSERT_TRUE(one_->Start()) << one_->Output();
    anna_ = NewPerson(*one_, "anna");
    key_ = BearerField(NewKey(*one_, anna_, R"(["llm"])"));
    ben_ = NewPerson(*one_, "ben");
    two_.emplace(settings_);
    two_->directory().Write("redis.password", "tell-nobody\n");
    const CommandResult copied =
        one_->Run({"--config", "backend.yaml", "--backup", two_->directory().File("data")});
    ASSERT_EQ(copied.exit_code, 0) << copied.output;
    ASSERT_TRUE(two_->Start()) << two_->Output();
  }
  void TearDown() override {
    for (const auto* backend : {&one_, &two_}) {
      if (!backend->has_value()) continue;
      EXPECT_EQ((*backend)->Output().find("tell-nobody"), std::string::npos);
    }
  }
  // The code of a refusal, or the status.
  static std::string Ask(const BackendProcess& backend, const std::string& field,
                         const std::string& prompt = "Hi") {
    const HttpMessage answer = Chat(backend, field, "openai/short", false, prompt);
    const std::string code = JsonAt(answer, "/error/code");
    return code.empty() ? std::to_string(answer.status()) : code;
  }
  static int64_t Metric(const BackendProcess& backend, const std::string& name) {
    const std::string all = backend.Get("/metrics").body;
    const size_t at = all.find("\nframewall_backend_" + name + " ");
    if (at == all.npos) return -1;
    return std::stoll(all.substr(at + name.size() + 20));
  }

  RedisServer redis_{{"requirepass tell-nobody"}};
  WordServer server_{"openai"};
  std::string settings_;
  std::optional<BackendProcess> one_, two_;
  Person anna_, ben_;
  std::string key_;
};

TEST_F(BackendBudgetRedis, TwoShareTheBudgetsOfAUserAndOfAKey) {
  Open("  user_limits: {requests_per_day: 6}\n  key_limits: {requests_per_day: 3}\n");
  EXPECT_EQ(Ask(*one_, key_), "200");
  EXPECT_EQ(Ask(*two_, key_), "200");
  EXPECT_EQ(Ask(*one_, key_), "200");
  EXPECT_EQ(Ask(*one_, key_), "requests_per_day");
  EXPECT_EQ(Ask(*two_, key_), "requests_per_day");
  EXPECT_EQ(Ask(*two_, anna_.field()), "200");
  EXPECT_EQ(Ask(*one_, anna_.field()), "200");
  EXPECT_EQ(Ask(*two_, anna_.field()), "200");
  const HttpMessage refused = Chat(*one_, anna_.field(), "openai/short");
  EXPECT_EQ(refused.status(), 429) << refused.raw;
  EXPECT_NEAR(std::stod(refused.Header("retry-after")), 86400 / 6, 60);
  EXPECT_EQ(refused.Header("x-should-retry"), "false");
  EXPECT_EQ(Ask(*two_, anna_.field()), "requests_per_day");
  EXPECT_EQ(Ask(*two_, ben_.field()), "200");
  EXPECT_EQ(Metric(*one_, "budget_decided_alone_total"), 0);
  EXPECT_EQ(Metric(*two_, "budget_decided_alone_total"), 0);
  EXPECT_GT(Metric(*two_, "redis_answered_total"), 6);
}

TEST_F(BackendBudgetRedis, AStreamIsCutByWhatTheOtherSpends) {
  Open("  user_limits: {tokens_per_day: 200}\n");
  std::optional<HttpMessage> cut;
  std::thread stream([&] { cut = Chat(*one_, anna_.field(), "openai/long", true); });
  EXPECT_TRUE(Eventually([&] { return server_.asked() == 1; }));
  EXPECT_EQ(Ask(*two_, anna_.field(), std::string(480, 'x')), "200");  // 124 + 3 tokens
  stream.join();
  // 200 − 127 − 5 are 68; alone it would have been 195.
  EXPECT_GE(WordsIn(*cut), 69) << cut->raw;
  EXPECT_LE(WordsIn(*cut), 110) << cut->raw;
  EXPECT_EQ(CountOf(cut->body, R"("code":"token_budget_exceeded")"), 1) << cut->raw;
  EXPECT_EQ(CountOf(cut->body, "[DONE]"), 0);
  EXPECT_EQ(Ask(*two_, anna_.field()), "token_budget_exceeded");
  EXPECT_EQ(Ask(*one_, ben_.field()), "200");
}

TEST_F(BackendBudgetRedis, KilledAndStartedAgain) {
  Open("  user_limits: {requests_per_day: 8}\n");
  EXPECT_EQ(Ask(*two_, anna_.field()), "200");
  EXPECT_EQ(Ask(*one_, anna_.field()), "200");
  EXPECT_EQ(JsonAt(one_->Get("/ready"), "/dependencies/redis/ok"), "true");
  redis_.Kill();
  for (int i = 0; i < 6; ++i) {
    const auto start = steady_clock::now();
    EXPECT_EQ(Ask(*one_, anna_.field()), "200") << i;
    EXPECT_LT(steady_clock::now() - start, milliseconds(400 + 600));
  }
  EXPECT_EQ(Ask(*one_, anna_.field()), "requests_per_day");
  const HttpMessage ready = one_->Get("/ready");
  EXPECT_EQ(ready.status(), 200) << ready.raw;
  EXPECT_EQ(JsonAt(ready, "/dependencies/redis/ok"), "false") << ready.raw;
  EXPECT_EQ(JsonAt(ready, "/dependencies/redis/decisive"), "false");
  // Nothing of it for whoever comes through the gateway.
  const HttpMessage outside = one_->Get("/ready", "X-Real-IP: 192.0.2.1\r\n");
  EXPECT_EQ(outside.status(), 200);
  EXPECT_EQ(outside.body.find("redis"), std::string::npos) << outside.body;
  EXPECT_EQ(Metric(*one_, "redis_left_alone"), 1);
  EXPECT_GE(Metric(*one_, "budget_decided_alone_total"), 7);
  ASSERT_TRUE(redis_.Start()) << redis_.Log();
  ASSERT_TRUE(one_->WaitForOutput("is back in service")) << one_->Output();
  EXPECT_EQ(CountOf(one_->Output(), "is out of service"), 1) << one_->Output();
  EXPECT_EQ(CountOf(one_->Output(), "is back in service"), 1) << one_->Output();
  EXPECT_TRUE(Eventually([&] { return Metric(*one_, "redis_left_alone") == 0; }));
  EXPECT_EQ(Metric(*one_, "redis_outages_total"), 1);
  // Redis has lost its data; what the first let through meanwhile it has been told.
  const int64_t alone = Metric(*one_, "budget_decided_alone_total");
  EXPECT_TRUE(Eventually([&] { return Ask(*one_, ben_.field()) == "200"; }));
  EXPECT_EQ(Metric(*one_, "budget_decided_alone_total"), alone);
}

TEST_F(BackendBudgetRedis, AForgottenScript) {
  Open("  user_limits: {requests_per_day: 4}\n");
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(redis_.AskAs("tell-nobody", {"SCRIPT", "FLUSH"}), "OK");
    EXPECT_EQ(Ask(i % 2 == 0 ? *one_ : *two_, anna_.field()), "200");
  }
  EXPECT_EQ(redis_.AskAs("tell-nobody", {"SCRIPT", "FLUSH"}), "OK");
  EXPECT_EQ(Ask(*one_, anna_.field()), "requests_per_day");
  EXPECT_EQ(Metric(*one_, "budget_decided_alone_total"), 0);
  EXPECT_EQ(Metric(*two_, "budget_decided_alone_total"), 0);
}

TEST_F(BackendBudgetRedis, RefusesWhereTold) {
  Open("  user_limits: {requests_per_day: 4}\n", ", when_down: refuse");
  EXPECT_EQ(Ask(*one_, anna_.field()), "200");
  redis_.Kill();
  const HttpMessage refused = Chat(*one_, anna_.field(), "openai/short");
  EXPECT_EQ(refused.status(), 503) << refused.raw;
  EXPECT_EQ(JsonAt(refused, "/error/code"), "budget_unavailable");
  EXPECT_EQ(refused.Header("retry-after"), "1");
  EXPECT_EQ(server_.asked(), 1);
  ASSERT_TRUE(redis_.Start()) << redis_.Log();
  EXPECT_TRUE(Eventually([&] { return Ask(*one_, anna_.field()) == "200"; }));
}

TEST_F(BackendBudgetRedis, PassesWhereTold) {
  Open("  user_limits: {requests_per_day: 1}\n", ", when_down: pass");
  EXPECT_EQ(Ask(*one_, anna_.field()), "200");
  EXPECT_EQ(Ask(*one_, anna_.field()), "requests_per_day");
  redis_.Kill();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Ask(*one_, anna_.field()), "200");
}

TEST(BackendBudgetRedisTls, IsVerified) {
  if (!HasRedis()) GTEST_SKIP() << "no redis-server";
  TempDir files;
  const Certificate authority = Certificate::Authority("Test CA");
  authority.Write(files, "ca");
  authority.Issue("redis.test", {"redis.test"}).Write(files, "server");
  Certificate::Authority("Another CA").Write(files, "other");
  RedisServer redis({"port 0", "tls-port %%PORT%%", "tls-cert-file " + files.File("server.crt"),
                     "tls-key-file " + files.File("server.key"),
                     "tls-ca-cert-file " + files.File("ca.crt"), "tls-auth-clients no"});
  ASSERT_TRUE(redis.Start()) << redis.Log();
  for (const char* name : {"ca.crt", "other.crt"}) {
    BackendProcess backend(std::string(kOpenRegistration) +
                           "llm: {user_limits: {requests_per_day: 9}}\nredis: {servers: ['" +
                           redis.address() + "'], tls: true, tls_name: redis.test, ca_file: " +
                           files.File(name) + ", deadline_ms: 5000}\n");
    ASSERT_TRUE(backend.Start()) << backend.Output();
    const bool known = std::string_view(name) == "ca.crt";
    EXPECT_EQ(JsonAt(backend.Get("/ready"), "/dependencies/redis/ok"), known ? "true" : "false")
        << backend.Output();
    const Person anna = NewPerson(backend, "anna");
    EXPECT_EQ(Chat(backend, anna.field(), "echo").status(), 200);
    EXPECT_EQ(redis.Ask({"DBSIZE"}), "1");
  }
}

TEST_F(BackendBudgetRedis, AWrongPasswordIsAnOutage) {
  Open("  user_limits: {requests_per_day: 100}\n");
  one_->Terminate();
  one_->directory().Write("redis.password", "tell-nobody-else\n");
  ASSERT_TRUE(one_->Start()) << one_->Output();
  EXPECT_EQ(Ask(*one_, anna_.field()), "200");
  EXPECT_EQ(JsonAt(one_->Get("/ready"), "/dependencies/redis/ok"), "false");
  EXPECT_GE(Metric(*one_, "budget_decided_alone_total"), 1);
}

}  // namespace
}  // namespace framewall::test
