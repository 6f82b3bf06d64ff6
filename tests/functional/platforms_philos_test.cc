// conf/examples/philos.conf: many services behind one gateway, of which some fail; tokens and
// roles.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/functional/platform_testing.h"
#include "tests/functional/platform_tokens.h"
#include "tests/support/fake_upstream.h"
#include "tests/support/redis_server.h"

namespace framewall::test {
namespace {

constexpr Waiting kWaiting[] = {
    {"a breaker for a service of one instance, checks beside real traffic",
     "upstream/active_health"},
    {"a cached answer while a service is down", "proxy_cache"},
};

AccessToken As(const std::string& roles) {
  return {.issuer = "https://philos.example/users",
          .audience = "https://philos.example/api",
          .roles = roles};
}

// The users' service publishes the keys that it signs with.
void ServeUsers(FakeUpstream::Peer& peer) {
  for (;;) {
    const HttpMessage request = peer.ReadRequest();
    if (!request.complete) return;
    const bool keys = request.start_line.starts_with("GET /.well-known/jwks.json ");
    peer.Send(JsonAnswer(keys ? Issuer().KeySet() : "\"users\""));
  }
}

class Philos : public ::testing::Test {
 protected:
  void SetUp() override {
    // Without Redis, rates are counted here.
    if (HasRedis()) {
      ASSERT_TRUE(redis_.Start()) << redis_.Log();
    }
    proxy_ = std::make_unique<ProxyProcess>(
        Example("philos", {{"127.0.0.1:4001", users_.address()},
                           {"127.0.0.1:4002", concepts_.address()},
                           {"127.0.0.1:4012", failing_.address()},
                           {"127.0.0.1:4003", graphs_->address()},
                           {"127.0.0.1:4004", theses_.address()},
                           {"127.0.0.1:4005", claude_.address()},
                           {"127.0.0.1:6379", redis_.address()},
                           {"auth_jwt_leeway 5s", "auth_jwt_leeway 0s"},
                           {"listen 4000", "listen 127.0.0.1:%%PORT_0%%"}}));
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }
  uint16_t port() const { return proxy_->port(0); }
  // As somebody with a token and no role that matters.
  HttpMessage Ask(const std::string& path) const { return AskAs("[\"reader\"]", "GET", path); }
  HttpMessage AskAs(const std::string& roles, const std::string& method,
                    const std::string& path) const {
    return AskWith(As(roles).Bearer(), method, path);
  }
  HttpMessage AskWith(const std::string& headers, const std::string& method,
                      const std::string& path) const {
    return test::Ask(RawClient(port()), method, path, headers);
  }
  // What the users' service was asked by clients.
  std::vector<HttpMessage> UserRequests() const {
    std::vector<HttpMessage> all = users_.requests();
    std::erase_if(all, [](const HttpMessage& request) {
      return request.start_line.starts_with("GET /.well-known/jwks.json ");
    });
    return all;
  }

