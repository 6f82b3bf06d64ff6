// limit_req and limit_conn over several workers, reloads and a worker's death.
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"

namespace framewall::test {
namespace {

constexpr int kRequests = 30;

int CountOf(uint16_t port, const std::string& path, int status) {
  int count = 0;
  for (int i = 0; i < kRequests; ++i) count += Get(port, path).status() == status ? 1 : 0;
  return count;
}

TEST(LimitReq, IsOneLimitForAllWorkersAndOverReloads) {
  ProxyProcess proxy(R"(
worker_processes 3;
events {}
http {
  limit_req_zone $binary_remote_addr zone=one:1m rate=1r/m;
  server {
    listen 127.0.0.1:%%PORT_0%% reuseport;
    location / { limit_req zone=one burst=4 nodelay; limit_req_status 429; root %%DIR%%; }
  }
})");
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(CountOf(proxy.port(0), "/", 429), kRequests - 5);
  ASSERT_TRUE(proxy.Reload()) << proxy.Output();
  EXPECT_EQ(CountOf(proxy.port(0), "/", 429), kRequests);
}

TEST(LimitReq, DelaysAndAnswersAll) {
  ProxyProcess proxy(R"(
events {}
http {
  limit_req_zone $binary_remote_addr zone=one:1m rate=20r/s;
  log_format status "$limit_req_status";
  server {
    listen 127.0.0.1:%%PORT_0%%;
    access_log %%DIR%%/status.log status;
    location / { limit_req zone=one burst=5; root %%DIR%%; error_page 404 /page; }
    location = /page { limit_req zone=one; root %%DIR%%; }
  }
})");
  proxy.directory().Write("page", "page");
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  // All at once, one behind the other.
  const std::string request = "GET /none HTTP/1.1\r\nHost: a\r\n\r\n";
  client.Send(request + request + request);
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.ReadResponse().status(), 404);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(95));
  client.Close();
  EXPECT_TRUE(proxy.WaitForLog("PASSED\nDELAYED\nDELAYED\n", "status.log"))
      << proxy.Log("status.log");
  EXPECT_TRUE(proxy.WaitForLog("[warn]"));
  EXPECT_EQ(proxy.CountInLog("delaying request, excess: "), 2u);
}

TEST(LimitReq, AClientThatGoesEndsItsDelay) {
  ProxyProcess proxy(R"(
events {}
http {
  limit_req_zone $binary_remote_addr zone=one:1m rate=1r/m;
  log_format status "$status $limit_req_status";
  server {
    listen 127.0.0.1:%%PORT_0%%;
    access_log %%DIR%%/status.log status;
    location / { limit_req zone=one burst=5; root %%DIR%%; }
  }
})");
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 403);
  RawClient client(proxy.port(0));
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(proxy.WaitForLog("delaying request"));
  client.Close();
  EXPECT_TRUE(proxy.WaitForLog("499 DELAYED", "status.log"));
}

constexpr const char* kConnections = R"(
events {}
http {
  limit_conn_zone $binary_remote_addr zone=one:1m;
  server {
    listen 127.0.0.1:%%PORT_0%% reuseport;
    location / { limit_conn one 2; proxy_pass http://127.0.0.1:UPSTREAM; }
  }
})";

std::string WithUpstream(std::string config, const FakeUpstream& upstream) {
  config.replace(config.find("UPSTREAM"), 8, std::to_string(upstream.port()));
  return config;
}

FakeUpstream::Script NeverAnswers() {
  return [](FakeUpstream::Peer& peer) {
    peer.ReadRequest();
    peer.WaitForClose();
  };
}

TEST(LimitConn, CountsRequestsInAllWorkersUntilTheyEnd) {
  FakeUpstream upstream(NeverAnswers());
  ProxyProcess proxy("worker_processes 3;" + WithUpstream(kConnections, upstream));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  RawClient first(proxy.port(0));
  RawClient second(proxy.port(0));
  first.Send(request);
  second.Send(request);
  ASSERT_TRUE(Eventually([&] { return upstream.requests().size() == 2; }));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Get(proxy.port(0), "/").status(), 503);
  // The connections that were refused have gone and count no more.
  first.Close();
  RawClient third(proxy.port(0));
  ASSERT_TRUE(proxy.WaitForLog("limiting connections by zone \"one\""));
  ASSERT_TRUE(proxy.WaitForLog(" 499 ", "access.log"));
  third.Send(request);
  ASSERT_TRUE(Eventually([&] { return upstream.requests().size() == 3; }));
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 503);
}

TEST(LimitConn, AWorkersDeathGivesItsCountsBack) {
  FakeUpstream upstream(NeverAnswers());
  ProxyProcess proxy(WithUpstream(kConnections, upstream));
  proxy.AllowAlerts();
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  RawClient first(proxy.port(0));
  RawClient second(proxy.port(0));
  first.Send(request);
  second.Send(request);
  ASSERT_TRUE(Eventually([&] { return upstream.requests().size() == 2; }));
  const std::vector<pid_t> before = proxy.Workers();
  ASSERT_EQ(before.size(), 1u);
  ::kill(before[0], SIGKILL);
  ASSERT_TRUE(Eventually([&] {
    const auto now = proxy.Workers();
    return now.size() == 1 && now[0] != before[0];
  }));
  RawClient third(proxy.port(0));
  third.Send(request);
  EXPECT_TRUE(Eventually([&] { return upstream.requests().size() == 3; }));
}

}  // namespace
}  // namespace framewall::test
