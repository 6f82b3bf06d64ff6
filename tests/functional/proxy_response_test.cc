// What a client sees of an upstream's answer.
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <future>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"

namespace framewall::test {
namespace {

class ProxyResponse : public testing::Test {
 protected:
  // `response` answers every request; the upstream then closes where `close` says so.
  void Answer(std::string response, bool close = false, std::string more = "") {
    upstream_ = std::make_unique<FakeUpstream>(close ? FakeUpstream::Once(std::move(response))
                                                     : FakeUpstream::Always(std::move(response)));
    Start(std::move(more));
  }
  void Start(std::string more = "") {
    proxy_ = std::make_unique<ProxyProcess>(
        "events {} http { upstream u { server " + upstream_->address() +
        "; keepalive 4; } server { listen 127.0.0.1:%%PORT_0%%; location / { "
        "proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_pass http://u; " +
        more + " } } }");
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }
  HttpMessage Fetch(BodyRule rule = BodyRule::kByHead, const std::string& method = "GET") {
    RawClient client(proxy_->port(0));
    client.Send(method + " / HTTP/1.1\r\nHost: a\r\n\r\n");
    return client.ReadResponse(rule);
  }

  std::unique_ptr<FakeUpstream> upstream_;
  std::unique_ptr<ProxyProcess> proxy_;
};

TEST_F(ProxyResponse, HidesAndPassesFields) {
  Answer(
      "HTTP/1.1 200 Fine\r\nServer: secret\r\nX-Pad: 1\r\nX-Own: a\r\nX-Own: b\r\nX-Gone: 1\r\n"
      "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 9\r\nContent-Length: 0\r\n\r\n",
      false, "proxy_hide_header X-Gone;");
  const HttpMessage response = Fetch();
  EXPECT_EQ(response.start_line, "HTTP/1.1 200 Fine");
  EXPECT_EQ(response.CountHeaders("X-Own"), 2u);
  EXPECT_NE(response.Header("Server"), "secret");
  for (const char* name : {"X-Pad", "X-Gone", "X-Hop", "Keep-Alive"}) {
    EXPECT_EQ(response.CountHeaders(name), 0u) << name;
  }
}

TEST_F(ProxyResponse, PassHeaderShowsWhatIsHidden) {
  Answer("HTTP/1.1 200 OK\r\nServer: theirs\r\nContent-Length: 0\r\n\r\n", false,
         "proxy_pass_header Server;");
  EXPECT_EQ(Fetch().Header("Server"), "theirs");
}

TEST_F(ProxyResponse, ATruncatedLengthIsNoCleanEnd) {
  Answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", true);
  const HttpMessage response = Fetch();
  EXPECT_EQ(response.body, "abc");
  EXPECT_FALSE(response.complete);
  EXPECT_TRUE(proxy_->WaitForLog("upstream prematurely closed connection while reading upstream"));
}

TEST_F(ProxyResponse, ATruncatedChunkIsNoCleanEnd) {
  Answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n", true);
  const HttpMessage response = Fetch();
  EXPECT_FALSE(response.complete);
  EXPECT_EQ(response.raw.find("\r\n0\r\n"), std::string::npos);
}

TEST_F(ProxyResponse, ABodyUntilCloseEndsCleanly) {
  Answer("HTTP/1.1 200 OK\r\n\r\nall of it", true);
  const HttpMessage response = Fetch();
  EXPECT_TRUE(response.complete);
  EXPECT_EQ(response.body, "all of it");
  EXPECT_EQ(response.Header("Transfer-Encoding"), "chunked");
}

TEST_F(ProxyResponse, HeadAndBodylessStatusesHaveNoBody) {
  Answer("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n");
  RawClient client(proxy_->port(0));
  client.Send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.ReadResponse(BodyRule::kNoBody).Header("Content-Length"), "7");
  EXPECT_EQ(client.ReadResponse(BodyRule::kNoBody).status(), 200);
  EXPECT_EQ(upstream_->connections(), 1);
}

TEST_F(ProxyResponse, BrokenHeadsAre502) {
  const std::string padding(5000, 'x');
  for (const std::string& answer : {
           std::string("nonsense\r\n\r\n"),
           std::string("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na"),
           std::string("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
           "HTTP/1.1 200 OK\r\nX: " + padding + "\r\n\r\n",
           std::string("HTTP/1.1 200 OK\r\n"),
       }) {
    Answer(answer, true);
    EXPECT_EQ(Fetch().status(), 502) << answer.substr(0, 40);
  }
}

TEST_F(ProxyResponse, ExtraOctetsEndTheConnection) {
  Answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nX-Smuggled: 1\r\n\r\n");
  EXPECT_EQ(Fetch().body, "ok");
  const HttpMessage second = Fetch();
  EXPECT_EQ(second.body, "ok");
  EXPECT_EQ(second.CountHeaders("X-Smuggled"), 0u);
  EXPECT_EQ(upstream_->connections(), 2);
  EXPECT_TRUE(proxy_->WaitForLog("upstream sent more data"));
}

TEST_F(ProxyResponse, EarlyHintsPassAndOtherInterimDoNot) {
  Answer(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nX-No: 1\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  RawClient client(proxy_->port(0));
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const HttpMessage hints = client.ReadResponse();
  EXPECT_EQ(hints.status(), 103);
  EXPECT_EQ(hints.Header("Link"), "</a.css>");
  EXPECT_EQ(hints.CountHeaders("X-No"), 0u);
  EXPECT_EQ(client.ReadResponse().body, "ok");
}

TEST_F(ProxyResponse, RewritesRedirectsAndCookies) {
  Answer(
      "HTTP/1.1 302 Found\r\nLocation: http://u/next\r\n"
      "Set-Cookie: a=b; Domain=u.local; Path=/app/x\r\nContent-Length: 0\r\n\r\n",
      false,
      "proxy_cookie_domain u.local shop.example; proxy_cookie_path /app/ /; "
      "proxy_cookie_flags a secure httponly;");
  const HttpMessage response = Fetch();
  EXPECT_EQ(response.Header("Location"), "http://a:" + std::to_string(proxy_->port(0)) + "/next");
  EXPECT_EQ(response.Header("Set-Cookie"), "a=b; Domain=shop.example; Path=/x; Secure; HttpOnly");
}

TEST_F(ProxyResponse, PiecesLeaveAsTheyCome) {
  std::promise<void> seen;
  std::shared_future<void> first_seen = seen.get_future().share();
  upstream_ = std::make_unique<FakeUpstream>([first_seen](FakeUpstream::Peer& peer) {
    peer.ReadRequest();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
    first_seen.wait_for(kPatience);
    peer.Send("data: 2\n\n");
  });
  Start();
  RawClient client(proxy_->port(0));
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_NE(client.ReadUntil("data: 1\n\n").find("data: 1"), std::string::npos);
  seen.set_value();
  EXPECT_NE(client.ReadUntil("data: 2\n\n").find("data: 2"), std::string::npos);
}

size_t ResidentKilobytes(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6));
  }
  return 0;
}