  FakeUpstream users_{ServeUsers};
  RedisServer redis_;
  FakeUpstream concepts_{FakeUpstream::Always(JsonAnswer("\"concepts\""))};
  FakeUpstream failing_{
      FakeUpstream::Always("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy")};
  std::unique_ptr<FakeUpstream> graphs_ =
      std::make_unique<FakeUpstream>(FakeUpstream::Always(JsonAnswer("\"graphs\"")));
  FakeUpstream theses_{FakeUpstream::Always(JsonAnswer(kRussianJson))};
  FakeUpstream claude_{[](FakeUpstream::Peer& peer) {
    if (!peer.ReadRequest().complete) return;
    peer.Send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        "Transfer-Encoding: chunked\r\n\r\n9\r\ndata: a\n\n\r\n");
    peer.ReadRequest();  // the rest never comes
  }};
  std::unique_ptr<ProxyProcess> proxy_;
};

TEST_F(Philos, PathsLeadToTheirServices) {
  EXPECT_EQ(Ask("/api/users/7?full=1").body, "\"users\"") << proxy_->Output();
  EXPECT_EQ(Ask("/api/graphs/7").body, "\"graphs\"");
  EXPECT_EQ(Ask("/api/theses/7").body, kRussianJson);
  EXPECT_EQ(Ask("/elsewhere").status(), 404);
  ASSERT_EQ(UserRequests().size(), 1u);
  EXPECT_EQ(UserRequests()[0].start_line, "GET /7?full=1 HTTP/1.1");
  EXPECT_EQ(UserRequests()[0].Header("traceparent").size(), 55u);
}

TEST_F(Philos, NothingIsOpenButLoggingInAndProbes) {
  AccessToken other_issuer = As("[]"), other_audience = As("[]"), for_login = As("[]"),
              old = As("[]");
  other_issuer.issuer = "https://philos.example/claude";
  other_audience.audience = "https://philos.example/apis";
  for_login.type = "JWT";
  old.seconds = -1;
  const TokenIssuer stranger;
  const std::string wrong[] = {
      "",
      other_issuer.Bearer(),
      other_audience.Bearer(),
      for_login.Bearer(),
      old.Bearer(),
      "Authorization: Bearer " + As("[\"admin\"]").Sign(stranger) + "\r\n"};
  for (const char* path :
       {"/api/users/7", "/api/users/admin/7", "/api/concepts/1", "/api/graphs/7", "/api/theses/7",
        "/api/claude/ask", "/api/users/auth/../7", "/api/users/auth/%2e%2e/7"}) {
    for (const std::string& headers : wrong) {
      EXPECT_EQ(AskWith(headers, "GET", path).status(), 401) << path << " " << headers;
    }
  }
  EXPECT_EQ(UserRequests().size(), 0u);
  EXPECT_EQ(concepts_.requests().size() + graphs_->requests().size() + theses_.requests().size() +
                claude_.requests().size(),
            0u);
  EXPECT_EQ(AskWith("", "GET", "/_keys").status(), 404);
  EXPECT_EQ(AskWith("", "POST", "/api/users/auth/login").status(), 200);
  EXPECT_EQ(AskWith("", "GET", "/health").status(), 200);
  EXPECT_EQ(AskWith("", "GET", "/ready").status(), 200);
}

TEST_F(Philos, ServicesAreToldWhoAsks) {
  const std::string forged =
      "X-User: root\r\nX_User: root\r\nX-User-Roles: root\r\nx_user_roles: root\r\n"
      "X-Forwarded-User: root\r\n";
  AskWith(As(R"(["reader","editor"])").Bearer() + forged + "Connection: X-User\r\n", "GET",
          "/api/theses/7");
  AskWith(forged, "POST", "/api/users/auth/login");
  ASSERT_EQ(theses_.requests().size(), 1u) << proxy_->Output();
  const HttpMessage seen = theses_.requests()[0];
  EXPECT_EQ(seen.Header("X-User"), "ann");
  EXPECT_EQ(seen.Header("X-User-Roles"), "reader,editor");
  EXPECT_EQ(seen.CountHeaders("X-User") + seen.CountHeaders("X-User-Roles"), 2u);
  EXPECT_EQ(seen.raw.find("root"), std::string::npos) << seen.raw;
  ASSERT_EQ(UserRequests().size(), 1u);
  EXPECT_EQ(UserRequests()[0].CountHeaders("X-User"), 0u);
  EXPECT_EQ(UserRequests()[0].raw.find("root"), std::string::npos);
}

TEST_F(Philos, RolesDecideAboutRoutes) {
  const struct {
    const char* roles;
    const char* method;
    const char* path;
    int status;
  } cases[] = {
      {"[]", "GET", "/api/graphs/7", 200},
      {"[]", "HEAD", "/api/graphs/7", 200},
      {"[]", "DELETE", "/api/graphs/7", 403},
      {R"(["reader"])", "POST", "/api/concepts/", 403},
      {R"(["editor"])", "POST", "/api/concepts/", 200},
      {R"(["reader","editor"])", "PUT", "/api/theses/7", 200},
      {R"(["admin"])", "DELETE", "/api/graphs/7", 200},
      {R"(["editors","x editor"])", "DELETE", "/api/graphs/7", 403},
      {R"("editor")", "DELETE", "/api/graphs/7", 200},
      {R"(["editor"])", "GET", "/api/users/admin/7", 403},
      {R"(["editor","admin"])", "GET", "/api/users/admin/7", 200},
      {R"(["administrator"])", "GET", "/api/users/admin/7", 403},
      {R"(["reader"])", "GET", "/api/users/7", 200},
      {R"(["reader"])", "GET", "/api/claude/ask", 403},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(AskAs(one.roles, one.method, one.path).status(), one.status)
        << one.roles << " " << one.method << " " << one.path << "\n"
        << proxy_->Output();
  }
  EXPECT_EQ(claude_.requests().size(), 0u);
}

// A user's rate, wherever the user comes from.
TEST_F(Philos, AUserHasALimitOfHisOwn) {
  const auto ask = [&](const std::string& source, const AccessToken& token) {
    return test::Ask(RawClient::To("127.0.0.1", port(), source), "GET", "/api/theses/7",
                     token.Bearer())
        .status();
  };
  int refused = 0;
  // Faster than 20 a second: from ten addresses, none of which is over its own limit.
  const AccessToken ann = As("[]");
  for (int i = 0; i < 200 && refused == 0; ++i) {
    const int status = ask("127.0.1." + std::to_string(i % 10 + 1), ann);
    ASSERT_TRUE(status == 200 || status == 429) << status;
    refused += status == 429 ? 1 : 0;
  }
  EXPECT_GT(refused, 0);
  AccessToken bob = ann;
  bob.subject = "bob";
  EXPECT_EQ(ask("127.0.1.1", bob), 200);
  if (HasRedis()) {
    EXPECT_NE(redis_.Ask({"KEYS", "philos:*"}).find("philos:"), std::string::npos);
  }
}

TEST_F(Philos, ARequestIsRepeatedAndAFailingInstanceRests) {
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Ask("/api/concepts/1").body, "\"concepts\"") << i;
  // Three failures, however many workers have seen them; in turn it would be ten.
  EXPECT_GE(failing_.requests().size(), 3u);
  EXPECT_LE(failing_.requests().size(), 5u);
  EXPECT_EQ(concepts_.requests().size(), 20u);
}

