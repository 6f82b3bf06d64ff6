// conf/examples/builder.conf: pages of a second nginx, Django, Channels and Ollama behind the
// rules.
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "tests/functional/platform_testing.h"
#include "tests/support/fake_upstream.h"
#include "tests/support/websocket_peer.h"

namespace framewall::test {
namespace {

constexpr char kNginx[] = "/usr/sbin/nginx";

constexpr Waiting kWaiting[] = {
    {"HTTP/2 towards browsers", "proxy/http/http2"},
    {"compose file with depends_on: healthy", "the containers' set-up"},
};

// Django: its API, and the view that knows tokens.
void ServeDjango(FakeUpstream::Peer& peer) {
  for (;;) {
    const HttpMessage request = peer.ReadRequest();
    if (!request.complete) return;
    if (!request.start_line.starts_with("GET /api/v1/auth/check/ ")) {
      peer.Send(JsonAnswer(kRussianJson));
      continue;
    }
    std::string user;
    for (const char* name : {"ann", "bob"}) {
      if (request.Header("Authorization") == std::string("Token of-") + name) user = name;
    }
    peer.Send(user.empty() ? "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Token\r\n"
                             "Content-Length: 0\r\n\r\n"
                           : "HTTP/1.1 204 No Content\r\nX-User: " + user + "\r\n\r\n");
  }
}

class Builder : public ::testing::Test {
 protected:
  void SetUp() override {
    proxy_ = std::make_unique<ProxyProcess>(Example(
        "builder", {{"127.0.0.1:8081", front_end_.address()},
                    {"127.0.0.1:8000", django_.address()},
                    {"127.0.0.1:8001", channels_.address()},
                    {"127.0.0.1:11434", ollama_.address()},
                    {"listen 8080", "listen 127.0.0.1:%%PORT_0%%"},
                    // So that there is an outside on the loopback.
                    {"include ../snippets/inside-only.conf", "allow 127.0.0.2; deny all"}}));
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }
  uint16_t port() const { return proxy_->port(0); }

