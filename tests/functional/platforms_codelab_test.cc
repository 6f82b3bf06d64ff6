// conf/examples/codelab.conf: OAuth2, sockets that live long, prompts that hold source code.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/functional/platform_testing.h"
#include "tests/support/certificate.h"
#include "tests/support/fake_upstream.h"
#include "tests/support/websocket_peer.h"

namespace framewall::test {
namespace {

constexpr char kName[] = "codelab.example";
constexpr char kPrompt[] =
    R"({"type":"prompt","prompt":"Почему это падает? os.system('rm -rf /tmp/x'); SELECT * FROM users WHERE id=1 OR 1=1 -- <script>alert(1)</script>"})";

constexpr Waiting kWaiting[] = {
    {"JWT through JWKS for requests and sockets", "auth_jwt, auth_jwt_key_request"},
    {"sockets closed when a token ends", "auth_jwt"},
    {"limits per user over Redis", "verified claims, zones over Redis"},
    {"Helm chart, disruption budgets, rolling updates", "the containers' set-up"},
};

class Codelab : public ::testing::Test {
 protected:
  void SetUp() override {
    proxy_ = std::make_unique<ProxyProcess>(
        Example("codelab", {{"127.0.0.1:8003", oauth_.address()},
                            {"127.0.0.1:8000", gateway_.address()},
                            {"127.0.0.1:8080", website_.address()},
                            {"listen 80;", "listen 127.0.0.1:%%PORT_0%%;"},
                            {"listen 443 ssl", "listen 127.0.0.1:%%PORT_1%% ssl"},
                            {"127.0.0.1:9180", "127.0.0.1:%%PORT_2%%"},
                            {"websocket_ping_interval 30s", "websocket_ping_interval 300ms"}}));
    Certificate::SelfSigned(kName, {kName})
        .Write(proxy_->directory(), std::string("certificates/") + kName);
    proxy_->directory().Write("secrets/internal-key.conf", "default key-of-a-test;\n");
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }

  HttpMessage Secure(const std::string& method, const std::string& path,
                     const std::string& headers = "", const std::string& body = "") {
    return Ask(RawClient(proxy_->port(1), Tls()), method, path, headers, body, kName);
  }
  static TlsClientOptions Tls() { return {.server_name = kName}; }
  WebSocketClient Socket(const std::string& headers = "") {
    WebSocketClientOptions options;
    options.path = "/api/v1/agents";
    options.host = kName;
    options.headers = headers;
    options.tls = Tls();
    return WebSocketClient(proxy_->port(1), options);
  }

