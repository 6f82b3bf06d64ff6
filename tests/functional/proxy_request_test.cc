// What an upstream is asked: request line, fields and body.
#include <gtest/gtest.h>

#include <thread>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"

namespace framewall::test {
namespace {

constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// A server with `locations`, where UPSTREAM stands for the fake one's address.
class ProxyRequest : public testing::Test {
 protected:
  void StartWith(std::string locations, const std::string& http = "") {
    for (size_t at; (at = locations.find("UPSTREAM")) != std::string::npos;) {
      locations.replace(at, 8, upstream_.address());
    }
    proxy_ = std::make_unique<ProxyProcess>("events {} http { " + http +
                                            " server { listen 127.0.0.1:%%PORT_0%%; " + locations +
                                            " } }");
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }
  HttpMessage Ask(const std::string& request) {
    RawClient client(proxy_->port(0));
    client.Send(request);
    return client.ReadResponse();
  }
  HttpMessage LastRequest() {
    const auto all = upstream_.requests();
    return all.empty() ? HttpMessage() : all.back();
  }
  // The target that the upstream saw for `path`.
  std::string Target(const std::string& path) {
    EXPECT_EQ(Get(proxy_->port(0), path).status(), 200) << path;
    const std::string line = LastRequest().start_line;
    const size_t from = line.find(' ') + 1;
    return line.substr(from, line.rfind(' ') - from);
  }