TEST_F(ProxyResponse, ASlowClientPausesTheUpstream) {
  constexpr size_t kSize = 200 << 20;
  upstream_ = std::make_unique<FakeUpstream>([](FakeUpstream::Peer& peer) {
    peer.ReadRequest();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kSize) + "\r\n\r\n");
    const std::string piece(1 << 20, 'x');
    for (size_t sent = 0; sent < kSize; sent += piece.size()) {
      if (!peer.Send(piece)) return;
    }
  });
  Start();
  const auto workers = proxy_->Workers();
  ASSERT_EQ(workers.size(), 1u);
  const size_t before = ResidentKilobytes(workers[0]);
  RawClient client(proxy_->port(0));
  client.Send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  size_t read = 0;
  while (true) {
    const std::string piece = client.wire().ReadSome(1 << 20);
    if (piece.empty()) break;
    read += piece.size();
  }
  EXPECT_GT(read, kSize);
  // AddressSanitizer keeps freed memory for a while; 200 MiB would still be seen.
#ifdef __SANITIZE_ADDRESS__
  constexpr size_t kMayGrow = 65536;
#else
  constexpr size_t kMayGrow = 8192;
#endif
  EXPECT_LT(ResidentKilobytes(workers[0]), before + kMayGrow);
}

}  // namespace
}  // namespace framewall::test
