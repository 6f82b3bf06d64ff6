// conf/snippets/: each does what its first line says, and nothing in conf/ is a secret.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "proxy/base/regex.h"
#include "tests/functional/platform_testing.h"
#include "tests/support/certificate.h"
#include "tests/support/fake_upstream.h"

namespace framewall::test {
namespace {

constexpr char kSnippets[] = FW_SOURCE_DIR "/conf/snippets/";

std::string Include(const std::string& name) {
  return "include " + (kSnippets + name) + ".conf;\n";
}

// `http` and `server` beside a server on PORT_0.
std::string Server(const std::string& http, const std::string& server) {
  return "events {}\nhttp {\n" + http + "server { listen 127.0.0.1:%%PORT_0%%;\n" + server +
         "} }\n";
}

// --- CORS ---

class Cors : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const std::string pass = "proxy_pass http://" + upstream_.address() + ";";
    const std::string where = GetParam();
    proxy_ = std::make_unique<ProxyProcess>(
        Server("map $http_origin $cors_origin {\n"
               "  https://app.example.com https://app.example.com;\n"
               "  http://localhost:5173 http://localhost:5173;\n}\n" +
                   Include("cors-map"),
               where == "server" ? Include("cors") + "location / { " + pass + " }"
                                 : "location / { " + Include("cors") + pass + " }"));
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }
  HttpMessage Send(const std::string& method, const std::string& headers) {
    return Ask(RawClient(proxy_->port(0)), method, "/x", headers);
  }

  FakeUpstream upstream_{
      FakeUpstream::Always("HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nVary: Accept\r\n"
                           "Access-Control-Allow-Methods: GET\r\nContent-Length: 2\r\n\r\nok")};
  std::unique_ptr<ProxyProcess> proxy_;
};

TEST_P(Cors, PreflightsOfListedOriginsAreAnsweredHere) {
  for (const char* origin : {"https://app.example.com", "http://localhost:5173"}) {
    const HttpMessage answer =
        Send("OPTIONS", std::string("Origin: ") + origin +
                            "\r\nAccess-Control-Request-Method: PATCH\r\n"
                            "Access-Control-Request-Headers: content-type,x-csrftoken\r\n");
    EXPECT_EQ(answer.status(), 204);
    EXPECT_EQ(answer.Header("Access-Control-Allow-Origin"), origin);
    EXPECT_EQ(answer.Header("Access-Control-Allow-Credentials"), "true");
    EXPECT_EQ(answer.Header("Access-Control-Allow-Methods"), "GET, HEAD, POST, PUT, PATCH, DELETE");
    EXPECT_EQ(answer.Header("Access-Control-Allow-Headers"),
              "Authorization, Content-Type, X-CSRFToken, X-Request-ID");
    EXPECT_EQ(answer.Header("Access-Control-Max-Age"), "600");
    EXPECT_EQ(answer.Header("Vary"), "Origin");
  }
  EXPECT_EQ(upstream_.requests().size(), 0u);
}

TEST_P(Cors, OriginsAreComparedWhole) {
  for (const char* origin : {"https://app.example.com.evil", "https://evil.example",
                             "http://app.example.com", "https://app.example.com:8443",
                             "https://xapp.example.com", "null", "https://app.example.com/"}) {
    const std::string line = std::string("Origin: ") + origin + "\r\n";
    const HttpMessage preflight = Send("OPTIONS", line + "Access-Control-Request-Method: GET\r\n");
    EXPECT_EQ(preflight.status(), 403) << origin;
    EXPECT_EQ(preflight.CountHeaders("Access-Control-Allow-Origin"), 0u) << origin;
    EXPECT_EQ(preflight.Header("Vary"), "Origin");
    EXPECT_EQ(upstream_.requests().size(), 0u);
  }
  // Asked all the same, his page cannot read the answer: not even what the upstream would allow.
  const HttpMessage answer = Send("GET", "Origin: https://evil.example\r\n");
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.CountHeaders("Access-Control-Allow-Origin"), 0u);
  EXPECT_EQ(answer.CountHeaders("Access-Control-Allow-Credentials"), 0u);
}

TEST_P(Cors, OtherRequestsGoOn) {
  const HttpMessage answer = Send("POST", "Origin: https://app.example.com\r\n");
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.Header("Access-Control-Allow-Origin"), "https://app.example.com");
  EXPECT_EQ(answer.CountHeaders("Access-Control-Allow-Origin"), 1u);
  EXPECT_EQ(answer.CountHeaders("Access-Control-Allow-Methods"), 0u);
  EXPECT_EQ(answer.CountHeaders("Vary"), 2u);  // the upstream's too
  EXPECT_EQ(Send("OPTIONS", "").status(), 200);
  EXPECT_EQ(Send("OPTIONS", "Origin: https://app.example.com\r\n").status(), 200);
  EXPECT_EQ(Send("GET", "").status(), 200);
  EXPECT_EQ(upstream_.requests().size(), 4u);
}

INSTANTIATE_TEST_SUITE_P(Snippet, Cors, ::testing::Values("server", "location"));

// --- The others ---