TEST_F(Philos, WhileOneServiceIsDownOthersWork) {
  graphs_.reset();
  const HttpMessage down = Ask("/api/graphs/7");
  EXPECT_EQ(down.status(), 503);
  EXPECT_EQ(down.Header("Content-Type"), "application/json");
  EXPECT_EQ(down.Header("Retry-After"), "10");
  EXPECT_NE(down.body.find("\"degraded\":true"), std::string::npos) << down.body;
  EXPECT_EQ(Ask("/api/users/7").status(), 200);
  EXPECT_EQ(Ask("/api/theses/7").status(), 200);
  EXPECT_EQ(Ask("/health").status(), 200);
  EXPECT_EQ(Ask("/ready").status(), 200);
}

TEST_F(Philos, AnswersOfClaudeComeWordByWord) {
  RawClient client(port());
  client.Send(
      "GET /api/claude/ask HTTP/1.1\r\nHost: localhost\r\nUser-Agent: test\r\n"
      "Accept: */*\r\n" +
      As("[\"researcher\"]").Bearer() + "\r\n");
  EXPECT_NE(client.ReadUntil("data: a\n\n").find(" 200 OK"), std::string::npos);
}

TEST_F(Philos, UpstreamsHaveMetricsOfTheirOwn) {
  Ask("/api/users/7");
  Ask("/api/theses/7");
  const std::string metrics = Ask("/metrics").body;
  for (const FakeUpstream* upstream : {&users_, &theses_}) {
    EXPECT_NE(metrics.find("framewall_upstream_requests_total{address=\"" + upstream->address() +
                           "\",status=\"200\"} 1"),
              std::string::npos)
        << metrics;
  }
}

TEST_F(Philos, AttacksReachNobodyAndRussianPasses) {
  const std::string editor = As("[\"editor\"]").Bearer();
  EXPECT_EQ(Ask(std::string("/api/users/") + kAttackQuery).status(), 403);
  EXPECT_EQ(PostJson(port(), "/api/theses/", kAttackJson, editor).status(), 403);
  EXPECT_EQ(UserRequests().size() + theses_.requests().size(), 0u);
  EXPECT_EQ(PostJson(port(), "/api/theses/", kRussianJson, editor).body, kRussianJson);
}

TEST_F(Philos, WaitsForTheseThings) { Show("philos", kWaiting); }

}  // namespace
}  // namespace framewall::test
