// Bodies under the rules: held, inflated, cut, refused.
#include <gtest/gtest.h>
#include <zlib.h>

#include <future>

#include "tests/functional/waf_testing.h"

namespace framewall::test {
namespace {

const std::string kRules = std::string(kWafRules) + kWafResponses;
constexpr char kGzip[] = "Content-Encoding: gzip\r\n";

std::string Gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string packed(text.size() + 100, '\0');
  std::string input = text;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

class WafBodies : public ::testing::Test {
 protected:
  void Start(const std::string& answer, const std::string& server = "",
             const std::string& more_rules = "") {
    StartWith(FakeUpstream::Always(answer), server, more_rules);
  }
  void StartWith(FakeUpstream::Script script, const std::string& server = "",
                 const std::string& more_rules = "") {
    upstream_ = std::make_unique<FakeUpstream>(std::move(script));
    proxy_ = std::make_unique<ProxyProcess>(
        WafServer(kRules + more_rules, server + "location / { " + Pass(*upstream_) + " }"));
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
    port_ = proxy_->port(0);
  }

  std::unique_ptr<FakeUpstream> upstream_;
  std::unique_ptr<ProxyProcess> proxy_;
  uint16_t port_ = 0;
};

TEST_F(WafBodies, RequestBodiesAreJudgedInEveryFraming) {
  Start(Answer("fine"));
  const std::string form = "Content-Type: application/x-www-form-urlencoded\r\n";
  EXPECT_EQ(Post(port_, "/", "a=att%61ck", form).status(), 403);
  EXPECT_EQ(Post(port_, "/", "a=harmless", form).status(), 200);
  EXPECT_EQ(
      Post(port_, "/", "{\"a\":\"att\\u0061ck\"}", "Content-Type: application/json\r\n").status(),
      403);
  RawClient client(port_);
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n");
  client.Send(form + "\r\n5\r\na=att\r\n");
  client.Send("3\r\nack\r\n0\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status(), 403);
  EXPECT_EQ(upstream_->requests().size(), 1u);
}

TEST_F(WafBodies, ResponseIsRefusedBeforeAByteLeaves) {
  std::promise<void> waited;
  StartWith([&](FakeUpstream::Peer& peer) {
    peer.ReadRequest();
    peer.Send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Leak: 1\r\nContent-Length: 12\r\n\r\n");
    peer.Send("hello ");
    waited.get_future().wait();
    peer.Send("secret");
  });
  RawClient client(port_);
  client.Send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.wire().ReadSome(1, std::chrono::milliseconds(200)), "");
  waited.set_value();
  const HttpMessage answer = client.ReadResponse();
  EXPECT_EQ(answer.status(), 403);
  EXPECT_EQ(answer.raw.find("X-Leak"), std::string::npos);
  EXPECT_EQ(answer.raw.find("hello"), std::string::npos);
}

TEST_F(WafBodies, OnlyNamedTypesAreHeld) {
  StartWith([](FakeUpstream::Peer& peer) {
    const std::string line = peer.ReadRequest().start_line;
    peer.Send(Answer("a secret", line.find("json") != line.npos ? "Application/JSON; charset=utf-8"
                                 : line.find("html") != line.npos ? "text/html;charset=utf-8"
                                                                  : "image/png"));
  });
  EXPECT_EQ(Get(port_, "/json").status(), 403);
  EXPECT_EQ(Get(port_, "/html").status(), 403);
  EXPECT_EQ(Get(port_, "/png").body, "a secret");
}

TEST_F(WafBodies, EventsLeaveAsTheyCome) {
  std::promise<void> seen;
  upstream_ = std::make_unique<FakeUpstream>([&](FakeUpstream::Peer& peer) {
    peer.ReadRequest();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n");
    seen.get_future().wait();
    peer.Send("data: two\n\n");
  });
  // Even where the type is listed.
  proxy_ = std::make_unique<ProxyProcess>(
      WafServer(kRules + "SecResponseBodyMimeType text/event-stream text/html\n",
                "location / { proxy_buffering off; " + Pass(*upstream_) + " }"));
  ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  RawClient client(proxy_->port(0));
  client.Send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_NE(client.ReadUntil("data: one\n\n").find("200 OK"), std::string::npos);
  seen.set_value();
  EXPECT_NE(client.ReadToEnd().find("data: two"), std::string::npos);
}

TEST_F(WafBodies, HeadAndEmptyResponsesPass) {
  StartWith([](FakeUpstream::Peer& peer) {
    while (true) {
      const HttpMessage request = peer.ReadRequest();
      if (!request.complete) return;
      if (request.start_line.starts_with("HEAD")) {
        peer.Send("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n");
      } else {
        peer.Send("HTTP/1.1 204 No Content\r\nContent-Type: text/html\r\n\r\n");
      }
    }
  });
  RawClient client(port_);
  client.Send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  const HttpMessage head = client.ReadResponse(BodyRule::kNoBody);
  EXPECT_EQ(head.status(), 200);
  EXPECT_EQ(head.Header("Content-Length"), "9");
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status(), 204);
}

TEST_F(WafBodies, ABrokenHeldResponseIsNoCleanOne) {
  StartWith([](FakeUpstream::Peer& peer) {
    peer.ReadRequest();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100\r\n\r\npart");
  });
  const HttpMessage answer = Get(port_, "/");
  EXPECT_FALSE(answer.status() == 200 && answer.complete) << answer.raw;
}

TEST_F(WafBodies, ResponseOverTheLimitIsJudgedByItsBeginning) {
  StartWith([](FakeUpstream::Peer& peer) {
    while (true) {
      const HttpMessage request = peer.ReadRequest();
      if (!request.complete) return;
      const bool early = request.start_line.find("early") != std::string::npos;
      const std::string filler(200000, 'x');
      peer.Send(Answer(early ? "secret" + filler : filler + "secret"));
    }
  });
  EXPECT_EQ(Get(port_, "/early").status(), 403);
  const HttpMessage late = Get(port_, "/late");
  EXPECT_EQ(late.status(), 200);
  EXPECT_EQ(late.body.size(), 200006u);
  EXPECT_TRUE(proxy_->WaitForLog("response body is over SecResponseBodyLimit"));
}

TEST_F(WafBodies, ResponseOverTheLimitIsRefusedUnderReject) {
  StartWith(
      [](FakeUpstream::Peer& peer) {
        const HttpMessage request = peer.ReadRequest();
        const bool fits = request.start_line.find("fits") != std::string::npos;
        peer.Send(Answer(std::string(fits ? 1000 : 1001, 'x')));
      },
      "", "SecResponseBodyLimitAction Reject\n");
  EXPECT_EQ(Get(port_, "/fits").status(), 200);
  EXPECT_EQ(Get(port_, "/not").status(), 403);
}

TEST_F(WafBodies, RequestOverTheLimitIsRefusedUnderReject) {
  Start(Answer("fine"), "client_max_body_size 10m;",
        "SecRequestBodyLimit 1000\nSecRequestBodyLimitAction Reject\n");
  EXPECT_EQ(Post(port_, "/", std::string(1000, 'x')).status(), 200);
  EXPECT_EQ(Post(port_, "/", std::string(1001, 'x')).status(), 403);
  EXPECT_EQ(Post(port_, "/", std::string(500000, 'x')).status(), 403);
}

TEST_F(WafBodies, RequestOverTheLimitIsJudgedByItsBeginning) {
  Start(Answer("fine"), "client_max_body_size 10m;",
        "SecRequestBodyLimit 1000\nSecRequestBodyLimitAction ProcessPartial\n");
  const std::string filler(300000, 'x');
  EXPECT_EQ(Post(port_, "/", "attack" + filler).status(), 403);
  EXPECT_EQ(Post(port_, "/", filler + "attack").status(), 200);
  EXPECT_EQ(upstream_->requests().back().body, filler + "attack");
  EXPECT_TRUE(proxy_->WaitForLog("request body is over SecRequestBodyLimit"));
}

TEST_F(WafBodies, RequestHoldLimitHasTwoSides) {
  Start(Answer("fine"), "client_max_body_size 10m; waf_request_hold_limit 20k;");
  EXPECT_EQ(Post(port_, "/", std::string(20480, 'x')).status(), 200);
  EXPECT_EQ(Post(port_, "/", std::string(20481, 'x')).status(), 413);
  EXPECT_TRUE(proxy_->WaitForLog("request body exceeds waf_request_hold_limit"));
}

TEST_F(WafBodies, WorkerHoldLimitHasTwoSides) {
  Start(Answer("fine"), "client_max_body_size 10m; waf_worker_hold_limit 20k;");
  EXPECT_EQ(Post(port_, "/", std::string(20480, 'x')).status(), 200);
  EXPECT_EQ(Post(port_, "/", std::string(20481, 'x')).status(), 503);
  // What was held is given back.
  EXPECT_EQ(Post(port_, "/", std::string(20480, 'x')).status(), 200);
}

TEST_F(WafBodies, WhereRulesCannotRunTheSettingMayPass) {
  Start(Answer(std::string(900, 'x')),
        "client_max_body_size 10m; waf_worker_hold_limit 500; waf_on_error pass;");
  EXPECT_EQ(Post(port_, "/", std::string(501, 'x')).status(), 200);
  EXPECT_TRUE(proxy_->WaitForLog("passed (waf_on_error pass)"));
}

TEST_F(WafBodies, EncodedRequestsAreInflatedAndJudged) {
  Start(Answer("fine"), "waf_inflate_limit 1000;");
  EXPECT_EQ(Post(port_, "/", Gzip("an attack"), kGzip).status(), 403);
  EXPECT_EQ(Post(port_, "/", Gzip("harmless"), kGzip).status(), 200);
  // What arrives is what was sent.
  EXPECT_EQ(upstream_->requests().back().body, Gzip("harmless"));
  EXPECT_EQ(Post(port_, "/", Gzip(std::string(1000, 'x')), kGzip).status(), 200);
  EXPECT_EQ(Post(port_, "/", Gzip(std::string(1001, 'x')), kGzip).status(), 413);
  EXPECT_EQ(Post(port_, "/", "no gzip", kGzip).status(), 400);
  EXPECT_EQ(Post(port_, "/", Gzip("a") + Gzip("attack"), kGzip).status(), 400);
  EXPECT_EQ(Post(port_, "/", "x", "Content-Encoding: br\r\n").status(), 415);
  // A second field is no way around.
  EXPECT_EQ(Post(port_, "/", Gzip("an attack"),
                 "Content-Encoding: identity\r\nContent-Encoding: gzip\r\n")
                .status(),
            415);
}

TEST_F(WafBodies, EncodedRequestsAreRefusedOrPassedWhereAsked) {
  Start(Answer("fine"), "waf_request_encoding refuse;");
  EXPECT_EQ(Post(port_, "/", Gzip("fine"), kGzip).status(), 415);
  EXPECT_EQ(Post(port_, "/", "fine").status(), 200);
  proxy_.reset();
  Start(Answer("fine"), "waf_request_encoding pass;");
  EXPECT_EQ(Post(port_, "/", Gzip("an attack"), kGzip).status(), 200);
}

TEST_F(WafBodies, EncodedResponsesDoNotBlindTheRules) {
  Start(Answer(Gzip("a secret"), "text/html", kGzip));
  RawClient client(port_);
  client.Send(
      "GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip, br\r\nRange: bytes=0-1\r\nConnection: "
      "close\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status(), 403);
  EXPECT_EQ(upstream_->requests().back().Header("Accept-Encoding"), "");
  EXPECT_EQ(upstream_->requests().back().Header("Range"), "");
  proxy_.reset();
  Start(Answer(Gzip("fine"), "text/html", kGzip), "waf_response_encoding inflate;");
  RawClient second(proxy_->port(0));
  second.Send(
      "GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br, gzip;q=0.5\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(second.ReadResponse().body, Gzip("fine"));
  EXPECT_EQ(upstream_->requests().back().Header("Accept-Encoding"), "gzip");
  proxy_.reset();
  Start(Answer("x", "text/html", "Content-Encoding: br\r\n"));
  EXPECT_EQ(Get(port_, "/").status(), 502);
}

TEST_F(WafBodies, OurOwnResponsesAreJudgedToo) {
  Start(Answer("fine"),
        "location /file { root %%DIR%%; types { text/html html; image/png png; } } "
        "location /say { default_type text/html; return 200 \"a secret\"; } ");
  const TempDir& folder = proxy_->directory();
  folder.Write("file/a.html", "a secret");
  folder.Write("file/b.html", "harmless");
  folder.Write("file/c.png", "a secret");
  EXPECT_EQ(Get(port_, "/file/a.html").status(), 403);
  EXPECT_EQ(Get(port_, "/file/b.html").body, "harmless");
  EXPECT_EQ(Get(port_, "/file/c.png").body, "a secret");
  EXPECT_EQ(Get(port_, "/say").status(), 403);
}

TEST_F(WafBodies, UnbufferedRequestsAreJudgedBeforeTheUpstreamSeesThem) {
  Start(Answer("fine"), "proxy_request_buffering off; proxy_http_version 1.1;");
  RawClient client(port_);
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nan a\r\n");
  client.Send("5\r\nttack\r\n0\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status(), 403);
  EXPECT_EQ(upstream_->connections(), 0);
}

TEST_F(WafBodies, ARefusedRequestDoesNotWaitForItsBody) {
  Start(Answer("fine"));
  RawClient client(port_);
  client.Send(
      "POST /?deny=1 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status(), 403);
  RawClient second(port_);
  second.Send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n");
  EXPECT_EQ(second.ReadResponse().status(), 100);
  second.Send("attack");
  EXPECT_EQ(second.ReadResponse().status(), 403);
}

TEST_F(WafBodies, TheConnectionGoesOnAfterARefusal) {
  Start(Answer("fine"));
  RawClient client(port_);
  const std::string attack = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nattack";
  const std::string clean = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nclean";
  client.Send(attack + clean + "GET /?deny=1 HTTP/1.1\r\nHost: a\r\n\r\n" + clean);
  for (const int status : {403, 200, 403, 200}) EXPECT_EQ(client.ReadResponse().status(), status);
}

TEST_F(WafBodies, ARefusedResponseTakesTheErrorPageAndFreesTheConnection) {
  Start(Answer("a secret"), "error_page 403 /denied; location = /denied { return 200 page; } ");
  RawClient client(port_);
  for (int i = 0; i < 3; ++i) {
    client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(client.ReadResponse().body, "page") << i;
  }
}

TEST_F(WafBodies, UpgradesPass) {
  StartWith(
      [](FakeUpstream::Peer& peer) {
        peer.ReadRequest();
        peer.Send(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n"
            "Content-Type: text/html\r\n\r\n");
        peer.Send("echo " + peer.ReadSome());
      },
      "websocket_other_upgrades pass; proxy_http_version 1.1; proxy_set_header Upgrade "
      "$http_upgrade; proxy_set_header "
      "Connection upgrade;");
  RawClient client(port_);
  client.Send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
  EXPECT_NE(client.ReadUntil("\r\n\r\n").find(" 101 "), std::string::npos);
  client.Send("ping");
  EXPECT_EQ(client.ReadToEnd(), "echo ping");
}

TEST_F(WafBodies, FallbacksAreAskedForTheWhole) {
  Start(Answer("fine"));
  const std::string upstream = Pass(*upstream_);
  proxy_.reset();
  proxy_ = std::make_unique<ProxyProcess>(WafServer(
      kRules, "root %%DIR%%/none; location / { try_files $uri @app; } location @app { " + upstream +
                  " } location /old { rewrite ^ /new last; } location /new { " + upstream + " }"));
  ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  for (const char* path : {"/", "/old", "/new"}) {
    RawClient client(proxy_->port(0));
    client.Send("GET " + std::string(path) +
                " HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(client.ReadResponse().body, "fine");
    EXPECT_EQ(upstream_->requests().back().Header("Range"), "") << path;
  }
}

}  // namespace
}  // namespace framewall::test
