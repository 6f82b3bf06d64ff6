// conf/examples/codelab.conf: tokens of an OAuth2 server, sockets that live as long as they,
// prompts that hold source code.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/functional/platform_testing.h"
#include "tests/functional/platform_tokens.h"
#include "tests/support/certificate.h"
#include "tests/support/fake_upstream.h"
#include "tests/support/redis_server.h"
#include "tests/support/websocket_peer.h"

namespace framewall::test {
namespace {

constexpr char kName[] = "codelab.example";
constexpr char kPrompt[] =
    R"({"type":"prompt","prompt":"Почему это падает? os.system('rm -rf /tmp/x'); SELECT * FROM users WHERE id=1 OR 1=1 -- <script>alert(1)</script>"})";

constexpr Waiting kWaiting[] = {
    {"Helm chart, disruption budgets, rolling updates", "the containers' set-up"},
};

AccessToken Ann() {
  return {.issuer = "https://codelab.example", .audience = "https://codelab.example/api"};
}

// What the OAuth2 server answers: its keys, and its name elsewhere.
void ServeOauth(FakeUpstream::Peer& peer) {
  for (;;) {
    const HttpMessage request = peer.ReadRequest();
    if (!request.complete) return;
    const bool keys = request.start_line.starts_with("GET /.well-known/jwks.json ");
    peer.Send(JsonAnswer(keys ? Issuer().KeySet() : "\"oauth\""));
  }
}

Replacements Places(const FakeUpstream& oauth, const std::string& gateway,
                    const std::string& redis) {
  return {{"127.0.0.1:8003", oauth.address()},
          {"127.0.0.1:8000", gateway},
          {"127.0.0.1:6379", redis},
          {"listen 80;", "listen 127.0.0.1:%%PORT_0%%;"},
          {"listen 443 ssl", "listen 127.0.0.1:%%PORT_1%% ssl"},
          {"127.0.0.1:9180", "127.0.0.1:%%PORT_2%%"}};
}

HttpMessage SecureTo(const ProxyProcess& proxy, const std::string& method, const std::string& path,
                     const std::string& headers = "", const std::string& body = "") {
  return Ask(RawClient(proxy.port(1), TlsClientOptions{.server_name = kName}), method, path,
             headers, body, kName);
}

class Codelab : public ::testing::Test {
 protected:
  void SetUp() override {
    Replacements places = Places(oauth_, gateway_.address(), redis_.address());
    places.push_back({"127.0.0.1:8080", website_.address()});
    places.push_back({"auth_jwt_leeway 5s", "auth_jwt_leeway 0s"});
    places.push_back({"websocket_ping_interval 30s", "websocket_ping_interval 300ms"});
    // Without Redis, rates are counted here.
    if (HasRedis()) {
      ASSERT_TRUE(redis_.Start()) << redis_.Log();
    }
    proxy_ = std::make_unique<ProxyProcess>(Example("codelab", places));
    Certificate::SelfSigned(kName, {kName})
        .Write(proxy_->directory(), std::string("certificates/") + kName);
    proxy_->directory().Write("secrets/internal-key.conf", "default key-of-a-test;\n");
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }

  HttpMessage Secure(const std::string& method, const std::string& path,
                     const std::string& headers = "", const std::string& body = "") {
    return SecureTo(*proxy_, method, path, headers, body);
  }
  static TlsClientOptions Tls() { return {.server_name = kName}; }
  WebSocketClient Socket(const std::string& headers = "", const AccessToken& token = Ann()) {
    return SocketWith(token.Bearer() + headers);
  }
  WebSocketClient SocketWith(const std::string& headers) {
    WebSocketClientOptions options;
    options.path = "/api/v1/agents";
    options.host = kName;
    options.headers = headers;
    options.tls = Tls();
    return WebSocketClient(proxy_->port(1), options);
  }
  size_t KeysAsked() const {
    size_t asked = 0;
    for (const HttpMessage& request : oauth_.requests()) {
      asked += request.start_line.starts_with("GET /.well-known/jwks.json ") ? 1 : 0;
    }
    return asked;
  }

