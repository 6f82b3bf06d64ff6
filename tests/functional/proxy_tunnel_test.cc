// Upgraded connections: only what was asked for, and then every octet both ways.
#include <gtest/gtest.h>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"

namespace framewall::test {
namespace {

constexpr char kSwitch[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n";

std::string Config(const FakeUpstream& upstream, const std::string& more = "") {
  return "events {} http { server { listen 127.0.0.1:%%PORT_0%%; location / { proxy_pass http://" +
         upstream.address() +
         "; websocket_other_upgrades pass; proxy_http_version 1.1; proxy_set_header Upgrade "
         "$http_upgrade; "
         "proxy_set_header Connection upgrade; " +
         more + " } } }";
}

std::string Handshake(const std::string& protocol) {
  return "GET /t HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: " + protocol + "\r\n\r\n";
}

// Sends back what comes, until its end.
void Echo(FakeUpstream::Peer& peer) {
  peer.ReadRequest();
  peer.Send(kSwitch);
  while (true) {
    const std::string piece = peer.ReadSome();
    if (piece.empty()) break;
    peer.Send(piece);
  }
  peer.Send("bye");
}

TEST(ProxyTunnel, CarriesBothWaysAndHalfCloses) {
  FakeUpstream upstream(Echo);
  ProxyProcess proxy(Config(upstream));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  // The first octets come with the handshake.
  client.Send(Handshake("echo") + "early ");
  const HttpMessage head = client.ReadResponse(BodyRule::kOnlyHead);
  EXPECT_EQ(head.status(), 101);
  EXPECT_EQ(head.Header("Upgrade"), "echo");
  client.Send("late.");
  EXPECT_NE(client.ReadUntil("early late.").find("early late."), std::string::npos);
  client.ShutdownWrite();
  EXPECT_EQ(client.ReadToEnd(), "bye");
  EXPECT_TRUE(proxy.WaitForLog("\"GET /t HTTP/1.1\" 101 14", "access.log"));
}

TEST(ProxyTunnel, CarriesMuchWithLittleMemory) {
  FakeUpstream upstream(Echo);
  ProxyProcess proxy(Config(upstream));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send(Handshake("echo"));
  ASSERT_EQ(client.ReadResponse(BodyRule::kOnlyHead).status(), 101);
  const std::string piece(65536, 'p');
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(client.Send(piece));
    size_t got = 0;
    while (got < piece.size()) {
      const std::string part = client.wire().ReadSome();
      ASSERT_FALSE(part.empty());
      got += part.size();
    }
  }
}

TEST(ProxyTunnel, WhatWasNotAskedForIs502) {
  FakeUpstream upstream(Echo);
  ProxyProcess proxy(Config(upstream));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 502);
  RawClient other(proxy.port(0));
  other.Send(Handshake("other"));
  EXPECT_EQ(other.ReadResponse().status(), 502);
  EXPECT_TRUE(proxy.WaitForLog("upstream sent 101 without being asked"));
}

TEST(ProxyTunnel, Http2InTheClearIsNeverTunnelled) {
  FakeUpstream upstream(FakeUpstream::Always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  ProxyProcess proxy(Config(upstream));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
      "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status(), 200);
  EXPECT_EQ(upstream.requests().back().CountHeaders("Upgrade"), 0u);
  EXPECT_EQ(upstream.requests().back().CountHeaders("HTTP2-Settings"), 0u);
}

TEST(ProxyTunnel, SilenceEndsIt) {
  FakeUpstream upstream(Echo);
  ProxyProcess proxy(Config(upstream, "proxy_read_timeout 200ms;"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send(Handshake("echo"));
  ASSERT_EQ(client.ReadResponse(BodyRule::kOnlyHead).status(), 101);
  EXPECT_TRUE(client.WaitForClose());
  EXPECT_TRUE(proxy.WaitForLog(
      "upstream timed out (110: Connection timed out) while proxying upgraded connection"));
}

}  // namespace
}  // namespace framewall::test
