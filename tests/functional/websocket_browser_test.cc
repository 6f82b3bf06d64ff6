// Chromium: a browser always offers permessage-deflate, and is inspected like any other client.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/functional/websocket_testing.h"
#include "tests/support/certificate.h"
#include "tests/support/fake_upstream.h"
#include "tests/support/script.h"

namespace framewall::test {
namespace {

// What the page in clients/browser.html found; empty where it never said.
std::string Report(bool tls) {
  const std::string clients = FW_SOURCE_DIR "/tests/functional/clients/";
  Script server("/usr/bin/python3", {clients + "websocket_server.py"});
  const std::string port = std::to_string(std::atoi(server.Read(false).c_str()));
  EXPECT_NE(port, "0") << "./dev deps test";
  FakeUpstream reports(FakeUpstream::Always("HTTP/1.1 204 No Content\r\n\r\n"));

  const std::string pass = SocketPass("127.0.0.1:" + port);
  ProxyProcess proxy(
      "events {} http { types { text/html html; } server { listen 127.0.0.1:%%PORT_0%%" +
      std::string(tls ? " ssl; ssl_certificate %%DIR%%/edge.crt; ssl_certificate_key "
                        "%%DIR%%/edge.key;"
                      : ";") +
      R"(
      modsecurity on;
      modsecurity_rules '
        SecRuleEngine On
        SecRequestBodyAccess On
        SecRule ARGS "@contains etc/passwd" "id:1,phase:2,deny,status:403,log"
        ';
      location = /browser.html { root )" +
      clients + R"(; }
      location = /report { proxy_pass http://)" +
      reports.address() + "; }\n location /chat { " + pass +
      "}\n location /takeover { websocket_deflate_context_takeover on; " + pass +
      "}\n location /foreign { websocket_origins https://other.example; " + pass + "}\n} }");
  Certificate::SelfSigned("localhost", {"localhost"}).Write(proxy.directory(), "edge");
  EXPECT_TRUE(proxy.Start()) << proxy.Output();

  const std::string home = proxy.directory().path();
  Script browser("/usr/bin/chromium",
                 {"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                  "--disable-background-networking", "--no-first-run",
                  "--ignore-certificate-errors", "--user-data-dir=" + home + "/browser",
                  "--remote-debugging-port=0",  // or it would end with the page's load event
                  std::string(tls ? "https" : "http") +
                      "://localhost:" + std::to_string(proxy.port(0)) + "/browser.html"},
                 {"HOME=" + home, "XDG_CONFIG_HOME=" + home, "XDG_CACHE_HOME=" + home});
  std::string report;
  Eventually(
      [&] {
        const auto requests = reports.requests();
        if (!requests.empty()) report = requests.front().body;
        return !requests.empty();
      },
      std::chrono::seconds(100));
  EXPECT_NE(report, "") << "./dev deps test installs chromium\n"
                        << browser.Read(true, std::chrono::milliseconds(500)) << proxy.Log();
  return report;
}

void ExpectAll(const std::string& report) {
  for (
      const char* part :
      {R"("extensions":"permessage-deflate; server_no_context_takeover; client_no_context_takeover")",
       R"("short":true,"long":true,"again":true,"binary":true)",
       R"("close":{"code":4001,"reason":"до свидания","wasClean":true})",
       R"("takeover":"permessage-deflate")", R"("context":true)", R"("attack":{"code":1008,)",
       R"("foreign":"closed with 1006")"}) {
    EXPECT_NE(report.find(part), report.npos) << part << "\n" << report;
  }
}

TEST(WebSocketBrowser, IsInspectedWithDeflate) { ExpectAll(Report(false)); }

TEST(WebSocketBrowser, IsInspectedWithDeflateOverTls) { ExpectAll(Report(true)); }

}  // namespace
}  // namespace framewall::test
