// conf/examples/sbs.conf: probes, traces, and what only those inside may ask.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/functional/platform_testing.h"
#include "tests/support/fake_upstream.h"

namespace framewall::test {
namespace {

constexpr Waiting kWaiting[] = {
    {"a ready dashboard", "backend and dashboards"},
    {"one command brings up the whole ring; signed, scanned images", "the containers' set-up"},
    {"traces sent to a collector (only traceparent is passed on and made)", "OpenTelemetry"},
};

class Sbs : public ::testing::Test {
 protected:
  void SetUp() override {
    backend_ = std::make_unique<FakeUpstream>(FakeUpstream::Always(JsonAnswer("{\"ok\":true}")));
    proxy_ = std::make_unique<ProxyProcess>(
        Example("sbs", {{"127.0.0.1:8000", backend_->address()},
                        {"listen 8080", "listen 127.0.0.1:%%PORT_0%%"},
                        {"include ../snippets/inside-only.conf", "allow 127.0.0.2; deny all"}}));
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }

  HttpMessage Outside(const std::string& path, const std::string& headers = "") {
    return Ask(RawClient(proxy_->port(0)), "GET", path, headers);
  }
  HttpMessage Inside(const std::string& method, const std::string& path) {
    return Ask(RawClient::To("127.0.0.1", proxy_->port(0), "127.0.0.2"), method, path);
  }

  std::unique_ptr<FakeUpstream> backend_;
  std::unique_ptr<ProxyProcess> proxy_;
};

TEST_F(Sbs, GatewayAndBackendAnswerTheSameProbes) {
  EXPECT_EQ(Outside("/health").body, "{\"status\":\"ok\"}\n");
  EXPECT_EQ(backend_->requests().size(), 0u);
  EXPECT_EQ(Outside("/ready").status(), 200) << proxy_->Output();
  ASSERT_EQ(backend_->requests().size(), 1u);
  EXPECT_EQ(backend_->requests()[0].start_line, "GET /health HTTP/1.1");
  EXPECT_EQ(Outside("/version").status(), 200);
  backend_.reset();
  EXPECT_EQ(Outside("/health").status(), 200);  // it lives
  const HttpMessage ready = Outside("/ready");
  EXPECT_EQ(ready.status(), 503);
  EXPECT_EQ(ready.body, "{\"status\":\"backend does not answer\"}\n");
}

TEST_F(Sbs, TracesGoOnOrBeginHere) {
  const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  Outside("/version", "traceparent: " + trace + "\r\ntracestate: a=b\r\n");
  Outside("/version", "traceparent: nonsense\r\n");
  Outside("/version");
  const auto seen = backend_->requests();
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[0].Header("traceparent"), trace);
  EXPECT_EQ(seen[0].Header("tracestate"), "a=b");
  for (size_t i = 1; i < 3; ++i) {
    const std::string made = seen[i].Header("traceparent");
    const std::string id = seen[i].Header("X-Request-ID");
    EXPECT_EQ(made, "00-" + id + "-" + id.substr(0, 16) + "-01");
    EXPECT_EQ(seen[i].CountHeaders("traceparent"), 1u);
  }
}

TEST_F(Sbs, AdministrationIsForThoseInside) {
  for (const char* path :
       {"/settings/log_level", "/nats/test", "/redis/test", "/metrics", "/gateway/metrics",
        "/test-workflow", "//settings/log_level", "/settings%2flog_level", "/x/../metrics"}) {
    EXPECT_EQ(Outside(path).status(), 403) << path;
  }
  EXPECT_EQ(Ask(RawClient(proxy_->port(0)), "POST", "/test-workflow").status(), 403);
  EXPECT_EQ(backend_->requests().size(), 0u);
  EXPECT_EQ(Inside("GET", "/settings/log_level").status(), 200) << proxy_->Output();
  EXPECT_EQ(Inside("GET", "/nats/test").status(), 200);
  EXPECT_EQ(Inside("GET", "/metrics").body, "{\"ok\":true}");
  EXPECT_NE(Inside("GET", "/gateway/metrics").body.find("framewall_"), std::string::npos);
}

TEST_F(Sbs, AttacksReachNobodyAndRussianPasses) {
  EXPECT_EQ(Outside(std::string("/version") + kAttackQuery).status(), 403);
  EXPECT_EQ(backend_->requests().size(), 0u);
  EXPECT_EQ(PostJson(proxy_->port(0), "/notes", kRussianJson).status(), 200) << proxy_->Output();
}

TEST_F(Sbs, WaitsForTheseThings) { Show("sbs", kWaiting); }

}  // namespace
}  // namespace framewall::test