  FakeUpstream oauth_{ServeOauth};
  WebSocketUpstream gateway_;
  FakeUpstream website_{FakeUpstream::Always(
      "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\n<web>")};
  RedisServer redis_;
  std::unique_ptr<ProxyProcess> proxy_;
};

TEST_F(Codelab, PathsLeadToTheirServices) {
  EXPECT_EQ(Secure("GET", "/oauth/authorize").body, "\"oauth\"") << proxy_->Output();
  EXPECT_EQ(Secure("GET", "/.well-known/jwks.json").body, Issuer().KeySet());
  EXPECT_EQ(Secure("GET", "/docs").body, "<web>");
  EXPECT_EQ(Secure("GET", "/_keys").status(), 404);
  const HttpMessage moved = Ask(RawClient(proxy_->port(0)), "GET", "/docs", "", "", kName);
  EXPECT_EQ(moved.status(), 301);
  EXPECT_EQ(moved.Header("Location"), "https://codelab.example/docs");
  EXPECT_EQ(Get(proxy_->port(2), "/health").status(), 200);
}

TEST_F(Codelab, RequestsAndSocketsNeedATokenOfOurs) {
  AccessToken other_issuer = Ann(), other_audience = Ann(), for_login = Ann(), old = Ann();
  other_issuer.issuer = "https://codelab.example.evil.example";
  other_audience.audience = "https://codelab.example/api2";
  for_login.type = "JWT";
  old.seconds = -1;
  const TokenIssuer stranger;
  const std::string wrong[] = {
      "",
      "Authorization: Basic YW5uOnB3\r\n",
      other_issuer.Bearer(),
      other_audience.Bearer(),
      for_login.Bearer(),
      old.Bearer(),
      "Authorization: Bearer " + Ann().Sign(stranger) + "\r\n",
      "Authorization: Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.\r\n",
  };
  for (const std::string& headers : wrong) {
    const HttpMessage answer = Secure("GET", "/api/v1/models", headers);
    EXPECT_EQ(answer.status(), 401) << headers;
    EXPECT_TRUE(answer.Header("WWW-Authenticate").starts_with("Bearer realm=\"codelab\""));
    EXPECT_EQ(SocketWith(headers).status(), 401) << headers;
  }
  EXPECT_TRUE(gateway_.requests().empty());

  WebSocketClient socket = Socket("X-User: root\r\nX_User: root\r\nX-User-Roles: root\r\n");
  ASSERT_EQ(socket.status(), 101) << proxy_->Output();
  ASSERT_EQ(gateway_.requests().size(), 1u);
  const HttpMessage seen = gateway_.requests()[0];
  EXPECT_EQ(seen.Header("X-User"), "ann");
  EXPECT_EQ(seen.CountHeaders("X-User"), 1u);
  EXPECT_EQ(seen.raw.find("root"), std::string::npos);
  EXPECT_TRUE(seen.Header("Authorization").starts_with("Bearer "));
  // Two workers, a key set each; the stranger's keys have the name of ours.
  EXPECT_GE(KeysAsked(), 1u);
  EXPECT_LE(KeysAsked(), 2u);
  for (const char* log : {"access.log", "error.log", "audit.log"}) {
    EXPECT_EQ(proxy_->CountInLog(seen.Header("Authorization").substr(7), log), 0u) << log;
  }
}

TEST_F(Codelab, ASocketEndsWithItsToken) {
  AccessToken brief = Ann();
  brief.seconds = 3;
  WebSocketClient socket = Socket("", brief);
  WebSocketClient renewed = Socket("", brief);
  ASSERT_EQ(socket.status(), 101) << proxy_->Output();
  ASSERT_EQ(renewed.status(), 101);
  renewed->SendText(R"({"type":"auth","token":")" + Ann().Sign() + "\"}");
  socket->SendText("hello");
  EXPECT_EQ(socket->Read().payload, "hello");
  const WebSocketEvent closed = socket->ReadToClose();
  EXPECT_EQ(closed.code, 4401);
  EXPECT_EQ(closed.payload, "token expired");
  EXPECT_EQ(renewed->Read(std::chrono::milliseconds(1500)).kind, WebSocketEvent::Kind::kSilence);
  renewed->SendText("still here");
  EXPECT_EQ(renewed->Read().payload, "still here");
  EXPECT_EQ(gateway_.messages(), (std::vector<std::string>{"hello", "still here"}));
}

TEST_F(Codelab, TheInternalKeyIsAddedAndNeverAccepted) {
  Secure("GET", "/docs", "X-Internal-Api-Key: stolen\r\n");
  Secure("GET", "/oauth/authorize", "x-internal-api-key: stolen\r\n");
  WebSocketClient socket = Socket("X-Internal-Api-Key: stolen\r\nX_Internal_Api_Key: stolen\r\n");
  ASSERT_EQ(socket.status(), 101) << proxy_->Output();
  ASSERT_EQ(website_.requests().size(), 1u);
  EXPECT_EQ(website_.requests()[0].CountHeaders("X-Internal-Api-Key"), 0u);
  ASSERT_GE(oauth_.requests().size(), 1u);
  for (const HttpMessage& request : oauth_.requests()) {
    EXPECT_EQ(request.CountHeaders("X-Internal-Api-Key"), 0u);  // nor where keys are asked for
  }
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

// Two machines before one Redis.
TEST_F(Codelab, LimitsAreAUsersOverAllMachines) {
  if (!HasRedis()) GTEST_SKIP() << "no redis-server";
  FakeUpstream gateway(FakeUpstream::Always(JsonAnswer("[]")));
  Replacements places = Places(oauth_, gateway.address(), redis_.address());
  // Slow enough that nothing grows back while a test runs.
  places.push_back({"rate=20r/s", "rate=1r/m"});
  places.push_back({"burst=40", "burst=10"});
  ProxyProcess one(Example("codelab", places));
  ProxyProcess two(Example("codelab", places));
  for (ProxyProcess* proxy : {&one, &two}) {
    Certificate::SelfSigned(kName, {kName})
        .Write(proxy->directory(), std::string("certificates/") + kName);
    ASSERT_TRUE(proxy->Start()) << proxy->Output();
  }
  const auto passed = [&](const std::string& headers, int times) {
    int count = 0;
    for (int i = 0; i < times; ++i) {
      const HttpMessage answer = SecureTo(i % 2 == 0 ? one : two, "GET", "/api/v1/models", headers);
      EXPECT_TRUE(answer.status() == 200 || answer.status() == 429) << answer.start_line;
      EXPECT_EQ(answer.CountHeaders("Retry-After"), answer.status() == 429 ? 1u : 0u);
      count += answer.status() == 200 ? 1 : 0;
    }
    return count;
  };
  // A forged one spends nothing of Ann's.
  const TokenIssuer stranger;
  const std::string forged = "Authorization: Bearer " + Ann().Sign(stranger) + "\r\n";
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(SecureTo(one, "GET", "/api/v1/models", forged).status(), 401);
  }
  EXPECT_EQ(passed(Ann().Bearer(), 20), 11) << one.Output();  // the burst and one
  EXPECT_EQ(passed(Ann().Bearer(), 4), 0);                    // a token of the same user
  AccessToken bob = Ann();
  bob.subject = "bob";
  EXPECT_EQ(passed(bob.Bearer(), 4), 4);
  EXPECT_EQ(redis_.Ask({"KEYS", "codelab:*"}).find("ann"), std::string::npos);
  EXPECT_NE(redis_.Ask({"KEYS", "codelab:*"}).find("user"), std::string::npos);
}

// Who brings no token has no name to be counted by.
TEST_F(Codelab, AddressesHaveALimitToo) {
  int refused = 0;
  RawClient client(proxy_->port(1), Tls());
  std::string requests;
  for (int i = 0; i < 400; ++i) {
    requests += "GET /api/v1/models HTTP/1.1\r\nHost: codelab.example\r\n\r\n";
  }
  client.Send(requests);
  for (int i = 0; i < 400; ++i) {
    const int status = client.ReadResponse().status();
    EXPECT_TRUE(status == 401 || status == 429) << status;
    refused += status == 429 ? 1 : 0;
  }
  EXPECT_GT(refused, 0);
}

TEST_F(Codelab, MessagesCountForTheUserNotTheSocket) {
  WebSocketClient first = Socket();
  WebSocketClient second = Socket();
  ASSERT_EQ(first.status(), 101);
  ASSERT_EQ(second.status(), 101);
  int refused = 0;
  for (WebSocketClient* socket : {&first, &second}) {
    for (int i = 0; i < 60; ++i) (*socket)->SendText("m");
  }
  for (WebSocketClient* socket : {&first, &second}) {
    for (int i = 0; i < 60; ++i) {
      const WebSocketEvent answer = (*socket)->Read();
      if (answer.payload.size() == 1) continue;
      EXPECT_EQ(answer.payload, R"({"type":"error","code":"rate"})");
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
}

// Answers of models come piece by piece.
TEST(CodelabStreams, NothingIsHeldBack) {
  FakeUpstream oauth(ServeOauth);
  FakeUpstream gateway([](FakeUpstream::Peer& peer) {
    if (!peer.ReadRequest().complete) return;
    peer.Send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        "Transfer-Encoding: chunked\r\n\r\n9\r\ndata: a\n\n\r\n");
    peer.ReadRequest();  // the rest never comes
  });
  const ReservedPort nobody;  // no Redis: rates are counted here
  ProxyProcess proxy(Example(
      "codelab", Places(oauth, gateway.address(), "127.0.0.1:" + std::to_string(nobody.number()))));
  Certificate::SelfSigned(kName, {kName})
      .Write(proxy.directory(), std::string("certificates/") + kName);
  ASSERT_TRUE(proxy.Start()) << proxy.Output();  // without a key too
  RawClient client(proxy.port(1), {.server_name = kName});
  const std::string prompt = R"json({"prompt":"print('hello')"})json";
  client.Send(
      "POST /api/v1/complete HTTP/1.1\r\nHost: codelab.example\r\nUser-Agent: test\r\n"
      "Accept: */*\r\nContent-Type: application/json\r\n" +
      Ann().Bearer() + "Content-Length: " + std::to_string(prompt.size()) + "\r\n\r\n" + prompt);
  EXPECT_NE(client.ReadUntil("data: a\n\n").find(" 200 OK"), std::string::npos) << proxy.Output();
  ASSERT_EQ(gateway.requests().size(), 1u);
  EXPECT_EQ(gateway.requests()[0].CountHeaders("X-Internal-Api-Key"), 0u);
}

// Without keys nobody is let in, and the rest works.
TEST(CodelabOutage, TheAuthorizationServerIsDown) {
  auto oauth = std::make_unique<FakeUpstream>(ServeOauth);
  FakeUpstream gateway(FakeUpstream::Always(JsonAnswer("[]")));
  const ReservedPort nobody;
  ProxyProcess proxy(Example("codelab", Places(*oauth, gateway.address(),
                                               "127.0.0.1:" + std::to_string(nobody.number()))));
  Certificate::SelfSigned(kName, {kName})
      .Write(proxy.directory(), std::string("certificates/") + kName);
  oauth.reset();
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(SecureTo(proxy, "GET", "/api/v1/models", Ann().Bearer()).status(), 503);
  EXPECT_TRUE(gateway.requests().empty());
  EXPECT_EQ(Get(proxy.port(2), "/health").status(), 200);
}

}  // namespace
}  // namespace framewall::test
