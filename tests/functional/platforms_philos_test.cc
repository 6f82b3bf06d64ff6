// conf/examples/philos.conf: many services behind one gateway, of which some fail.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/functional/platform_testing.h"
#include "tests/support/fake_upstream.h"

namespace framewall::test {
namespace {

constexpr Waiting kWaiting[] = {
    {"tokens checked at the edge, claims forwarded", "auth_jwt"},
    {"role rules per route", "auth_jwt_require"},
    {"limits per user, over all replicas of the gateway", "verified claims, zones over Redis"},
    {"a breaker for a service of one instance, checks beside real traffic",
     "upstream/active_health"},
    {"a cached answer while a service is down", "proxy_cache"},
};

class Philos : public ::testing::Test {
 protected:
  void SetUp() override {
    proxy_ = std::make_unique<ProxyProcess>(
        Example("philos", {{"127.0.0.1:4001", users_.address()},
                           {"127.0.0.1:4002", concepts_.address()},
                           {"127.0.0.1:4012", failing_.address()},
                           {"127.0.0.1:4003", graphs_->address()},
                           {"127.0.0.1:4004", theses_.address()},
                           {"127.0.0.1:4005", claude_.address()},
                           {"listen 4000", "listen 127.0.0.1:%%PORT_0%%"}}));
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }
  uint16_t port() const { return proxy_->port(0); }
  HttpMessage Ask(const std::string& path) const {
    return test::Ask(RawClient(port()), "GET", path);
  }

  FakeUpstream users_{FakeUpstream::Always(JsonAnswer("\"users\""))};
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
  ASSERT_EQ(users_.requests().size(), 1u);
  EXPECT_EQ(users_.requests()[0].start_line, "GET /7?full=1 HTTP/1.1");
  EXPECT_EQ(users_.requests()[0].Header("traceparent").size(), 55u);
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
      "Accept: */*\r\n\r\n");
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
  EXPECT_EQ(Ask(std::string("/api/users/") + kAttackQuery).status(), 403);
  EXPECT_EQ(PostJson(port(), "/api/theses/", kAttackJson).status(), 403);
  EXPECT_EQ(users_.requests().size() + theses_.requests().size(), 0u);
  EXPECT_EQ(PostJson(port(), "/api/theses/", kRussianJson).body, kRussianJson);
}

TEST_F(Philos, WaitsForTheseThings) { Show("philos", kWaiting); }

}  // namespace
}  // namespace framewall::test