TEST(Snippets, HstsIsSaidOverTlsAlone) {
  ProxyProcess proxy(Server(Include("hsts-map") + Include("tls"),
                            "listen 127.0.0.1:%%PORT_1%% ssl; ssl_certificate a.crt;"
                            "ssl_certificate_key a.key; " +
                                Include("hsts") + "location / { return 204; }"));
  Certificate::SelfSigned("localhost").Write(proxy.directory(), "a");
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(Get(proxy.port(0), "/").CountHeaders("Strict-Transport-Security"), 0u);
  EXPECT_EQ(Ask(RawClient(proxy.port(1), TlsClientOptions{}), "GET", "/")
                .Header("Strict-Transport-Security"),
            "max-age=31536000; includeSubDomains");
}

TEST(Snippets, SecurityHeadersStandInPlaceOfTheUpstreams) {
  FakeUpstream upstream(FakeUpstream::Always(
      "HTTP/1.1 200 OK\r\nX-Frame-Options: SAMEORIGIN\r\nReferrer-Policy: same-origin\r\n"
      "Content-Length: 2\r\n\r\nok"));
  ProxyProcess proxy(Server("", Include("security-headers") + "location / { proxy_pass http://" +
                                    upstream.address() + "; } location /no { return 404; }"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  for (const char* path : {"/", "/no"}) {
    const HttpMessage answer = Get(proxy.port(0), path);
    EXPECT_EQ(answer.Header("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(answer.Header("Referrer-Policy"), "strict-origin-when-cross-origin");
    EXPECT_EQ(answer.Header("X-Frame-Options"), "DENY");
    EXPECT_EQ(answer.CountHeaders("X-Frame-Options"), 1u);
    EXPECT_EQ(answer.CountHeaders("Referrer-Policy"), 1u);
    EXPECT_EQ(answer.CountHeaders("Permissions-Policy"), 1u);
  }
}

TEST(Snippets, UploadLimitsAnswerWithAWordForPrograms) {
  FakeUpstream upstream(FakeUpstream::Always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  const std::string pass = "proxy_pass http://" + upstream.address() + ";";
  ProxyProcess proxy(Server("", Include("upload-limits") + "location / { " + pass +
                                    " } location /small/ { client_max_body_size 10; " + pass +
                                    " } location /stream/ { client_max_body_size 10; "
                                    "proxy_http_version 1.1; proxy_request_buffering off; " +
                                    pass + " }"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const auto expect_refused = [&](const std::string& path, const std::string& headers,
                                  const std::string& body) {
    RawClient client(proxy.port(0));
    client.Send("POST " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n" + body);
    const HttpMessage answer = client.ReadResponse();
    EXPECT_EQ(answer.status(), 413) << path << " " << headers;
    EXPECT_EQ(answer.Header("Content-Type"), "application/json");
    EXPECT_NE(answer.body.find("\"error\":\"payload_too_large\""), std::string::npos)
        << answer.body;
    EXPECT_TRUE(client.WaitForClose());
  };
  expect_refused("/", "Content-Length: 10485761\r\n", "");
  expect_refused("/small/", "Content-Length: 11\r\n", "12345678901");
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  expect_refused("/small/", chunked, "b\r\n12345678901\r\n0\r\n\r\n");
  expect_refused("/stream/", chunked, "b\r\n12345678901\r\n0\r\n\r\n");
  EXPECT_EQ(upstream.requests().size(), 0u);
  EXPECT_EQ(Ask(RawClient(proxy.port(0)), "POST", "/small/", "", "1234567890").status(), 200);
}

TEST(Snippets, InsideOnlyIsForPrivateNetworks) {
  ProxyProcess proxy(Server("", "set_real_ip_from 127.0.0.1; real_ip_header X-Real-IP; " +
                                    Include("inside-only") + "root %%DIR%%;"));
  proxy.directory().Write("a", "a");
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const auto status = [&](const std::string& client) {
    return Ask(RawClient(proxy.port(0)), "GET", "/a", "X-Real-IP: " + client + "\r\n").status();
  };
  for (const char* inside : {"127.0.0.1", "10.255.255.255", "172.16.0.0", "172.31.255.255",
                             "192.168.1.1", "::1", "fc00::1", "fdff::1", "::ffff:10.0.0.1"}) {
    EXPECT_EQ(status(inside), 200) << inside;
  }
  for (const char* outside : {"126.255.255.255", "128.0.0.0", "11.0.0.0", "172.32.0.0",
                              "172.15.255.255", "8.8.8.8", "2001:db8::1", "fe00::1"}) {
    EXPECT_EQ(status(outside), 403) << outside;
  }
}

// Examples are copied: what looks like a key or a password in them would be everybody's.
TEST(Conf, HoldsNoSecret) {
  const auto secret = Regex::Compile(
      R"((password|passwd|secret|token|api[-_]?key|authorization)["']?\s*[:= ]\s*["']?[A-Za-z0-9+/_-]{12,}|BEGIN [A-Z ]*PRIVATE KEY|Basic [A-Za-z0-9+/]{8,}|Bearer [A-Za-z0-9._-]{8,})",
      Regex::Case::kInsensitive);
  ASSERT_TRUE(secret.ok()) << secret.error().message;
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(FW_SOURCE_DIR "/conf")) {
    if (!entry.is_regular_file()) continue;
    ++files;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      EXPECT_FALSE(secret->Matches(line)) << entry.path() << ": " << line;
    }
  }
  EXPECT_GT(files, 20);
}

}  // namespace
}  // namespace framewall::test
