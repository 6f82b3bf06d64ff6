// The handshake: what opens a socket, and every known way around that does not.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/functional/websocket_testing.h"

namespace framewall::test {
namespace {

constexpr char kSmuggled[] = "GET /secret HTTP/1.1\r\nHost: localhost\r\n\r\n";

std::string FewRules() {
  return "modsecurity on; modsecurity_rules 'SecRuleEngine On\nSecRequestBodyAccess On\n"
         "SecResponseBodyAccess On\nSecResponseBodyMimeType text/plain\n"
         "SecRule ARGS \"@contains attack\" \"id:1,phase:2,deny,status:403,log\"\n"
         "SecRule RESPONSE_BODY \"@contains secret\" \"id:4,phase:4,deny,status:403,log\"';\n";
}

// "a: b\r\n" with its value replaced, or without the line where `value` is null.
std::string Changed(const std::string& name, const char* value) {
  std::string request = HandshakeRequest();
  const size_t at = request.find(name + ": ");
  const size_t end = request.find("\r\n", at) + 2;
  request.replace(at, end - at, value == nullptr ? "" : name + ": " + value + "\r\n");
  return request + "\r\n";
}

// --- What clients may not send ---

// An upstream that would open a tunnel for anything; it must never see the request.
class RefusedHandshake : public ::testing::Test {
 protected:
  void SetUp() override {
    proxy_ = std::make_unique<ProxyProcess>(
        SocketServer(upstream_, "", "location /secret { deny all; }"));
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }
  void TearDown() override { EXPECT_EQ(upstream_.requests().size(), 0u); }

  // What follows the refused request is a request of its own, judged like any, or nothing at all.
  void Expect(int status, const std::string& request) {
    SCOPED_TRACE(request);
    RawClient client(proxy_->port(0));
    client.Send(request + kSmuggled);
    EXPECT_EQ(client.ReadResponse().status(), status);
    const HttpMessage second = client.ReadResponse();
    EXPECT_TRUE(second.start_line.empty() || second.status() == 403 || second.status() == 400)
        << second.start_line;
  }
  std::string Answer(const std::string& request) {
    RawClient client(proxy_->port(0));
    client.Send(request);
    return client.ReadResponse().raw;
  }