  FakeUpstream upstream_{FakeUpstream::Always(kOk)};
  std::unique_ptr<ProxyProcess> proxy_;
};

TEST_F(ProxyRequest, FollowsTheUriRules) {
  StartWith(R"(
    location / { proxy_pass http://UPSTREAM; }
    location /root/ { proxy_pass http://UPSTREAM/; }
    location /sub/ { proxy_pass http://UPSTREAM/x/; }
    location /noslash { proxy_pass http://UPSTREAM/y; }
    location ~ ^/regex/ { proxy_pass http://UPSTREAM; }
    location /break/ { rewrite ^/break/(.*)$ /changed/$1 break; proxy_pass http://UPSTREAM/z/; }
    location /variable { set $where /v$uri; proxy_pass http://UPSTREAM$where; }
    location = /exact { proxy_pass http://UPSTREAM/e?q=1; }
  )");
  EXPECT_EQ(Target("/a%20b//c/../d?x=%41"), "/a%20b//c/../d?x=%41");
  EXPECT_EQ(Target("/root/a%2520b?x"), "/a%2520b?x");
  EXPECT_EQ(Target("/root/a%20b/./c"), "/a%20b/c");
  EXPECT_EQ(Target("/sub/p"), "/x/p");
  EXPECT_EQ(Target("/noslash/p"), "/y/p");
  EXPECT_EQ(Target("/regex/p?a=b"), "/regex/p?a=b");
  EXPECT_EQ(Target("/break/p?a"), "/changed/p?a");
  EXPECT_EQ(Target("/variable/p"), "/v/variable/p");
}

TEST_F(ProxyRequest, DropsWhatIsForOneHop) {
  StartWith("location / { proxy_http_version 1.1; proxy_pass http://UPSTREAM; }");
  Ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Private\r\nKeep-Alive: 5\r\nTE: "
      "trailers\r\n"
      "Proxy-Connection: x\r\nUpgrade: websocket\r\nX-Private: 1\r\nX-Public: 2\r\n\r\n");
  const HttpMessage request = LastRequest();
  EXPECT_EQ(request.Header("Connection"), "close");
  EXPECT_EQ(request.Header("Host"), upstream_.address());
  EXPECT_EQ(request.Header("X-Public"), "2");
  for (const char* name : {"Keep-Alive", "TE", "Proxy-Connection", "Upgrade", "X-Private"}) {
    EXPECT_EQ(request.CountHeaders(name), 0u) << name;
  }
}

TEST_F(ProxyRequest, SetsReplacesAndDropsFields) {
  StartWith(R"(location / {
    proxy_set_header Host $host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Empty "";
    proxy_set_header Content-Length 999;
    proxy_pass http://UPSTREAM;
  })");
  Ask("GET / HTTP/1.1\r\nHost: shop.example\r\nX-Empty: 1\r\nX-Real-IP: 6.6.6.6\r\n"
      "Connection: close\r\n\r\n");
  const HttpMessage request = LastRequest();
  EXPECT_EQ(request.Header("Host"), "shop.example");
  EXPECT_EQ(request.Header("X-Real-IP"), "127.0.0.1");
  EXPECT_EQ(request.CountHeaders("X-Real-IP"), 1u);
  EXPECT_EQ(request.CountHeaders("X-Empty"), 0u);
  EXPECT_EQ(request.CountHeaders("Content-Length"), 0u);
  EXPECT_EQ(request.start_line, "GET / HTTP/1.0");
}

TEST_F(ProxyRequest, DecodedLineEndsCannotAddFields) {
  StartWith(R"(
    location /field { proxy_set_header X-Uri $uri; proxy_pass http://UPSTREAM; }
    location /line { proxy_pass http://UPSTREAM$uri; }
  )");
  EXPECT_EQ(Get(proxy_->port(0), "/field%0d%0aEvil:%201").status(), 200);
  EXPECT_EQ(LastRequest().CountHeaders("Evil"), 0u);
  EXPECT_EQ(Get(proxy_->port(0), "/line%20HTTP/1.0%0d%0aEvil:%201").status(), 200);
  EXPECT_EQ(LastRequest().CountHeaders("Evil"), 0u);
  EXPECT_EQ(LastRequest().raw.find("\r\nEvil"), std::string::npos);
}

TEST_F(ProxyRequest, GivesABodyOfUnknownLengthItsLength) {
  StartWith("location / { proxy_pass http://UPSTREAM; }");
  Ask("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: no\r\n\r\n");
  const HttpMessage request = LastRequest();
  EXPECT_EQ(request.body, "abcde");
  EXPECT_EQ(request.Header("Content-Length"), "5");
  EXPECT_EQ(request.CountHeaders("Transfer-Encoding"), 0u);
  EXPECT_EQ(request.raw.find("X-Trailer"), std::string::npos);
}

TEST_F(ProxyRequest, PassesBodiesThroughMemoryFileAndStream) {
  StartWith(R"(
    client_max_body_size 0; client_body_buffer_size 16k;
    location /kept { proxy_pass http://UPSTREAM; }
    location /streamed { proxy_request_buffering off; proxy_http_version 1.1;
                         proxy_pass http://UPSTREAM; }
    location /old { proxy_request_buffering off; proxy_pass http://UPSTREAM; }
  )");
  for (const size_t size : {size_t{0}, size_t{1}, size_t{16384}, size_t{16385}, size_t{3000000}}) {
    std::string body;
    while (body.size() < size) body += std::to_string(body.size()) + ",";
    body.resize(size);
    for (const std::string path : {"/kept", "/streamed", "/old"}) {
      EXPECT_EQ(Ask("POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: " +
                    std::to_string(size) + "\r\n\r\n" + body)
                    .status(),
                200);
      EXPECT_TRUE(LastRequest().body == body) << path << " " << size;
      std::string chunked =
          "POST " + path + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
      for (size_t at = 0; at < size; at += 10000) {
        const std::string piece = body.substr(at, 10000);
        char head[20];
        snprintf(head, sizeof head, "%zx\r\n", piece.size());
        chunked += head + piece + "\r\n";
      }
      EXPECT_EQ(Ask(chunked + "0\r\n\r\n").status(), 200);
      EXPECT_TRUE(LastRequest().body == body) << path << " chunked " << size;
    }
  }
}

TEST_F(ProxyRequest, ReplacesMethodAndBody) {
  StartWith(R"(location / {
    proxy_method PUT; proxy_set_body "uri=$uri"; proxy_pass http://UPSTREAM;
  })");
  EXPECT_EQ(Get(proxy_->port(0), "/abc").status(), 200);
  EXPECT_EQ(LastRequest().start_line, "PUT /abc HTTP/1.0");
  EXPECT_EQ(LastRequest().body, "uri=/abc");
}

TEST_F(ProxyRequest, AnEarlyAnswerEndsTheUpload) {
  FakeUpstream impatient([](FakeUpstream::Peer& peer) {
    peer.ReadRequest(BodyRule::kOnlyHead);
    peer.Send("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig");
    while (!peer.ReadSome().empty()) {
    }
  });
  StartWith(
      "location / { client_max_body_size 0; proxy_request_buffering off; "
      "proxy_http_version 1.1; proxy_pass http://" +
      impatient.address() + "; }");
  RawClient client(proxy_->port(0));
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n");
  client.Send(std::string(100000, 'x'));
  const HttpMessage response = client.ReadResponse();
  EXPECT_EQ(response.status(), 413);
  EXPECT_EQ(response.body, "big");
}

}  // namespace
}  // namespace framewall::test
