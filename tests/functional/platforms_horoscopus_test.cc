// conf/examples/horoscopus.conf: HTTPS everywhere, CORS by a list, logs as JSON.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/functional/platform_testing.h"
#include "tests/support/certificate.h"
#include "tests/support/fake_upstream.h"

namespace framewall::test {
namespace {

constexpr char kName[] = "horoscopus.example";

constexpr Waiting kWaiting[] = {
    {"HTTP/2 towards browsers", "proxy/http/http2"},
    {"image scanning in CI, set-up by one compose file", "the containers' set-up"},
};

class Horoscopus : public ::testing::Test {
 protected:
  void SetUp() override {
    proxy_ = std::make_unique<ProxyProcess>(
        Example("horoscopus", {{"127.0.0.1:3000", front_end_.address()},
                               {"127.0.0.1:8000", django_.address()},
                               {"listen 80;", "listen 127.0.0.1:%%PORT_0%%;"},
                               {"listen 443 ssl", "listen 127.0.0.1:%%PORT_1%% ssl"},
                               {"127.0.0.1:9180", "127.0.0.1:%%PORT_2%%"}}));
    Certificate::SelfSigned(kName, {kName, "www.horoscopus.example"})
        .Write(proxy_->directory(), std::string("certificates/") + kName);
    proxy_->directory().Write("acme/.well-known/acme-challenge/token", "token.thumbprint");
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }

  HttpMessage Plain(const std::string& path) {
    return Ask(RawClient(proxy_->port(0)), "GET", path, "", "", kName);
  }
  HttpMessage Secure(const std::string& method, const std::string& path,
                     const std::string& headers = "", const std::string& body = "") {
    return Ask(RawClient(proxy_->port(1), TlsClientOptions{.server_name = kName}), method, path,
               headers, body, kName);
  }

