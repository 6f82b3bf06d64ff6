// Which upstream is asked, when again, and over which connection.
#include <gtest/gtest.h>

#include "tests/support/certificate.h"
#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"

namespace framewall::test {
namespace {

constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::string Config(const std::string& upstream, const std::string& location) {
  return "events {} http { upstream u { " + upstream +
         " } server { listen 127.0.0.1:%%PORT_0%%; location / { proxy_pass http://u; "
         "add_header X-Addr $upstream_addr always; add_header X-Status $upstream_status always; " +
         location + " } } }";
}

HttpMessage Post(uint16_t port) {
  RawClient client(port);
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
  return client.ReadResponse();
}

TEST(ProxyUpstream, GoesOnWhereAPeerRefuses) {
  FakeUpstream good(FakeUpstream::Always(kOk));
  const ReservedPort closed;
  const std::string refused = "127.0.0.1:" + std::to_string(closed.number());
  ProxyProcess proxy(Config("server " + refused + "; server " + good.address() + ";", ""));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const HttpMessage response = Get(proxy.port(0), "/");
  EXPECT_EQ(response.status(), 200);
  EXPECT_EQ(response.Header("X-Addr"), refused + ", " + good.address());
  EXPECT_EQ(response.Header("X-Status"), "502, 200");
  EXPECT_TRUE(
      proxy.WaitForLog("connect() failed (111: Connection refused) while connecting to upstream"));
  // A request that has not left is as good as a GET.
  EXPECT_EQ(Post(proxy.port(0)).status(), 200);
}

TEST(ProxyUpstream, SaysWhenNobodyIsLeft) {
  const ReservedPort one;
  const ReservedPort two;
  ProxyProcess proxy(Config("server 127.0.0.1:" + std::to_string(one.number()) +
                                "; server 127.0.0.1:" + std::to_string(two.number()) + ";",
                            ""));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 502);
  const HttpMessage response = Get(proxy.port(0), "/");
  EXPECT_EQ(response.status(), 502);
  EXPECT_EQ(response.Header("X-Addr"), "u");
  EXPECT_TRUE(proxy.WaitForLog("no live upstreams while connecting to upstream"));
}

TEST(ProxyUpstream, RepeatsAPostOnlyWhereItIsTold) {
  FakeUpstream bad([](FakeUpstream::Peer& peer) { peer.ReadRequest(); });
  FakeUpstream good(FakeUpstream::Always(kOk));
  const std::string servers = "server " + bad.address() + "; server " + good.address() + " backup;";
  for (const bool told : {false, true}) {
    ProxyProcess proxy(Config(servers, told ? "proxy_next_upstream error non_idempotent;" : ""));
    ASSERT_TRUE(proxy.Start()) << proxy.Output();
    const HttpMessage response = Post(proxy.port(0));
    EXPECT_EQ(response.status(), told ? 200 : 502);
    if (!told) continue;
    EXPECT_EQ(good.requests().back().body, "body");
  }
}

TEST(ProxyUpstream, AsksTheNextForStatusesThatAreNamed) {
  FakeUpstream busy(FakeUpstream::Always("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"));
  FakeUpstream good(FakeUpstream::Always(kOk));
  ProxyProcess proxy(Config("server " + busy.address() + "; server " + good.address() + " backup;",
                            "proxy_next_upstream http_503;"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const HttpMessage response = Get(proxy.port(0), "/");
  EXPECT_EQ(response.body, "ok");
  EXPECT_EQ(response.Header("X-Status"), "503, 200");
}

TEST(ProxyUpstream, TheLastAnswerPassesWhateverItIs) {
  FakeUpstream busy(FakeUpstream::Always("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"));
  ProxyProcess proxy(Config("server " + busy.address() + ";", "proxy_next_upstream http_503;"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(Get(proxy.port(0), "/").body, "busy");
}

TEST(ProxyUpstream, SilenceIs504) {
  FakeUpstream silent([](FakeUpstream::Peer& peer) {
    peer.ReadRequest();
    peer.WaitForClose();
  });
  ProxyProcess proxy(Config("server " + silent.address() + ";", "proxy_read_timeout 100ms;"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 504);
  EXPECT_TRUE(
      proxy.WaitForLog("upstream timed out (110: Connection timed out) while reading "
                       "response header from upstream"));
}

TEST(ProxyUpstream, KeepsConnectionsAndDropsTheDead) {
  FakeUpstream upstream([](FakeUpstream::Peer& peer) {
    // Three requests a connection, then it closes without a word.
    for (int i = 0; i < 3; ++i) {
      if (!peer.ReadRequest().complete) return;
      peer.Send(kOk);
    }
  });
  ProxyProcess proxy(Config("server " + upstream.address() + "; keepalive 2;",
                            "proxy_http_version 1.1; proxy_set_header Connection \"\";"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  for (int i = 0; i < 12; ++i) EXPECT_EQ(Get(proxy.port(0), "/").status(), 200) << i;
  EXPECT_EQ(upstream.connections(), 4);
}

TEST(ProxyUpstream, AConnectionThatDiesUnderARequestIsTriedAnew) {
  FakeUpstream upstream([](FakeUpstream::Peer& peer) {
    peer.ReadRequest();
    peer.Send(kOk);
    // It takes another request and closes: a race that every keep-alive has.
    if (peer.number() == 0) {
      peer.ReadRequest();
    } else {
      while (peer.ReadRequest().complete) peer.Send(kOk);
    }
  });
  ProxyProcess proxy(Config("server " + upstream.address() + "; keepalive 2;",
                            "proxy_http_version 1.1; proxy_set_header Connection \"\";"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 200);
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 200);
  EXPECT_EQ(upstream.connections(), 2);
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 200);
}

TEST(ProxyUpstream, ReachesUnixSocketsAndNamesWithVariables) {
  TempDir directory;
  FakeUpstream::Options options;
  options.unix_path = directory.File("socket");
  FakeUpstream upstream(FakeUpstream::Always(kOk), options);
  ProxyProcess proxy(R"(events {} http {
    upstream u { server unix:)" +
                     options.unix_path + R"(; }
    server { listen 127.0.0.1:%%PORT_0%%;
      location /block { proxy_pass http://u; }
      location /direct { proxy_pass http://unix:)" +
                     options.unix_path + R"(:/x; }
      location /name { set $where u; proxy_pass http://$where; }
      location /unknown { set $where nobody.invalid; proxy_pass http://$where; }
    } })");
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(Get(proxy.port(0), "/block").status(), 200);
  EXPECT_EQ(Get(proxy.port(0), "/direct").status(), 200);
  EXPECT_EQ(upstream.requests().back().start_line, "GET /x HTTP/1.0");
  EXPECT_EQ(Get(proxy.port(0), "/name").status(), 200);
  EXPECT_EQ(Get(proxy.port(0), "/unknown").status(), 502);
  EXPECT_TRUE(proxy.WaitForLog("no resolver defined to resolve nobody.invalid"));
}

TEST(ProxyUpstream, ChecksCertificates) {
  TempDir directory;
  const Certificate authority = Certificate::Authority("ca");
  authority.Write(directory, "ca");
  authority.Issue("right.example", {"right.example"}).Write(directory, "server");
  FakeUpstream::Options options;
  options.certificate_file = directory.File("server.crt");
  options.key_file = directory.File("server.key");
  FakeUpstream upstream(FakeUpstream::Always(kOk), options);
  const std::string pass = "proxy_pass https://" + upstream.address() +
                           "; proxy_ssl_verify on; proxy_ssl_trusted_certificate " +
                           directory.File("ca.crt") + "; proxy_ssl_name ";
  ProxyProcess proxy("events {} http { server { listen 127.0.0.1:%%PORT_0%%; location /right { " +
                     pass + "right.example; } location /wrong { " + pass + "wrong.example; } } }");
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(Get(proxy.port(0), "/right").status(), 200);
  EXPECT_EQ(Get(proxy.port(0), "/wrong").status(), 502);
  EXPECT_TRUE(proxy.WaitForLog("upstream SSL certificate does not match \"wrong.example\""));
}

TEST(ProxyUpstream, AClientThatLeavesTakesTheRequestAlong) {
  FakeUpstream upstream([](FakeUpstream::Peer& peer) {
    peer.ReadRequest();
    EXPECT_TRUE(peer.WaitForClose());
  });
  ProxyProcess proxy(Config("server " + upstream.address() + ";", ""));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  {
    RawClient client(proxy.port(0));
    client.Send("GET /gone HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_TRUE(Eventually([&] { return upstream.requests().size() == 1; }));
  }
  EXPECT_TRUE(proxy.WaitForLog("\"GET /gone HTTP/1.1\" 499", "access.log"));
}

}  // namespace
}  // namespace framewall::test
