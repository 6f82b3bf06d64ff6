// conf/framewall.conf before a stand-in that tells what reached it: who may come in, what the rules
// see, what limits count and what logs keep. backend_gateway_test.cc has the real backend.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/functional/gateway_testing.h"
#include "tests/functional/platform_tokens.h"
#include "tests/support/fake_upstream.h"
#include "tests/support/websocket_peer.h"

namespace framewall::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kAnn[] = "Authorization: Bearer fw_ann0123456789\r\n";
constexpr char kBob[] = "Authorization: Bearer fw_bob0123456789\r\n";
constexpr char kAttack[] = "1' UNION SELECT login, password FROM users -- ";
constexpr char kRoom[] = "/api/v1/rooms/0192f3a1-7c3e-7d4f-9a00-1f2e3d4c5b6a/messages";
constexpr char kConversation[] =
    "/api/v1/conversations/0192f3a1-7c3e-7d4f-9a00-1f2e3d4c5b6a/messages";

std::string Chat(const std::string& content, const std::string& more = "") {
  return "{\"model\":\"echo\",\"messages\":[{\"role\":\"user\",\"content\":" + content + "}]" +
         more + "}";
}

class GatewayConfiguration : public ::testing::Test {
 protected:
  void SetUp() override { Begin("127.0.0.1:" + std::to_string(backend_.port())); }

  void Begin(const std::string& backend_address, const Replacements& more = {}) {
    proxy_ = std::make_unique<ProxyProcess>(GatewayConf(backend_address, "%%DIR%%/page", more));
    WriteCertificate(proxy_->directory());
    proxy_->directory().Write("page/index.html", "<title>Комнаты</title>");
    proxy_->directory().Write("page/code/main.js", "let a;");
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }

  uint16_t port() const { return proxy_->port(0); }
  HttpMessage Post(const std::string& path, const std::string& json,
                   const std::string& headers = kAnn) {
    return PostJson(port(), path, json, headers);
  }
  // What reached the backend, the gateway's own questions aside.
  std::vector<HttpMessage> Seen() const {
    std::vector<HttpMessage> seen = backend_.requests();
    std::erase_if(seen, [](const HttpMessage& request) {
      return request.start_line.starts_with("GET /internal/auth ") ||
             request.start_line.starts_with("GET /.well-known/jwks.json ");
    });
    return seen;
  }

  void Serve(FakeUpstream::Peer& peer) {
    for (;;) {
      const HttpMessage request = peer.ReadRequest();
      if (!request.complete) return;
      const auto asks = [&request](const std::string& what) {
        return request.start_line.starts_with(what);
      };
      if (asks("GET /internal/auth ")) {
        const std::string who = request.Header("Authorization");
        const std::string user = who.starts_with("Bearer fw_ann")   ? "ann"
                                 : who.starts_with("Bearer fw_bob") ? "bob"
                                                                    : "";
        peer.Send(user.empty() ? "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer "
                                 "error=\"invalid_token\"\r\nContent-Length: 0\r\n\r\n"
                               : "HTTP/1.1 204 No Content\r\nX-Auth-User: " + user + "\r\n\r\n");
      } else if (asks("GET /.well-known/jwks.json ")) {
        peer.Send(JsonAnswer(Issuer().KeySet()));
      } else if (asks("GET /ws/")) {
        peer.Send(SwitchProtocols(request));
        WebSocketEnd end(peer.wire(), false);
        for (;;) {
          const WebSocketEvent event = end.Read();
          if (event.kind == WebSocketEvent::Kind::kClose) end.SendClose(event.code);
          if (event.kind != WebSocketEvent::Kind::kText) return;
          {
            const std::lock_guard lock(mutex_);
            messages_.push_back(event.payload);
          }
          end.SendText("{\"type\":\"message\",\"text\":\"" + said_ + "\"}");
        }
      } else if (request.body.find("\"stream\":true") != std::string::npos) {
        StreamEvents(peer);
      } else {
        peer.Send(JsonAnswer(request.body.empty() ? "{\"ok\":true}" : request.body));
      }
    }
  }