  WebSocketUpstream upstream_;
  std::unique_ptr<ProxyProcess> proxy_;
};

TEST_F(RefusedHandshake, MadeUpVersion) {
  for (const char* version : {"1337", "12", "8", "013", "13, 8", "-13", "", "13.0"}) {
    Expect(426, Changed("Sec-WebSocket-Version", version));
  }
  Expect(426, Changed("Sec-WebSocket-Version", nullptr));
  const std::string twice = Changed("Sec-WebSocket-Version", "13\r\nSec-WebSocket-Version: 1337");
  Expect(426, twice);
  EXPECT_NE(Answer(twice).find("Sec-WebSocket-Version: 13\r\n"), std::string::npos);
  EXPECT_TRUE(
      proxy_->WaitForLog("WebSocket handshake refused: Sec-WebSocket-Version: 13 was expected"));
}

TEST_F(RefusedHandshake, MissingOrWrongKey) {
  for (const char* key : {"", "x", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=A",
                          "dGhlIHNhbXBsZSBub25jZVo=", "dGhlIHNhbXBsZSBub25j",
                          "dGhlIHNhbXBsZSBub25jZR==", "dGhlIHNhbXBsZSBub25jZQ==, a"}) {
    Expect(400, Changed("Sec-WebSocket-Key", key));
  }
  Expect(400, Changed("Sec-WebSocket-Key", nullptr));
  Expect(400, Changed("Sec-WebSocket-Key",
                      (std::string(kClientKey) + "\r\nSec-WebSocket-Key: " + kClientKey).c_str()));
}

TEST_F(RefusedHandshake, Http10) {
  std::string request = HandshakeRequest() + "\r\n";
  request.replace(request.find("HTTP/1.1"), 8, "HTTP/1.0");
  Expect(400, request);
}

TEST_F(RefusedHandshake, WithABody) {
  Expect(400, HandshakeRequest() + "Content-Length: 5\r\n\r\nhello");
  Expect(400, HandshakeRequest() + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  Expect(400, HandshakeRequest() + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
}

TEST_F(RefusedHandshake, OtherMethods) {
  for (const char* method : {"POST", "PUT", "HEAD", "OPTIONS"}) {
    std::string request = HandshakeRequest() + "Content-Length: 0\r\n\r\n";
    request.replace(0, 3, method);
    RawClient client(proxy_->port(0));
    client.Send(request);
    EXPECT_EQ(client.ReadResponse(BodyRule::kOnlyHead).status(), 400) << method;
  }
}

TEST_F(RefusedHandshake, OddSubprotocolsAndExtensions) {
  Expect(400, HandshakeRequest() + "Sec-WebSocket-Protocol: a, b, a\r\n\r\n");
  Expect(400, HandshakeRequest() + "Sec-WebSocket-Protocol: a b\r\n\r\n");
  Expect(400, HandshakeRequest() + "Sec-WebSocket-Protocol:\r\n\r\n");
  Expect(400, HandshakeRequest() + "Sec-WebSocket-Extensions: permessage-deflate; =1\r\n\r\n");
  Expect(400, HandshakeRequest() + "Sec-WebSocket-Extensions: a b\r\n\r\n");
}

// --- What upstreams may not answer ---

class OddAnswer : public ::testing::Test {
 protected:
  using Answer = std::function<std::string(const HttpMessage&)>;

  // The status that the client sees; then it sends more on that connection.
  int Status(const Answer& answer, const std::string& headers = "",
             const std::string& request = "") {
    FakeUpstream upstream([&](FakeUpstream::Peer& peer) {
      const HttpMessage asked = peer.ReadRequest();
      if (!asked.complete) return;
      peer.Send(answer(asked));
      // Everything that came through behind the request.
      for (std::string piece; !(piece = peer.ReadSome()).empty();) behind_ += piece;
    });
    ProxyProcess proxy(
        "events {} http { server { listen 127.0.0.1:%%PORT_0%%; location /secret { "
        "deny all; } location / { " +
        SocketPass(upstream.address()) + " } } }");
    EXPECT_TRUE(proxy.Start()) << proxy.Output();
    RawClient client(proxy.port(0));
    client.Send((request.empty() ? HandshakeRequest() + headers : request) + "\r\n");
    const HttpMessage head = client.ReadResponse();
    client.Send(std::string(kSmuggled) + ClientFrame(kOpText, "smuggled"));
    second_ = client.ReadResponse();
    client.Close();
    log_ = proxy.Log();
    proxy.Quit();
    return head.status();
  }
  void ExpectNothingBehind() {
    EXPECT_EQ(behind_, "");
    EXPECT_TRUE(second_.start_line.empty() || second_.status() == 403) << second_.start_line;
  }

  std::string behind_;
  HttpMessage second_;
  std::string log_;
};

TEST_F(OddAnswer, Status200OpensNoTunnel) {
  EXPECT_EQ(Status([](const HttpMessage& asked) {
              std::string answer = SwitchProtocols(asked, "Content-Length: 2\r\n") + "ok";
              return answer.replace(9, 23, "200 OK");
            }),
            200);
  ExpectNothingBehind();
}

TEST_F(OddAnswer, Status426OpensNoTunnel) {
  EXPECT_EQ(
      Status([](const HttpMessage&) {
        return "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n";
      }),
      426);
  ExpectNothingBehind();
}

TEST_F(OddAnswer, WrongAcceptIs502) {
  const auto with = [](std::string value) {
    return [value = std::move(value)](const HttpMessage&) {
      return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
             value + "\r\n";
    };
  };
  // The answer to the client's key, where ours was asked for.
  const std::string to_client = "Sec-WebSocket-Accept: " + WebSocketAccept(kClientKey) + "\r\n";
  EXPECT_EQ(Status(with(to_client)), 502);
  ExpectNothingBehind();
  EXPECT_NE(log_.find("upstream sent a wrong WebSocket handshake: its Sec-WebSocket-Accept does "
                      "not answer our key"),
            std::string::npos)
      << log_;
  EXPECT_EQ(Status(with("")), 502);
  EXPECT_EQ(Status(with("Sec-WebSocket-Accept: x\r\n")), 502);
  EXPECT_EQ(Status([](const HttpMessage& asked) {
              return SwitchProtocols(asked, "Sec-WebSocket-Accept: " +
                                                WebSocketAccept(asked.Header("Sec-WebSocket-Key")) +
                                                "\r\n");
            }),
            502)
      << "twice";
}

TEST_F(OddAnswer, WrongUpgradeOrConnectionIs502) {
  for (const auto& [from, to] : {std::pair{"Upgrade: websocket\r\n", ""},
                                 {"Upgrade: websocket", "Upgrade: h2c"},
                                 {"Connection: Upgrade\r\n", ""},
                                 {"Connection: Upgrade", "Connection: keep-alive"}}) {
    EXPECT_EQ(Status([from = from, to = to](const HttpMessage& asked) {
                std::string answer = SwitchProtocols(asked);
                return answer.replace(answer.find(from), std::string(from).size(), to);
              }),
              502)
        << to;
    ExpectNothingBehind();
  }
}

TEST_F(OddAnswer, SubprotocolThatWasNotAskedForIs502) {
  const auto with = [](std::string lines) {
    return [lines = std::move(lines)](const HttpMessage& asked) {
      return SwitchProtocols(asked, lines);
    };
  };
  EXPECT_EQ(Status(with("Sec-WebSocket-Protocol: chat\r\n")), 502);
  ExpectNothingBehind();
  const std::string asked = "Sec-WebSocket-Protocol: chat, other\r\n";
  EXPECT_EQ(Status(with("Sec-WebSocket-Protocol: third\r\n"), asked), 502);
  EXPECT_EQ(Status(with("Sec-WebSocket-Protocol: CHAT\r\n"), asked), 502);
  EXPECT_EQ(Status(with("Sec-WebSocket-Protocol: chat, other\r\n"), asked), 502);
}

TEST_F(OddAnswer, ExtensionThatWasNotAskedForIs502) {
  const auto with = [](std::string value) {
    return [value = std::move(value)](const HttpMessage& asked) {
      return SwitchProtocols(asked, "Sec-WebSocket-Extensions: " + value + "\r\n");
    };
  };
  EXPECT_EQ(Status(with("permessage-deflate")), 502);
  ExpectNothingBehind();
  // The client's offer is ours to answer; the upstream was offered nothing.
  EXPECT_EQ(Status(with("permessage-deflate"), kOfferDeflate), 502);
  EXPECT_EQ(Status(with("x-webkit-deflate-frame")), 502);
}

TEST_F(OddAnswer, Status101ToH2cIs502) {
  const auto switches = [](const HttpMessage&) {
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n";
  };
  EXPECT_EQ(Status(switches, "",
                   "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: "
                   "h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"),
            502);
  ExpectNothingBehind();
  EXPECT_EQ(Status(switches, "",
                   "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: unheard-of\r\n"),
            502);
  ExpectNothingBehind();
  EXPECT_EQ(Status(switches, "", "GET / HTTP/1.1\r\nHost: a\r\n"), 502);
  ExpectNothingBehind();
}

// Upgrade without Connection: upgrade is no handshake (RFC 9110 7.8), so no 101 can answer it.
TEST_F(OddAnswer, UpgradeThatIsNoConnectionOptionAsksForNothing) {
  std::string asked_for;
  EXPECT_EQ(Status(
                [&](const HttpMessage& asked) {
                  asked_for = asked.Header("Upgrade");
                  return SwitchProtocols(asked);
                },
                "",
                "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nSec-WebSocket-Version: "
                "13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
            502);
  EXPECT_EQ(asked_for, "");
  ExpectNothingBehind();
}

// --- What goes each way ---

TEST(WebSocketHandshake, IsMadeAnewForTheUpstream) {
  WebSocketUpstream upstream;
  ProxyProcess proxy(SocketServer(upstream, "", "", "worker_processes 2;"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  ASSERT_TRUE(Eventually([&] { return proxy.Workers().size() == 2; }));
  constexpr size_t kSockets = 16;
  for (size_t i = 0; i < kSockets; ++i) {
    WebSocketClient client(
        proxy.port(0), With(std::string(kOfferDeflate) + "Cookie: a=b\r\nOrigin: https://o\r\n"));
    ASSERT_EQ(client.status(), 101);
    EXPECT_EQ(client.answer().Header("Sec-WebSocket-Accept"), WebSocketAccept(kClientKey));
    EXPECT_EQ(client.answer().CountHeaders("Sec-WebSocket-Accept"), 1u);
    EXPECT_EQ(client.answer().Header("Upgrade"), "websocket");
    EXPECT_EQ(client.answer().Header("Sec-WebSocket-Extensions"),
              "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
  }
  std::set<std::string> keys;
  for (const HttpMessage& request : upstream.requests()) {
    EXPECT_EQ(request.start_line, "GET /chat HTTP/1.1");
    EXPECT_EQ(request.Header("Sec-WebSocket-Version"), "13");
    EXPECT_EQ(request.Header("Cookie"), "a=b");
    EXPECT_EQ(request.Header("Origin"), "https://o");
    EXPECT_EQ(request.CountHeaders("Sec-WebSocket-Extensions"), 0u);
    keys.insert(request.Header("Sec-WebSocket-Key"));
  }
  EXPECT_EQ(keys.size(), kSockets);
  EXPECT_EQ(keys.count(kClientKey), 0u);
}

TEST(WebSocketHandshake, MaskKeysAreNeverShared) {
  std::mutex mutex;
  std::vector<std::string> masks;
  WebSocketUpstream upstream([&](WebSocketEnd& end) {
    while (const auto frame = end.ReadFrame()) {
      const std::lock_guard<std::mutex> lock(mutex);
      EXPECT_TRUE(frame->masked);
      masks.push_back(frame->mask);
    }
  });
  ProxyProcess proxy(SocketServer(upstream, "", "", "worker_processes 2;"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  ASSERT_TRUE(Eventually([&] { return proxy.Workers().size() == 2; }));
  constexpr size_t kSockets = 16;
  constexpr size_t kMessages = 20;
  for (size_t i = 0; i < kSockets; ++i) {
    WebSocketClient client(proxy.port(0));
    for (size_t j = 0; j < kMessages; ++j) client->SendText("m");
    ASSERT_TRUE(Eventually([&] {
      const std::lock_guard<std::mutex> lock(mutex);
      return masks.size() >= (i + 1) * kMessages;
    }));
  }
  const std::lock_guard<std::mutex> lock(mutex);
  const std::set<std::string> different(masks.begin(), masks.end());
  // Of 320 random numbers of 32 bits two are equal once in 84,000 runs.
  EXPECT_EQ(different.size(), masks.size());
}

TEST(WebSocketHandshake, IsHttp11WhateverProxyHttpVersionSays) {
  WebSocketUpstream upstream;
  ProxyProcess proxy(
      "events {} http { server { listen 127.0.0.1:%%PORT_0%%; location / { "
      "proxy_pass http://" +
      upstream.address() +
      "; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "
      "\"upgrade\"; } } }");
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  WebSocketClient client(proxy.port(0));
  ASSERT_EQ(client.status(), 101);
  client->SendText("hello");
  EXPECT_EQ(client->Read().payload, "hello");
  EXPECT_EQ(upstream.requests().at(0).start_line, "GET /chat HTTP/1.1");
  const CommandResult tested = proxy.Run({"-t"});
  EXPECT_EQ(tested.exit_code, 0);
  EXPECT_NE(tested.output.find("[warn]"), std::string::npos) << tested.output;
  EXPECT_NE(tested.output.find("proxy_http_version"), std::string::npos) << tested.output;
}

TEST(WebSocketHandshake, WithoutProxySetHeaderUpgradeThereAreNoSockets) {
  FakeUpstream upstream(FakeUpstream::Always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  ProxyProcess proxy(
      "events {} http { server { listen 127.0.0.1:%%PORT_0%%; location / { "
      "proxy_http_version 1.1; proxy_pass http://" +
      upstream.address() + "; } } }");
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(WebSocketClient(proxy.port(0)).status(), 200);
  EXPECT_EQ(upstream.requests().at(0).CountHeaders("Upgrade"), 0u);
}

TEST(WebSocketHandshake, NamesAreCaseBlindAndListsAreLists) {
  WebSocketUpstream upstream;
  ProxyProcess proxy(SocketServer(upstream));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  WebSocketClientOptions options;
  options.request =
      "GET / HTTP/1.1\r\nhost: a\r\nUPGRADE: WebSocket\r\nconnection: keep-alive, UPGRADE\r\n"
      "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  WebSocketClient client(proxy.port(0), options);
  EXPECT_EQ(client.status(), 101);
}

TEST(WebSocketHandshake, FramesInTheSegmentOfTheRequestAreInspected) {
  WebSocketUpstream upstream;
  ProxyProcess proxy(SocketServer(upstream, FewRules()));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  WebSocketClientOptions options;
  options.early = ClientFrame(kOpText, "hello") + ClientFrame(kOpText, "an at", false) +
                  ClientFrame(kOpContinuation, "tack") + ClientFrame(kOpText, "after");
  WebSocketClient client(proxy.port(0), options);
  ASSERT_EQ(client.status(), 101);
  EXPECT_CLOSED_WITH(client.end(), 1008);
  client->SendClose(1008);
  client.raw().Close();
  EXPECT_TRUE(proxy.WaitForLog("received=1/5 ", "access.log")) << proxy.Log("access.log");
  EXPECT_EQ(upstream.messages(), (std::vector<std::string>{"hello"}));
}

TEST(WebSocketHandshake, FramesInTheSegmentOfThe101AreInspected) {
  WebSocketUpstream upstream(WebSocketUpstream::Options{
      .fake = {},
      .headers = {},
      .early = ServerFrame(kOpText, "hello") + ServerFrame(kOpText, "a sec", false) +
               ServerFrame(kOpContinuation, "ret") + ServerFrame(kOpText, "after"),
      .script = {}});
  ProxyProcess proxy(SocketServer(upstream, FewRules()));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  WebSocketClient client(proxy.port(0));
  ASSERT_EQ(client.status(), 101);
  EXPECT_EQ(client->Read().payload, "hello");
  EXPECT_CLOSED_WITH(client.end(), 1008);
  client->SendClose(1008);
  client.raw().Close();
  EXPECT_TRUE(proxy.WaitForLog("sent=1/5 refused=1 code=1008", "access.log"))
      << proxy.Log("access.log");
}

TEST(WebSocketHandshake, NextUpstreamIsAskedWhereOneCannotBeReached) {
  WebSocketUpstream upstream;
  ProxyProcess proxy(
      "events {} http { upstream two { server 127.0.0.1:%%PORT_1%%; server " + upstream.address() +
      "; } server { listen 127.0.0.1:%%PORT_0%%; location / { " + SocketPass("two") + " } } }");
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  for (int i = 0; i < 2; ++i) {
    WebSocketClient client(proxy.port(0));
    ASSERT_EQ(client.status(), 101);
    client->SendText("hello");
    EXPECT_EQ(client->Read().payload, "hello");
  }
}

}  // namespace
}  // namespace framewall::test