  FakeUpstream oauth_{FakeUpstream::Always(JsonAnswer("{\"keys\":[]}"))};
  WebSocketUpstream gateway_;
  FakeUpstream website_{FakeUpstream::Always(
      "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\n<web>")};
  std::unique_ptr<ProxyProcess> proxy_;
};

TEST_F(Codelab, PathsLeadToTheirServices) {
  EXPECT_EQ(Secure("GET", "/oauth/authorize").body, "{\"keys\":[]}") << proxy_->Output();
  EXPECT_EQ(Secure("GET", "/.well-known/jwks.json").body, "{\"keys\":[]}");
  EXPECT_EQ(Secure("GET", "/docs").body, "<web>");
  const HttpMessage moved = Ask(RawClient(proxy_->port(0)), "GET", "/docs", "", "", kName);
  EXPECT_EQ(moved.status(), 301);
  EXPECT_EQ(moved.Header("Location"), "https://codelab.example/docs");
  EXPECT_EQ(Get(proxy_->port(2), "/health").status(), 200);
}

TEST_F(Codelab, TheInternalKeyIsAddedAndNeverAccepted) {
  Secure("GET", "/docs", "X-Internal-Api-Key: stolen\r\n");
  Secure("GET", "/oauth/authorize", "x-internal-api-key: stolen\r\n");
  WebSocketClient socket = Socket("X-Internal-Api-Key: stolen\r\nX_Internal_Api_Key: stolen\r\n");
  ASSERT_EQ(socket.status(), 101) << proxy_->Output();
  ASSERT_EQ(website_.requests().size(), 1u);
  EXPECT_EQ(website_.requests()[0].CountHeaders("X-Internal-Api-Key"), 0u);
  ASSERT_EQ(oauth_.requests().size(), 1u);
  EXPECT_EQ(oauth_.requests()[0].CountHeaders("X-Internal-Api-Key"), 0u);
  ASSERT_EQ(gateway_.requests().size(), 1u);
  EXPECT_EQ(gateway_.requests()[0].Header("X-Internal-Api-Key"), "key-of-a-test");
  EXPECT_EQ(gateway_.requests()[0].raw.find("stolen"), std::string::npos);
  EXPECT_EQ(socket.answer().raw.find("key-of-a-test"), std::string::npos);
}

TEST_F(Codelab, SourceCodeInAPromptIsNoAttackElsewhereItIs) {
  WebSocketClient socket = Socket();
  ASSERT_EQ(socket.status(), 101);
  socket->SendText(kPrompt);
  EXPECT_EQ(socket->Read().payload, kPrompt) << proxy_->Log();
  socket->SendText(R"({"type":"rename","name":"<script>alert(document.cookie)</script>"})");
  const WebSocketEvent closed = socket->ReadToClose();
  EXPECT_EQ(closed.kind, WebSocketEvent::Kind::kClose);
  EXPECT_EQ(closed.code, 1008);
  // Outside of the API no field is excepted.
  EXPECT_EQ(Secure("POST", "/oauth/token", "Content-Type: application/json\r\n", kPrompt).status(),
            403);
}

TEST_F(Codelab, SocketsSurviveReloadsAndHearTheHeart) {
  WebSocketClient socket = Socket("Origin: https://codelab.example\r\n");
  ASSERT_EQ(socket.status(), 101);
  socket->SendText("before");
  EXPECT_EQ(socket->Read().payload, "before");
  ASSERT_TRUE(proxy_->Reload());
  EXPECT_EQ(Secure("GET", "/docs").status(), 200);
  const size_t pings = socket->pings.size();
  EXPECT_EQ(socket->Read(std::chrono::milliseconds(1500)).kind, WebSocketEvent::Kind::kSilence);
  EXPECT_GT(socket->pings.size(), pings);
  socket->SendText("after");
  EXPECT_EQ(socket->Read().payload, "after");
  EXPECT_EQ(Socket("Origin: https://evil.example\r\n").status(), 403);
}

TEST_F(Codelab, AttacksReachNobody) {
  EXPECT_EQ(Secure("GET", std::string("/") + kAttackQuery).status(), 403);
  EXPECT_EQ(website_.requests().size(), 0u);
}

TEST_F(Codelab, TheAuthorizationServerIsNotStormed) {
  // All at once, on one connection: far more than the burst and what seconds allow.
  RawClient client(proxy_->port(1), Tls());
  std::string requests;
  for (int i = 0; i < 100; ++i) {
    requests +=
        "GET /oauth/authorize HTTP/1.1\r\nHost: codelab.example\r\nUser-Agent: test\r\n"
        "Accept: */*\r\n\r\n";
  }
  client.Send(requests);
  int refused = 0;
  for (int i = 0; i < 100; ++i) {
    if (client.ReadResponse().status() == 429) ++refused;
  }
  EXPECT_GT(refused, 0);
}

TEST_F(Codelab, WaitsForTheseThings) { Show("codelab", kWaiting); }

// Answers of models come piece by piece.
TEST(CodelabStreams, NothingIsHeldBack) {
  FakeUpstream gateway([](FakeUpstream::Peer& peer) {
    if (!peer.ReadRequest().complete) return;
    peer.Send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        "Transfer-Encoding: chunked\r\n\r\n9\r\ndata: a\n\n\r\n");
    peer.ReadRequest();  // the rest never comes
  });
  ProxyProcess proxy(Example("codelab", {{"127.0.0.1:8000", gateway.address()},
                                         {"listen 80;", "listen 127.0.0.1:%%PORT_0%%;"},
                                         {"listen 443 ssl", "listen 127.0.0.1:%%PORT_1%% ssl"},
                                         {"127.0.0.1:9180", "127.0.0.1:%%PORT_2%%"}}));
  Certificate::SelfSigned(kName, {kName})
      .Write(proxy.directory(), std::string("certificates/") + kName);
  ASSERT_TRUE(proxy.Start()) << proxy.Output();  // without a key too
  RawClient client(proxy.port(1), {.server_name = kName});
  const std::string prompt = R"json({"prompt":"print('hello')"})json";
  client.Send(
      "POST /api/v1/complete HTTP/1.1\r\nHost: codelab.example\r\nUser-Agent: test\r\n"
      "Accept: */*\r\nContent-Type: application/json\r\nContent-Length: " +
      std::to_string(prompt.size()) + "\r\n\r\n" + prompt);
  EXPECT_NE(client.ReadUntil("data: a\n\n").find(" 200 OK"), std::string::npos) << proxy.Output();
  ASSERT_EQ(gateway.requests().size(), 1u);
  EXPECT_EQ(gateway.requests()[0].CountHeaders("X-Internal-Api-Key"), 0u);
}

}  // namespace
}  // namespace framewall::test