  // An event is sent when the one before has arrived.
  void StreamEvents(FakeUpstream::Peer& peer) {
    peer.Send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
        "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < kEvents; ++i) {
      if (!Eventually([this, i] { return arrived_ >= i || ending_; }) || ending_) return;
      const std::string event = "data: {\"n\":" + std::to_string(i) + "}\n\n";
      char size[8];
      std::snprintf(size, sizeof(size), "%zx\r\n", event.size());
      sent_at_ = Clock::now().time_since_epoch().count();
      peer.Send(size + event + "\r\n");
    }
    peer.Send("0\r\n\r\n");
  }

  void TearDown() override { ending_ = true; }

  static constexpr int kEvents = 50;
  std::mutex mutex_;
  std::vector<std::string> messages_;
  std::string said_ = "You have an error in your SQL syntax; check the manual";
  std::atomic<int> arrived_ = 0;
  std::atomic<Clock::rep> sent_at_ = 0;
  std::atomic<bool> ending_ = false;
  FakeUpstream backend_{[this](FakeUpstream::Peer& peer) { Serve(peer); }};
  std::unique_ptr<ProxyProcess> proxy_;
};

TEST_F(GatewayConfiguration, PageComesWithItsPolicy) {
  for (const char* path : {"/", "/index.html", "/code/main.js"}) {
    const HttpMessage page = Ask(RawClient(port()), "GET", path);
    EXPECT_EQ(page.status(), 200) << path << proxy_->Output();
    EXPECT_EQ(page.Header("Content-Security-Policy"), "default-src 'self'; frame-ancestors 'none'");
    EXPECT_EQ(page.Header("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(page.Header("X-Frame-Options"), "DENY");
  }
  EXPECT_EQ(Ask(RawClient(port()), "GET", "/").body, "<title>Комнаты</title>");
  EXPECT_EQ(Ask(RawClient(port()), "GET", "/code/main.js").Header("Content-Type"),
            "text/javascript");
  EXPECT_EQ(Ask(RawClient(port()), "GET", "/nothing").status(), 404);
  EXPECT_EQ(Ask(RawClient(port()), "GET", std::string("/") + kAttackQuery).status(), 403);
  EXPECT_TRUE(backend_.requests().empty());
}

TEST_F(GatewayConfiguration, ModelsWantSomebodyWhomTheBackendKnows) {
  const std::string body = Chat("\"Hello\"");
  for (const char* headers :
       {"", "Authorization: Bearer fw_stolen\r\n", "Authorization: Basic YW5uOng=\r\n",
        "X-Auth-User: ann\r\n", "Cookie: refresh=fw_ann0123456789\r\n"}) {
    for (const char* path : {"/v1/chat/completions", "/ollama/api/chat", "/api/chat"}) {
      const HttpMessage refused = Post(path, body, headers);
      EXPECT_EQ(refused.status(), 401) << path << headers;
      EXPECT_EQ(refused.Header("WWW-Authenticate"), "Bearer error=\"invalid_token\"");
      EXPECT_EQ(refused.Header("Content-Type"), "application/json");
    }
  }
  EXPECT_NE(Post("/v1/chat/completions", body, "").body.find("\"code\":\"unauthorized\""),
            std::string::npos);
  EXPECT_TRUE(Post("/api/chat", body, "").body.starts_with("{\"error\":\"Log in"));
  EXPECT_TRUE(Seen().empty());
  EXPECT_EQ(Post("/v1/chat/completions", body).body, body);
  EXPECT_EQ(Post("/ollama/api/chat", body).body, body);
  EXPECT_EQ(Seen().size(), 2u);
  // No cookie and no body goes along with the question.
  for (const HttpMessage& request : backend_.requests()) {
    if (!request.start_line.starts_with("GET /internal/auth ")) continue;
    EXPECT_EQ(request.body + request.Header("Cookie") + request.Header("X-Auth-User"), "");
  }
}

TEST_F(GatewayConfiguration, TokensAreVerifiedHere) {
  const AccessToken right{.issuer = "http://localhost:8080", .audience = "framewall"};
  const auto me = [&](const std::string& headers) {
    return Ask(RawClient(port()), "GET", "/api/v1/me", headers).status();
  };
  AccessToken expired = right;
  expired.seconds = -60;
  AccessToken foreign = right;
  foreign.issuer = "https://evil.example";
  AccessToken other = right;
  other.audience = "another";
  AccessToken refresh = right;
  refresh.type = "rt+jwt";
  for (const AccessToken& wrong : {expired, foreign, other, refresh}) {
    EXPECT_EQ(me(wrong.Bearer()), 401) << wrong.Bearer();
  }
  const TokenIssuer stranger;
  EXPECT_EQ(me("Authorization: Bearer " + right.Sign(stranger) + "\r\n"), 401);
  EXPECT_EQ(me("Authorization: Bearer eyJhbGciOiJub25lIn0.e30.\r\n"), 401);
  EXPECT_EQ(me(""), 401);
  EXPECT_TRUE(Seen().empty());
  EXPECT_EQ(me(right.Bearer()), 200) << proxy_->Output();
  EXPECT_EQ(me(kAnn), 200) << "a key is the backend's to judge";
  EXPECT_EQ(Seen().size(), 2u);
  const HttpMessage refused = Ask(RawClient(port()), "GET", "/api/v1/me");
  EXPECT_EQ(refused.Header("Content-Type"), "application/problem+json");
  EXPECT_NE(refused.body.find("\"status\":401,\"code\":\"unauthorized\""), std::string::npos)
      << refused.body;
  EXPECT_FALSE(refused.Header("WWW-Authenticate").empty());
  // Who logs in has none yet.
  for (const char* path : {"/api/v1/login", "/api/v1/register", "/api/v1/refresh"}) {
    EXPECT_EQ(Post(path, "{}", "").status(), 200) << path;
  }
  EXPECT_EQ(Ask(RawClient(port()), "GET", "/api/v1/site").status(), 200);
}

TEST_F(GatewayConfiguration, IdentityIsNotBelievedFromOutside) {
  std::string forged;
  for (const char* name : {"User", "Name", "Role", "Kind", "Key", "Session", "Scope"}) {
    forged += std::string("X-Auth-") + name + ": root\r\nX_Auth_" + name + ": root\r\n";
  }
  forged +=
      "X-User: root\r\nX-Forwarded-User: root\r\nX-Real-IP: 10.0.0.1\r\nX-Request-ID: root\r\n";
  EXPECT_EQ(Post("/v1/chat/completions", Chat("\"Hi\""), kAnn + forged).status(), 200);
  EXPECT_EQ(Post("/api/v1/login", "{}", forged).status(), 200);
  EXPECT_EQ(Ask(RawClient(port()), "GET", "/api/v1/me", kAnn + forged).status(), 200);
  WebSocketClient socket(port(), {.path = "/ws/chat", .headers = forged});
  EXPECT_EQ(socket.status(), 101);
  ASSERT_EQ(Seen().size(), 4u);
  for (const HttpMessage& request : backend_.requests()) {
    EXPECT_EQ(request.raw.find("root"), std::string::npos) << request.raw;
    EXPECT_EQ(request.raw.find("10.0.0.1"), std::string::npos) << request.raw;
  }
  for (const HttpMessage& request : Seen()) EXPECT_EQ(request.Header("X-Real-IP"), "127.0.0.1");
}

TEST_F(GatewayConfiguration, WhatIsInsideStaysInside) {
  for (const char* path : {"/internal/auth", "/internal/", "/internal/x", "/%69nternal/auth",
                           "//internal/auth", "/x/../internal/auth", "/internal//auth", "/_account",
                           "/_key", "/_token_keys", "/_problem"}) {
    EXPECT_EQ(Ask(RawClient(port()), "GET", path, kAnn).status(), 404) << path;
  }
  for (const char* path : {"/metrics", "/metrics/backend", "/version"}) {
    EXPECT_EQ(Ask(RawClient(port()), "GET", path, kAnn).status(), 403) << path;
  }
  EXPECT_TRUE(backend_.requests().empty());
  const auto inside = [&](const std::string& path) {
    return Ask(RawClient::To("127.0.0.1", port(), "127.0.0.2"), "GET", path);
  };
  EXPECT_NE(inside("/metrics").body.find("framewall_http_requests_all_total"), std::string::npos);
  EXPECT_EQ(inside("/metrics/backend").status(), 200);
  ASSERT_EQ(Seen().size(), 1u);
  // The backend takes it for one of this machine's.
  EXPECT_EQ(Seen()[0].start_line, "GET /metrics HTTP/1.1");
  EXPECT_EQ(Seen()[0].Header("X-Real-IP") + Seen()[0].Header("X-Forwarded-For"), "");
  for (const char* path : {"/health", "/ready"}) {
    EXPECT_EQ(Ask(RawClient(port()), "GET", path).status(), 200) << path;
    EXPECT_EQ(Seen().back().Header("X-Real-IP"), "127.0.0.1") << "details are not for outside";
  }
}

TEST_F(GatewayConfiguration, PromptsPassAndAnswersComeBack) {
  const std::vector<std::string> prompts = Prompts();
  EXPECT_GE(prompts.size(), 100u);
  const AccessToken ann{.issuer = "http://localhost:8080", .audience = "framewall"};
  size_t number = 0;
  for (const std::string& prompt : prompts) {
    // From two addresses and to three doors, so that limits are no matter.
    const std::string body = Chat(prompt);
    const std::string key = number % 2 == 0 ? kAnn : kBob;
    const std::string path = number % 4 < 2 ? "/v1/chat/completions" : "/ollama/api/chat";
    const HttpMessage answer = Post(path, body, key);
    EXPECT_EQ(answer.status(), 200) << prompt;
    EXPECT_EQ(answer.body, body);
    if (number % 5 == 0) {
      const HttpMessage said = Post(kConversation, "{\"text\":" + prompt + "}", ann.Bearer());
      EXPECT_EQ(said.status(), 200) << prompt;
    }
    ++number;
  }
  EXPECT_EQ(proxy_->directory().Read("audit.log"), "");
}

TEST_F(GatewayConfiguration, AttacksElsewhereReachNobody) {
  const std::string attack = std::string("\"") + kAttack + "\"";
  const HttpMessage refused = Post("/v1/chat/completions", Chat("\"Hi\"", ",\"user\":" + attack));
  EXPECT_EQ(refused.status(), 403);
  EXPECT_NE(refused.body.find("\"type\":\"permission_error\""), std::string::npos) << refused.body;
  EXPECT_EQ(Post(std::string("/v1/chat/completions") + kAttackQuery, Chat("\"Hi\"")).status(), 403);
  EXPECT_EQ(Post("/v1/chat/completions", Chat("\"Hi\""),
                 kAnn + std::string("Referer: ") + kAttack + "\r\n")
                .status(),
            403);
  EXPECT_EQ(
      Post("/ollama/api/generate", "{\"prompt\":\"Hi\",\"template\":" + attack + "}").status(),
      403);
  EXPECT_EQ(Post(kConversation, "{\"text\":\"Hi\",\"client_id\":" + attack + "}").status(), 403);
  const HttpMessage said = Post(kRoom, "{\"text\":" + attack + "}");
  EXPECT_EQ(said.status(), 403);
  EXPECT_EQ(said.Header("Content-Type"), "application/problem+json");
  EXPECT_NE(said.body.find("\"code\":\"refused\""), std::string::npos) << said.body;
  EXPECT_EQ(Post("/api/v1/login", "{\"name\":" + attack + ",\"password\":\"x\"}", "").status(),
            403);
  EXPECT_TRUE(Seen().empty());
  // The same words to a model are prose.
  EXPECT_EQ(Post(kConversation, "{\"text\":" + attack + "}").status(), 200);
  EXPECT_EQ(Post("/api/v1/login", "{\"name\":\"ann\",\"password\":" + attack + "}", "").status(),
            200);
}

TEST_F(GatewayConfiguration, LongPromptsPassAndNothingElseIsLong) {
  const std::string long_text = "\"" + std::string(11 * 1024 * 1024, 'a') + "\"";
  const std::string longish = "\"" + std::string(140 * 1024, 'a') + "\"";
  EXPECT_EQ(Post("/v1/chat/completions", Chat(long_text)).status(), 200) << proxy_->Output();
  EXPECT_EQ(Post("/api/generate", "{\"prompt\":" + long_text + "}").status(), 200);
  const HttpMessage refused = Post("/v1/chat/completions", Chat("\"Hi\"", ",\"user\":" + longish));
  EXPECT_EQ(refused.status(), 413);
  EXPECT_NE(refused.body.find("\"code\":\"too_large\""), std::string::npos) << refused.body;
  EXPECT_EQ(Post("/v1/models", Chat(longish)).status(), 413);
  EXPECT_EQ(
      Post("/v1/chat/completions", Chat("\"" + std::string(12 * 1024 * 1024, 'a') + "\"")).status(),
      413);
  // Elsewhere bodies are as short as ever.
  EXPECT_EQ(Post(kRoom, "{\"text\":" + longish + "}").status(), 400);
  EXPECT_EQ(Post("/api/v1/login", "{\"name\":\"" + std::string(17000, 'a') + "\"}", "").status(),
            413);
  EXPECT_EQ(Seen().size(), 2u);
}

TEST_F(GatewayConfiguration, StreamsPassEventByEvent) {
  RawClient client(port());
  const std::string body = Chat("\"Hi\"", ",\"stream\":true");
  client.Send(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nUser-Agent: test\r\n"
      "Accept: */*\r\nContent-Type: application/json\r\n" +
      std::string(kAnn) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  ASSERT_NE(client.ReadUntil("\r\n\r\n").find(" 200 OK"), std::string::npos) << proxy_->Output();
  std::vector<double> microseconds;
  for (int i = 0; i < kEvents; ++i) {
    const std::string event = "{\"n\":" + std::to_string(i) + "}\n\n";
    ASSERT_NE(client.ReadUntil(event).find(event), std::string::npos) << "event " << i;
    const Clock::time_point sent{Clock::duration(sent_at_.load())};
    microseconds.push_back(std::chrono::duration<double, std::micro>(Clock::now() - sent).count());
    ++arrived_;
  }
  std::sort(microseconds.begin(), microseconds.end());
  std::printf(
      "[ MEASURED ] from the backend's event to the client's: median %.0f us, worst %.0f us\n",
      microseconds[kEvents / 2], microseconds.back());
  EXPECT_LT(microseconds[kEvents / 2], 50000);
}

TEST_F(GatewayConfiguration, ModelsAreLimitedByAccountOverAddresses) {
  const auto ask = [&](const std::string& source, const std::string& key) {
    return Ask(RawClient::To("127.0.0.1", port(), source), "GET", "/v1/models", key);
  };
  int passed = 0;
  HttpMessage last;
  for (int i = 0; i < 70; ++i) {
    last = ask("127.0.1." + std::to_string(i % 2 + 1), kAnn);
    passed += last.status() == 200 ? 1 : 0;
  }
  EXPECT_GE(passed, 61);
  EXPECT_LE(passed, 66);  // a slow machine: some have grown back
  EXPECT_EQ(last.status(), 429);
  EXPECT_NE(last.body.find("\"type\":\"rate_limit_error\""), std::string::npos) << last.body;
  EXPECT_FALSE(last.Header("Retry-After").empty());
  EXPECT_EQ(ask("127.0.1.1", kBob).status(), 200);
}

TEST_F(GatewayConfiguration, TheApiIsLimitedByTheTokensAccount) {
  AccessToken ann{.issuer = "http://localhost:8080", .audience = "framewall"};
  AccessToken bob = ann;
  bob.subject = "bob";
  // Two tokens of one account, from two addresses.
  const std::string tokens[] = {ann.Bearer(), (ann.seconds = 1800, ann.Bearer())};
  const auto me = [&](int i, const std::string& bearer) {
    return Ask(RawClient::To("127.0.0.1", port(), "127.0.1." + std::to_string(i % 2 + 1)), "GET",
               "/api/v1/me", bearer)
        .status();
  };
  const Clock::time_point begin = Clock::now();
  int passed = 0;
  for (int i = 0; i < 150; ++i) passed += me(i, tokens[i % 2]) == 200 ? 1 : 0;
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  EXPECT_GE(passed, 61);
  EXPECT_LE(passed, 62 + 20 * seconds);
  EXPECT_EQ(me(0, bob.Bearer()), 200);
  // A forged token spends nobody's budget.
  const TokenIssuer stranger;
  EXPECT_EQ(me(0, "Authorization: Bearer " + bob.Sign(stranger) + "\r\n"), 401);
}

TEST_F(GatewayConfiguration, LogInIsLimitedByAddress) {
  const auto log_in = [&](const std::string& source) {
    return Ask(RawClient::To("127.0.0.1", port(), source), "POST", "/api/v1/login",
               "Content-Type: application/json\r\n", "{\"name\":\"ann\",\"password\":\"guess\"}")
        .status();
  };
  int passed = 0;
  for (int i = 0; i < 30; ++i) passed += log_in("127.0.1.1") == 200 ? 1 : 0;
  EXPECT_GE(passed, 21);
  EXPECT_LE(passed, 24);
  EXPECT_EQ(log_in("127.0.1.2"), 200);
}

TEST_F(GatewayConfiguration, SocketsAreJudgedMessageByMessage) {
  WebSocketClientOptions page;
  page.path = "/ws/chat?ticket=abcdef0123456789";
  page.headers = "Origin: http://localhost\r\n";
  WebSocketClient client(port(), page);
  ASSERT_EQ(client.status(), 101) << proxy_->Output();
  client->SendText(kRussianJson);
  // What somebody quotes closes nobody's socket.
  EXPECT_NE(client->Read().payload.find(said_), std::string::npos);
  client->SendText(std::string("{\"type\":\"message\",\"text\":\"") + kAttack + "\"}");
  const WebSocketEvent closed = client->ReadToClose();
  EXPECT_EQ(closed.kind, WebSocketEvent::Kind::kClose);
  EXPECT_EQ(closed.code, 1008);
  {
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(messages_, std::vector<std::string>{kRussianJson});
  }
  WebSocketClientOptions evil = page;
  evil.headers = "Origin: https://evil.example\r\n";
  EXPECT_EQ(WebSocketClient(port(), evil).status(), 403);
  WebSocketClientOptions program;
  program.path = "/ws/chat";
  program.headers = kAnn;
  WebSocketClient binary(port(), program);
  ASSERT_EQ(binary.status(), 101);
  binary->SendBinary("abc");
  EXPECT_EQ(binary->ReadToClose().code, 1003);
}

TEST_F(GatewayConfiguration, NoLogHasTicketsKeysPasswordsOrPrompts) {
  const std::string attack = std::string("\"") + kAttack + "\"";
  // A prompt, in requests that pass and in one that is refused for something else.
  const std::string prompt = "\"zebra prompt; cat /etc/passwd <script>\"";
  EXPECT_EQ(Post("/v1/chat/completions", Chat(prompt)).status(), 200);
  EXPECT_EQ(Post("/v1/chat/completions", Chat(prompt, ",\"user\":" + attack)).status(), 403);
  EXPECT_EQ(Post(kConversation, "{\"text\":" + prompt + ",\"client_id\":" + attack + "}").status(),
            403);
  EXPECT_EQ(Post("/v1/chat/completions", Chat("\"zebra\"") + "zebra").status(), 400);
  EXPECT_EQ(Post("/v1/chat/completions", "{\"messages\":[{\"content\":\"zebra \\x\"}]}").status(),
            400);
  // A message in a room, refused itself: where, not what.
  EXPECT_EQ(Post(kRoom, std::string("{\"text\":\"walrus ") + kAttack + "\"}").status(), 403);
  WebSocketClient client(port(), {.path = "/ws/chat?ticket=giraffe0123456789", .headers = ""});
  ASSERT_EQ(client.status(), 101);
  client->SendText(std::string("{\"type\":\"message\",\"text\":\"walrus ") + kAttack + "\"}");
  EXPECT_EQ(client->ReadToClose().code, 1008);
  EXPECT_EQ(WebSocketClient(port(), {.path = std::string("/ws/chat") + kAttackQuery +
                                             "&ticket=giraffe0123456789"})
                .status(),
            403);
  EXPECT_EQ(Post("/api/v1/login", "{\"name\":" + attack + ",\"password\":\"hippopotamus 12\"}", "")
                .status(),
            403);
  EXPECT_TRUE(proxy_->WaitForLog("/api/v1/login", "access.log"));
  EXPECT_TRUE(proxy_->WaitForLog("ticket=***", "access.log"));
  const std::string logs = AllLogs(proxy_->directory());
  for (const char* secret : {"zebra", "walrus", "giraffe", "hippopotamus", "fw_ann"}) {
    const size_t at = logs.find(secret);
    EXPECT_EQ(at, std::string::npos) << secret << ": " << logs.substr(at < 300 ? 0 : at - 300, 600);
  }
  // Which rule, which member and where in it is told.
  const std::string audit = proxy_->directory().Read("audit.log");
  EXPECT_NE(audit.find("\"ruleId\":\"942100\""), std::string::npos) << audit;
  EXPECT_NE(audit.find("found within ARGS:json.user"), std::string::npos) << audit;
  EXPECT_NE(audit.find("found within ARGS:json.text: ***"), std::string::npos) << audit;
  EXPECT_NE(audit.find("\"reference\":\"v"), std::string::npos) << audit;
}

// Bodies are in a record where its parts are asked for, prompts where their line is taken out too;
// keys never.
TEST_F(GatewayConfiguration, PromptsAreInTheAuditLogWhereTheyAreAskedFor) {
  const std::string attack = std::string("\"") + kAttack + "\"";
  const std::string prompt = "\"zebra prompt; cat /etc/passwd <script>\"";
  const std::string mask =
      "modsecurity_audit_mask_fields text content prompt input instructions default;";
  for (const bool masked : {true, false}) {
    proxy_ = nullptr;
    Begin("127.0.0.1:" + std::to_string(backend_.port()),
          {{mask, std::string(masked ? mask : "") +
                      "\n    modsecurity_rules 'SecAuditLogParts ABCFHZ';"}});
    const std::pair<const char*, std::string> doors[] = {
        {"/v1/chat/completions", Chat(prompt, ",\"user\":" + attack)},
        {"/v1/responses", "{\"input\":" + prompt + ",\"user\":" + attack + "}"},
        {"/v1/responses",
         "{\"instructions\":" + prompt + ",\"input\":\"Hi\",\"user\":" + attack + "}"},
        {"/v1/embeddings", "{\"input\":[" + prompt + "],\"user\":" + attack + "}"},
        {"/api/chat", Chat(prompt, ",\"keep_alive\":" + attack)},
        {"/ollama/api/generate", "{\"prompt\":" + prompt + ",\"keep_alive\":" + attack + "}"},
        {kConversation, "{\"text\":" + prompt + ",\"client_id\":" + attack + "}"},
    };
    size_t records = 0;
    for (const auto& [path, body] : doors) {
      ASSERT_EQ(Post(path, body).status(), 403) << path << proxy_->Output();
      ++records;
      std::string audit;
      ASSERT_TRUE(Eventually([&] {
        audit = proxy_->directory().Read("audit.log");
        return static_cast<size_t>(std::count(audit.begin(), audit.end(), '\n')) >= records;
      }));
      const size_t line = audit.rfind('\n', audit.size() - 2);
      const std::string record = audit.substr(line == audit.npos ? 0 : line + 1);
      EXPECT_NE(record.find("\"ruleId\":\"942100\""), record.npos) << path << record;
      EXPECT_NE(record.find("\"reference\":\"v"), record.npos) << path << record;
      EXPECT_EQ(record.find("zebra") != record.npos, !masked) << path << record;
      EXPECT_EQ(record.find("fw_ann"), record.npos) << path << record;
    }
  }
}

TEST_F(GatewayConfiguration, WithoutTheBackendItSaysSo) {
  proxy_.reset();
  const ReservedPort nobody;
  Begin("127.0.0.1:" + std::to_string(nobody.number()));
  EXPECT_EQ(Ask(RawClient(port()), "GET", "/").status(), 200);
  EXPECT_EQ(Ask(RawClient(port()), "GET", "/health").status(), 502);
  const HttpMessage problem = Post("/api/v1/login", "{}", "");
  EXPECT_EQ(problem.status(), 502);
  EXPECT_NE(problem.body.find("\"code\":\"unavailable\""), std::string::npos) << problem.body;
  const HttpMessage model = Post("/v1/chat/completions", Chat("\"Hi\""));
  EXPECT_EQ(model.status(), 500);
  EXPECT_TRUE(model.body.starts_with("{\"error\":{")) << model.body;
  const AccessToken token{.issuer = "http://localhost:8080", .audience = "framewall"};
  EXPECT_GE(Ask(RawClient(port()), "GET", "/api/v1/me", token.Bearer()).status(), 500);
}

}  // namespace
}  // namespace framewall::test