  FakeUpstream front_end_{FakeUpstream::Always(
      "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nX-Frame-Options: SAMEORIGIN\r\n"
      "Content-Length: 5\r\n\r\n<app>")};
  FakeUpstream django_{ServeDjango};
  WebSocketUpstream channels_;
  FakeUpstream ollama_{[](FakeUpstream::Peer& peer) {
    for (;;) {
      const HttpMessage request = peer.ReadRequest();
      if (!request.complete) return;
      if (request.start_line.find("/api/generate") == std::string::npos) {
        peer.Send(JsonAnswer("{\"models\":[]}"));
        continue;
      }
      peer.Send(
          "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
          "Transfer-Encoding: chunked\r\n\r\n10\r\n{\"response\":\"a\"}\r\n");
      peer.ReadRequest();  // the rest never comes: nobody may wait for it
      return;
    }
  }};
  std::unique_ptr<ProxyProcess> proxy_;
};

TEST_F(Builder, PagesHaveTheHeadersOfTheEdge) {
  const HttpMessage page = Ask(RawClient(port()), "GET", "/projects/42");
  EXPECT_EQ(page.status(), 200) << proxy_->Output();
  EXPECT_EQ(page.body, "<app>");
  EXPECT_EQ(page.Header("X-Frame-Options"), "DENY");
  EXPECT_EQ(page.CountHeaders("X-Frame-Options"), 1u);
  EXPECT_EQ(page.Header("X-Content-Type-Options"), "nosniff");
}

TEST_F(Builder, TheApiIsToldOfItsClientAndSpeaksRussian) {
  const HttpMessage answer = PostJson(port(), "/api/v1/messages/", kRussianJson);
  EXPECT_EQ(answer.status(), 200) << proxy_->Output();
  EXPECT_EQ(answer.body, kRussianJson);
  ASSERT_EQ(django_.requests().size(), 1u);
  const HttpMessage seen = django_.requests()[0];
  EXPECT_EQ(seen.start_line, "POST /api/v1/messages/ HTTP/1.1");
  EXPECT_EQ(seen.body, kRussianJson);
  EXPECT_EQ(seen.Header("X-Real-IP"), "127.0.0.1");
  EXPECT_EQ(seen.Header("Host"), "localhost");
  EXPECT_EQ(seen.Header("X-Request-ID").size(), 32u);
  EXPECT_TRUE(proxy_->WaitForLog(seen.Header("X-Request-ID"), "access.log"));
  for (const char* method : {"PUT", "PATCH", "DELETE"}) {
    EXPECT_EQ(Ask(RawClient(port()), method, "/api/v1/messages/1",
                  "Content-Type: application/json\r\n", "{}")
                  .status(),
              200)
        << method;
  }
}

TEST_F(Builder, AttacksReachNobody) {
  EXPECT_EQ(Ask(RawClient(port()), "GET", std::string("/") + kAttackQuery).status(), 403);
  EXPECT_EQ(PostJson(port(), "/api/v1/messages/", kAttackJson).status(), 403);
  WebSocketClient client(port(), {.path = "/ws/chat/"});
  ASSERT_EQ(client.status(), 101) << proxy_->Output();
  client->SendText(kAttackJson);
  const WebSocketEvent closed = client->ReadToClose();
  EXPECT_EQ(closed.kind, WebSocketEvent::Kind::kClose);
  EXPECT_EQ(closed.code, 1008);
  EXPECT_EQ(front_end_.requests().size(), 0u);
  EXPECT_EQ(django_.requests().size(), 0u);
  EXPECT_TRUE(channels_.messages().empty());
  EXPECT_EQ(proxy_->directory().Read("audit.log").empty(), false);
}

TEST_F(Builder, SocketsAreForThisSiteAndForApplications) {
  const auto open = [&](const std::string& headers) {
    WebSocketClientOptions options;
    options.path = "/ws/chat/";
    options.headers = headers;
    return WebSocketClient(port(), options);
  };
  EXPECT_EQ(open("Origin: http://localhost\r\n").status(), 101);
  EXPECT_EQ(open("Origin: https://evil.example\r\n").status(), 403);
  WebSocketClient app = open("");  // Android and iOS send none
  ASSERT_EQ(app.status(), 101);
  app->SendText(kRussianJson);
  EXPECT_EQ(app->Read().payload, kRussianJson);
}

TEST_F(Builder, UploadsPassUpToTheirLimit) {
  const std::string boundary = "----framewall";
  const std::string head =
      "--" + boundary +
      "\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"photo.png\"\r\n"
      "Content-Type: image/png\r\n\r\n";
  const std::string type = "Content-Type: multipart/form-data; boundary=" + boundary + "\r\n";
  const std::string body = head + std::string(1 << 20, 'p') + "\r\n--" + boundary + "--\r\n";
  EXPECT_EQ(Ask(RawClient(port()), "POST", "/api/v1/photos/", type, body).status(), 200)
      << proxy_->Output();
  const HttpMessage large =
      Ask(RawClient(port()), "POST", "/api/v1/photos/", type + "Content-Length: 11000000\r\n");
  EXPECT_EQ(large.status(), 413);
  EXPECT_EQ(large.Header("Content-Type"), "application/json");
  EXPECT_NE(large.body.find("\"error\":\"payload_too_large\""), std::string::npos) << large.body;
  EXPECT_EQ(django_.requests().size(), 1u);
}

TEST_F(Builder, AnswersHealthChecksAndShowsMetricsInside) {
  const HttpMessage health = Ask(RawClient(port()), "GET", "/health");
  EXPECT_EQ(health.status(), 200);
  EXPECT_EQ(health.body, "{\"status\":\"ok\"}\n");
  EXPECT_EQ(Ask(RawClient(port()), "GET", "/metrics").status(), 403);
  const HttpMessage metrics =
      Ask(RawClient::To("127.0.0.1", port(), "127.0.0.2"), "GET", "/metrics");
  EXPECT_EQ(metrics.status(), 200);
  EXPECT_NE(metrics.body.find("framewall_http_requests_all_total"), std::string::npos);
  EXPECT_EQ(front_end_.requests().size(), 0u);
}

TEST_F(Builder, TheModelIsBehindATokenOfDjangos) {
  const std::string prompt = R"({"model":"m","prompt":"Напиши заголовок для сайта пекарни"})";
  for (const char* wrong : {"", "Authorization: Token stolen\r\n", "Cookie: sessionid=ann\r\n",
                            "X-User: ann\r\n", "Authorization: Basic YW5uOm1vZGVs\r\n"}) {
    const HttpMessage refused = PostJson(port(), "/ollama/api/generate", prompt, wrong);
    EXPECT_EQ(refused.status(), 401) << wrong;
    EXPECT_EQ(refused.Header("WWW-Authenticate"), "Token");
  }
  EXPECT_EQ(
      Ask(RawClient(port()), "GET", "/_model_token", "Authorization: Token of-ann\r\n").status(),
      404);
  EXPECT_EQ(ollama_.requests().size(), 0u);
  RawClient client(port());
  client.Send(
      "POST /ollama/api/generate HTTP/1.1\r\nHost: localhost\r\nUser-Agent: test\r\n"
      "Accept: */*\r\nContent-Type: application/json\r\nAuthorization: Token of-ann\r\n"
      "Cookie: sessionid=ann\r\nX-User: root\r\nX_User: root\r\nContent-Length: " +
      std::to_string(prompt.size()) + "\r\n\r\n" + prompt);
  // The first piece comes while the answer is not over.
  EXPECT_NE(client.ReadUntil("{\"response\":\"a\"}").find(" 200 OK"), std::string::npos)
      << proxy_->Output();
  ASSERT_EQ(ollama_.requests().size(), 1u);
  const HttpMessage seen = ollama_.requests()[0];
  EXPECT_EQ(seen.start_line, "POST /api/generate HTTP/1.1");
  EXPECT_EQ(seen.body, prompt);
  EXPECT_EQ(seen.CountHeaders("Authorization") + seen.CountHeaders("Cookie"), 0u);
  EXPECT_EQ(seen.Header("X-User"), "ann");
  EXPECT_EQ(seen.raw.find("root"), std::string::npos) << seen.raw;
  // The view sees no body, no cookie, and what was asked for.
  for (const HttpMessage& check : django_.requests()) {
    EXPECT_EQ(check.start_line, "GET /api/v1/auth/check/ HTTP/1.1");
    EXPECT_EQ(check.body, "");
    EXPECT_EQ(check.CountHeaders("Cookie") + check.CountHeaders("X-User"), 0u);
    EXPECT_EQ(check.Header("X-Original-URI"), "/ollama/api/generate");
  }
}

TEST_F(Builder, TheModelHasLimitsByUserAndByAddress) {
  const auto ask = [&](const std::string& source, const std::string& token) {
    return Ask(RawClient::To("127.0.0.1", port(), source), "GET", "/ollama/api/tags",
               "Authorization: Token " + token + "\r\n")
        .status();
  };
  // One and the burst of five, from wherever; another user is not touched by it.
  int passed = 0;
  for (int i = 0; i < 8; ++i) {
    passed += ask("127.0.1." + std::to_string(i + 1), "of-ann") == 200 ? 1 : 0;
  }
  EXPECT_GE(passed, 6);
  EXPECT_LE(passed, 7);  // a slow machine: one has grown back
  EXPECT_EQ(ask("127.0.1.1", "of-bob"), 200) << proxy_->Output();
  // Guessing counts by address, and Django is asked no more than that.
  const size_t asked = django_.requests().size();
  int refused = 0;
  for (int i = 0; i < 20; ++i) refused += ask("127.0.2.1", "guess") == 429 ? 1 : 0;
  EXPECT_GE(refused, 7);
  EXPECT_LE(django_.requests().size() - asked, 13u);
}

TEST_F(Builder, WithoutDjangoNobodyReachesTheModel) {
  proxy_.reset();
  const ReservedPort nobody;
  ProxyProcess proxy(
      Example("builder", {{"127.0.0.1:8000", "127.0.0.1:" + std::to_string(nobody.number())},
                          {"127.0.0.1:11434", ollama_.address()},
                          {"listen 8080", "listen 127.0.0.1:%%PORT_0%%"}}));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(
      Ask(RawClient(proxy.port(0)), "GET", "/ollama/api/tags", "Authorization: Token of-ann\r\n")
          .status(),
      500);
  EXPECT_EQ(ollama_.requests().size(), 0u);
}

TEST_F(Builder, WaitsForTheseThings) { Show("builder", kWaiting); }

// The front end is a second nginx, which knows that unknown paths are the application's.
TEST(BuilderPages, DeepLinksAreTheApplications) {
  if (::access(kNginx, X_OK) != 0) GTEST_SKIP() << "no nginx";
  ProxyProcess nginx(
      "events {} http { server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/app;"
      " location / { try_files $uri /index.html; } } }",
      kNginx);
  nginx.directory().Write("app/index.html", "<title>Строитель</title>");
  nginx.directory().Write("app/assets/a.js", "let a;");
  ASSERT_TRUE(nginx.Start()) << nginx.Output();
  ProxyProcess proxy(
      Example("builder", {{"127.0.0.1:8081", "127.0.0.1:" + std::to_string(nginx.port(0))},
                          {"listen 8080", "listen 127.0.0.1:%%PORT_0%%"}}));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const auto get = [&](const std::string& path) {
    return Ask(RawClient(proxy.port(0)), "GET", path).body;
  };
  EXPECT_EQ(get("/"), "<title>Строитель</title>");
  EXPECT_EQ(get("/projects/42/edit"), "<title>Строитель</title>");
  EXPECT_EQ(get("/assets/a.js"), "let a;");
}

}  // namespace
}  // namespace framewall::test