  FakeUpstream front_end_{FakeUpstream::Always(
      "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\n<app>")};
  FakeUpstream django_{FakeUpstream::Always(JsonAnswer(
      kRussianJson, "Access-Control-Allow-Origin: *\r\nStrict-Transport-Security: max-age=1\r\n"))};
  std::unique_ptr<ProxyProcess> proxy_;
};

TEST_F(Horoscopus, PlainHttpServesProofsAndLeadsToHttps) {
  const HttpMessage proof = Plain("/.well-known/acme-challenge/token");
  EXPECT_EQ(proof.status(), 200) << proxy_->Output();
  EXPECT_EQ(proof.body, "token.thumbprint");
  EXPECT_EQ(Plain("/.well-known/acme-challenge/other").status(), 404);
  const HttpMessage moved = Plain("/api/v1/signs?day=1");
  EXPECT_EQ(moved.status(), 301);
  EXPECT_EQ(moved.Header("Location"), "https://horoscopus.example/api/v1/signs?day=1");
  EXPECT_EQ(moved.Header("Strict-Transport-Security"), "");
  EXPECT_EQ(django_.requests().size(), 0u);
}

TEST_F(Horoscopus, EveryAnswerOverTlsHasTheHeaders) {
  for (const char* path : {"/", "/api/v1/signs"}) {
    const HttpMessage answer = Secure("GET", path);
    EXPECT_EQ(answer.status(), 200) << proxy_->Output();
    for (const char* name :
         {"Strict-Transport-Security", "X-Content-Type-Options", "Referrer-Policy",
          "X-Frame-Options", "Permissions-Policy", "X-Request-ID"}) {
      EXPECT_EQ(answer.CountHeaders(name), 1u) << name << " of " << path;
    }
    EXPECT_EQ(answer.Header("Strict-Transport-Security"), "max-age=31536000; includeSubDomains");
  }
}

TEST_F(Horoscopus, PreflightsAreAnsweredAtTheEdge) {
  const auto preflight = [&](const std::string& origin) {
    return Secure("OPTIONS", "/api/v1/signs",
                  "Origin: " + origin + "\r\nAccess-Control-Request-Method: POST\r\n" +
                      "Access-Control-Request-Headers: content-type\r\n");
  };
  const HttpMessage ours = preflight("https://www.horoscopus.example");
  EXPECT_EQ(ours.status(), 204);
  EXPECT_EQ(ours.Header("Access-Control-Allow-Origin"), "https://www.horoscopus.example");
  EXPECT_EQ(ours.Header("Access-Control-Allow-Credentials"), "true");
  EXPECT_NE(ours.Header("Access-Control-Allow-Methods").find("POST"), std::string::npos);
  EXPECT_NE(ours.Header("Access-Control-Allow-Headers").find("Content-Type"), std::string::npos);
  EXPECT_EQ(ours.Header("Vary"), "Origin");
  const HttpMessage others = preflight("https://evil.example");
  EXPECT_EQ(others.status(), 403);
  EXPECT_EQ(others.Header("Access-Control-Allow-Origin"), "");
  EXPECT_EQ(django_.requests().size(), 0u);

  const std::string origin = "Origin: https://horoscopus.example\r\n";
  const HttpMessage answer = Secure("GET", "/api/v1/signs", origin);
  EXPECT_EQ(answer.Header("Access-Control-Allow-Origin"), "https://horoscopus.example");
  EXPECT_EQ(answer.CountHeaders("Access-Control-Allow-Origin"), 1u);  // not Django's too
  EXPECT_EQ(answer.body, kRussianJson);
}

TEST_F(Horoscopus, TheIdOfARequestIsInAnswerUpstreamAndLog) {
  const HttpMessage answer = Secure("GET", "/api/v1/signs");
  const std::string id = answer.Header("X-Request-ID");
  EXPECT_EQ(id.size(), 32u);
  ASSERT_EQ(django_.requests().size(), 1u);
  EXPECT_EQ(django_.requests()[0].Header("X-Request-ID"), id);
  EXPECT_EQ(django_.requests()[0].Header("X-Forwarded-Proto"), "https");
  ASSERT_TRUE(proxy_->WaitForLog("\"request_id\":\"" + id + "\"", "access.log"));
  const std::string log = proxy_->Log("access.log");
  EXPECT_EQ(log.front(), '{');
  EXPECT_NE(log.find("\"status\":\"200\""), std::string::npos) << log;
}

TEST_F(Horoscopus, UploadsAreLimitedWithAClearWord) {
  const std::string type = "Content-Type: application/json\r\n";
  const HttpMessage large = Secure("POST", "/api/v1/photos", type + "Content-Length: 10485761\r\n");
  EXPECT_EQ(large.status(), 413);
  EXPECT_EQ(large.Header("Content-Type"), "application/json");
  EXPECT_NE(large.body.find("payload_too_large"), std::string::npos);
  EXPECT_EQ(Secure("POST", "/api/v1/photos", type, kRussianJson).status(), 200);
}

TEST_F(Horoscopus, AttacksReachNobody) {
  EXPECT_EQ(Secure("GET", std::string("/") + kAttackQuery).status(), 403);
  EXPECT_EQ(
      Secure("POST", "/api/v1/signs", "Content-Type: application/json\r\n", kAttackJson).status(),
      403);
  EXPECT_EQ(front_end_.requests().size(), 0u);
  EXPECT_EQ(django_.requests().size(), 0u);
}

TEST_F(Horoscopus, HealthAndMetricsAreForTheMachine) {
  EXPECT_EQ(Get(proxy_->port(2), "/health").status(), 200);
  const HttpMessage metrics = Get(proxy_->port(2), "/metrics");
  EXPECT_NE(metrics.body.find("framewall_http_requests_all_total"), std::string::npos);
  EXPECT_EQ(Secure("GET", "/metrics").body, "<app>");  // the application's path, not ours
}

TEST_F(Horoscopus, WaitsForTheseThings) { Show("horoscopus", kWaiting); }

}  // namespace
}  // namespace framewall::test
