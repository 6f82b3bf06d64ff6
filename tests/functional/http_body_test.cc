// Bodies both ways: framing, trailers, 100-continue, early answers, limits, and ends that come too
// early on either side.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <future>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"

namespace framewall::test {
namespace {

using std::chrono::milliseconds;

constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::string Config(const std::string& location) {
  return "events {} http { server { listen 127.0.0.1:%%PORT_0%%; " + location + " } }";
}

std::string Pass(const FakeUpstream& upstream, const std::string& more = "",
                 const std::string& path = "/") {
  return "location " + path + " { proxy_http_version 1.1; proxy_pass http://" + upstream.address() +
         "; " + more + " }";
}

// Both ways to read a request's body.
std::string PassBoth(const FakeUpstream& upstream, const std::string& more = "") {
  return Pass(upstream, more, "/whole") +
         Pass(upstream, more + " proxy_request_buffering off;", "/stream");
}

HttpMessage Ask(const ProxyProcess& proxy, const std::string& request) {
  RawClient client(const_cast<ProxyProcess&>(proxy).port(0));
  client.Send(request);
  return client.ReadResponse();
}

// --- Requests -----------------------------------------------------------------------------------

// Octets that come in one read with the head are over the limit before streaming has begun.
TEST(HttpRequestBody, TheStartOfAStreamedBodyCountsBeforeTheUpstreamIsAsked) {
  FakeUpstream upstream(FakeUpstream::Always(kOk));
  ProxyProcess proxy(Config("client_max_body_size 1000; " + PassBoth(upstream)));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send("POST /stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2000\r\n" +
              std::string(4000, 'x'));
  EXPECT_EQ(client.ReadResponse().status(), 413);
  EXPECT_EQ(upstream.connections(), 0);
}

TEST(HttpRequestBody, ChunksOfAnySizeArriveAsTheyWereMeant) {
  FakeUpstream upstream(FakeUpstream::Always(kOk));
  ProxyProcess proxy(Config(PassBoth(upstream)));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  for (const std::string path : {"/whole", "/stream"}) {
    RawClient client(proxy.port(0));
    const std::string request = "POST " + path +
                                " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                                "1;name=value\r\na\r\n00A;x=\"y;z\"\r\nbcdefghijk\r\n0\r\n\r\n";
    // One octet at a time, then the next request right behind.
    for (const char octet : request) ASSERT_TRUE(client.Send({&octet, 1}));
    EXPECT_EQ(client.ReadResponse().status(), 200) << path;
    client.Send(request);
    EXPECT_EQ(client.ReadResponse().status(), 200) << path;
    EXPECT_EQ(upstream.requests().back().body, "abcdefghijk") << path;
    EXPECT_EQ(upstream.requests().back().raw.find("name=value"), std::string::npos);
  }
  EXPECT_EQ(upstream.requests().size(), 4u);
}

// The limits of a trailer section, with the empty line at its end.
constexpr size_t kTrailerOctets = 8192;
constexpr size_t kTrailerFields = 1000;

// One trailer field that makes the section so long.
std::string TrailersOfSize(size_t octets) {
  const std::string name = "X-Long: ";
  return name + std::string(octets - name.size() - 4, 'x') + "\r\n\r\n";
}

std::string ManyTrailers(size_t count) {
  std::string trailers;
  for (size_t i = 0; i < count; ++i) trailers += "x:\r\n";
  return trailers + "\r\n";
}

TEST(HttpRequestBody, TrailersUpToTheirLimitsAndNoFurther) {
  FakeUpstream upstream(FakeUpstream::Always(kOk));
  ProxyProcess proxy(Config(PassBoth(upstream)));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  for (const std::string path : {"/whole", "/stream"}) {
    const auto status = [&](const std::string& trailers) {
      return Ask(proxy, "POST " + path +
                            " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "3\r\nabc\r\n0\r\n" +
                            trailers)
          .status();
    };
    EXPECT_EQ(status(TrailersOfSize(kTrailerOctets)), 200) << path;
    EXPECT_EQ(status(TrailersOfSize(kTrailerOctets + 1)), 400) << path;
    EXPECT_EQ(status(ManyTrailers(kTrailerFields)), 200) << path;
    EXPECT_EQ(status(ManyTrailers(kTrailerFields + 1)), 400) << path;
  }
}

TEST(HttpRequestBody, TrailersAreDroppedAndLimited) {
  FakeUpstream upstream(FakeUpstream::Always(kOk));
  ProxyProcess proxy(Config(PassBoth(upstream)));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  for (const std::string path : {"/whole", "/stream"}) {
    const std::string start = "POST " + path +
                              " HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTrailer: X-Evil\r\n"
                              "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n";
    EXPECT_EQ(Ask(proxy, start + "X-Evil: 1\r\nContent-Length: 9\r\n\r\n").status(), 200) << path;
    const HttpMessage request = upstream.requests().back();
    EXPECT_EQ(request.body, "abc");
    EXPECT_TRUE(request.trailers.empty());
    EXPECT_EQ(request.raw.find("X-Evil"), std::string::npos) << path;
    // Far over every limit of a head.
    std::string many;
    for (int i = 0; i < 100000; ++i) many += "X-" + std::to_string(i) + ": 1\r\n";
    const HttpMessage refused = Ask(proxy, start + many + "\r\n");
    EXPECT_NE(refused.status(), 200) << path;
    // A line without a colon is no trailer.
    EXPECT_EQ(Ask(proxy,
                  "POST /whole HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "0\r\nX-Evil\r\n\r\n")
                  .status(),
              400);
  }
}

TEST(HttpRequestBody, ContinueIsSaidWhereItIsAwaited) {
  FakeUpstream upstream(FakeUpstream::Always(kOk));
  ProxyProcess proxy(Config(PassBoth(upstream) + " location /refused { return 403; }"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  for (const std::string path : {"/whole", "/stream"}) {
    const std::string head = "POST " + path + " HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n";
    RawClient waiting(proxy.port(0));
    waiting.Send(head + "Content-Length: 3\r\n\r\n");
    EXPECT_EQ(waiting.ReadResponse().status(), 100) << path;
    waiting.Send("abc");
    EXPECT_EQ(waiting.ReadResponse().status(), 200) << path;
    EXPECT_EQ(upstream.requests().back().body, "abc");

    RawClient chunked(proxy.port(0));
    chunked.Send(head + "Transfer-Encoding: chunked\r\n\r\n");
    EXPECT_EQ(chunked.ReadResponse().status(), 100) << path;
    chunked.Send("2\r\nde\r\n0\r\n\r\n");
    EXPECT_EQ(chunked.ReadResponse().status(), 200) << path;
    EXPECT_EQ(upstream.requests().back().body, "de");

    // Who does not wait is not told.
    EXPECT_EQ(Ask(proxy, head + "Content-Length: 3\r\n\r\nabc").status(), 200) << path;
    // HTTP/1.0 knows no 100.
    const std::string old = "POST " + path + " HTTP/1.0\r\nExpect: 100-continue\r\n";
    RawClient silent(proxy.port(0));
    silent.Send(old + "Content-Length: 3\r\n\r\n");
    EXPECT_TRUE(silent.wire().ReadSome(1, milliseconds(200)).empty());
    silent.Send("abc");
    EXPECT_EQ(silent.ReadResponse().status(), 200) << path;
  }
  // A refusal takes its place, and the connection cannot go on: the body may come or not.
  RawClient refused(proxy.port(0));
  refused.Send(
      "POST /refused HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  const HttpMessage answer = refused.ReadResponse();
  EXPECT_EQ(answer.status(), 403);
  EXPECT_EQ(answer.Header("Connection"), "close");
}

TEST(HttpRequestBody, MaxBodySizeHoldsOnBothSides) {
  FakeUpstream upstream(FakeUpstream::Always(kOk));
  ProxyProcess proxy(Config("client_max_body_size 1000; " + PassBoth(upstream)));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const auto chunked = [](size_t size) {
    std::string text = "Transfer-Encoding: chunked\r\n\r\n";
    for (size_t sent = 0; sent < size; ++sent) text += "1\r\nx\r\n";
    return text + "0\r\n\r\n";
  };
  const auto plain = [](size_t size) {
    return "Content-Length: " + std::to_string(size) + "\r\n\r\n" + std::string(size, 'x');
  };
  for (const std::string path : {"/whole", "/stream"}) {
    const std::string head = "POST " + path + " HTTP/1.1\r\nHost: a\r\n";
    EXPECT_EQ(Ask(proxy, head + plain(1000)).status(), 200) << path;
    EXPECT_EQ(Ask(proxy, head + plain(1001)).status(), 413) << path;
    EXPECT_EQ(Ask(proxy, head + chunked(1000)).status(), 200) << path;
    EXPECT_EQ(Ask(proxy, head + chunked(1001)).status(), 413) << path;
    // Nobody invites a body that will be refused.
    RawClient waiting(proxy.port(0));
    waiting.Send(head + "Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n");
    EXPECT_EQ(waiting.ReadResponse().status(), 413) << path;
  }
  for (const HttpMessage& request : upstream.requests()) {
    EXPECT_LE(request.body.size(), 1000u);
  }
}

TEST(HttpRequestBody, ASilentBodyIsCutOffAndASlowOneIsNot) {
  FakeUpstream upstream(FakeUpstream::Always(kOk));
  ProxyProcess proxy(Config("client_body_timeout 400ms; " + PassBoth(upstream)));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  for (const std::string path : {"/whole", "/stream"}) {
    const std::string head = "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n";
    RawClient silent(proxy.port(0));
    silent.Send(head + "abc");
    const HttpMessage answer = silent.ReadResponse();
    EXPECT_TRUE(answer.status() == 408 || answer.start_line.empty()) << answer.raw;
    EXPECT_TRUE(silent.WaitForClose()) << path;

    RawClient slow(proxy.port(0));
    slow.Send(head);
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 8; ++i) {
      EXPECT_TRUE(slow.wire().ReadSome(1, milliseconds(100)).empty());
      slow.Send("x");
    }
    EXPECT_GT(std::chrono::steady_clock::now() - begin, milliseconds(600));
    EXPECT_EQ(slow.ReadResponse().status(), 200) << path;
  }
  EXPECT_TRUE(Eventually([&] { return proxy.CountInLog(" 408 ", "access.log") == 2; }))
      << proxy.Log("access.log");
}

TEST(HttpRequestBody, WhatIsNotWantedIsReadPast) {
  ProxyProcess proxy(Config("location / { return 200 $request_uri; }"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().body, "/1");
  client.Send(std::string(900000, 'x') +
              "POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
              "chunked\r\n\r\n5\r\nGET /\r\n0\r\n\r\n"
              "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().body, "/2");
  EXPECT_EQ(client.ReadResponse().body, "/3");
}

TEST(HttpRequestBody, WhatIsNotWantedMayComeSlowlyButNotForEver) {
  ProxyProcess proxy(
      Config("lingering_timeout 400ms; lingering_time 1500ms; location / { return 200 x; }"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const auto begin = std::chrono::steady_clock::now();
  RawClient slow(proxy.port(0));
  slow.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n");
  EXPECT_EQ(slow.ReadResponse().status(), 200);
  for (int i = 0; i < 8; ++i) {
    EXPECT_TRUE(slow.wire().ReadSome(1, milliseconds(100)).empty());
    slow.Send("x");
  }
  slow.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(slow.ReadResponse().status(), 200);
  EXPECT_GT(std::chrono::steady_clock::now() - begin, milliseconds(600));

  RawClient endless(proxy.port(0));
  endless.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_EQ(endless.ReadResponse().status(), 200);
  EXPECT_TRUE(Eventually([&] {
    return (endless.wire().ReadSome(1, milliseconds(50)).empty() && !endless.wire().timed_out()) ||
           !endless.Send("x");
  }));
}

TEST(HttpRequestBody, ABrokenChunkBreaksTheUpstreamRequestToo) {
  std::promise<std::string> seen;
  FakeUpstream upstream([&seen](FakeUpstream::Peer& peer) {
    peer.ReadRequest(BodyRule::kOnlyHead);
    std::string all;
    for (std::string piece; !(piece = peer.ReadSome()).empty();) all += piece;
    seen.set_value(all);
  });
  ProxyProcess proxy(Config(PassBoth(upstream)));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send("POST /stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  ASSERT_TRUE(Eventually([&] { return upstream.requests().size() == 1; }));
  client.Send("zz\r\n0\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status(), 400);
  auto future = seen.get_future();
  ASSERT_EQ(future.wait_for(kPatience), std::future_status::ready);
  // Never a last chunk: that would make it a whole request.
  EXPECT_EQ(future.get().find("0\r\n\r\n"), std::string::npos);
}

// --- Early answers ------------------------------------------------------------------------------

TEST(HttpEarlyAnswer, ReachesTheClientWhileTheBodyIsStillComing) {
  FakeUpstream upstream([](FakeUpstream::Peer& peer) {
    peer.ReadRequest(BodyRule::kOnlyHead);
    peer.Send("HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno");
    while (!peer.ReadSome().empty()) {
    }
  });
  ProxyProcess proxy(Config("client_max_body_size 0; " + PassBoth(upstream)));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send("POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\nabc");
  // The client has not sent its body, and has the whole answer.
  const HttpMessage answer = client.ReadResponse();
  EXPECT_EQ(answer.status(), 401);
  EXPECT_EQ(answer.body, "no");
  // What is left of the body is read past; the answer is not destroyed and the bytes are no
  // request.
  const std::string rest(1 << 18, 'x');
  for (int i = 0; i < 15; ++i) client.Send(rest);
  EXPECT_TRUE(proxy.WaitForLog("\"POST /stream HTTP/1.1\" 401", "access.log"));
  EXPECT_EQ(proxy.CountInLog("\" 400 ", "access.log"), 0u);
}

TEST(HttpEarlyAnswer, AnUpstreamThatAnswersAndClosesIsHeard) {
  FakeUpstream upstream([](FakeUpstream::Peer& peer) {
    peer.ReadRequest(BodyRule::kOnlyHead);
    peer.ReadSome();
    peer.Send("HTTP/1.1 413 Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig");
    peer.ShutdownWrite();
    while (!peer.ReadSome().empty()) {
    }
  });
  ProxyProcess proxy(Config("client_max_body_size 0; " + PassBoth(upstream)));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  for (const std::string path : {"/whole", "/stream"}) {
    RawClient client(proxy.port(0));
    client.Send("POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n");
    client.Send(std::string(3000000, 'x'));
    const HttpMessage answer = client.ReadResponse();
    EXPECT_EQ(answer.status(), 413) << path;
    EXPECT_EQ(answer.body, "big") << path;
  }
}

// --- Clients that leave -------------------------------------------------------------------------

TEST(HttpAbort, AClientThatLeavesIs499AndTheUpstreamIsClosed) {
  std::atomic<int> closed = 0;
  FakeUpstream upstream([&closed](FakeUpstream::Peer& peer) {
    peer.ReadRequest();
    if (peer.WaitForClose()) ++closed;
  });
  ProxyProcess proxy(Config(PassBoth(upstream)));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const std::string request = "GET /whole HTTP/1.1\r\nHost: a\r\n\r\n";
  RawClient ends(proxy.port(0));
  ends.Send(request);
  ASSERT_TRUE(Eventually([&] { return upstream.requests().size() == 1; }));
  ends.Close();
  EXPECT_TRUE(Eventually([&] { return closed == 1; }));
  RawClient resets(proxy.port(0));
  resets.Send(request);
  ASSERT_TRUE(Eventually([&] { return upstream.requests().size() == 2; }));
  resets.Reset();
  EXPECT_TRUE(Eventually([&] { return closed == 2; }));
  EXPECT_TRUE(Eventually([&] { return proxy.CountInLog("\" 499 0", "access.log") == 2; }))
      << proxy.Log("access.log");
  EXPECT_TRUE(proxy.WaitForLog("client prematurely closed connection"));
}

// The body comes in one piece with the head, and is passed on as a whole or as it comes.
TEST(HttpAbort, AClientThatLeavesBehindItsBodyIsNoticedToo) {
  std::atomic<int> closed = 0;
  FakeUpstream upstream([&closed](FakeUpstream::Peer& peer) {
    peer.ReadRequest();
    if (peer.WaitForClose()) ++closed;
  });
  ProxyProcess proxy(Config(PassBoth(upstream)));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  int count = 0;
  for (const std::string path : {"/whole", "/stream"}) {
    for (const std::string body : {"Content-Length: 5\r\n\r\nhello",
                                   "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"}) {
      ++count;
      RawClient client(proxy.port(0));
      client.Send("POST " + path + " HTTP/1.1\r\nHost: a\r\n" + body);
      ASSERT_TRUE(Eventually([&] { return upstream.requests().size() == size_t(count); }));
      client.Close();
      EXPECT_TRUE(Eventually([&] { return closed == count; })) << path << " " << body;
    }
  }
}

TEST(HttpAbort, IgnoreClientAbortLetsTheUpstreamFinish) {
  std::promise<void> left;
  std::shared_future<void> has_left = left.get_future().share();
  std::atomic<int> finished = 0;
  FakeUpstream upstream([&finished, has_left](FakeUpstream::Peer& peer) {
    peer.ReadRequest();
    has_left.wait_for(kPatience);
    // Still there after the client has left: a close would be seen here.
    EXPECT_TRUE(peer.wire().ReadSome(1, milliseconds(300)).empty());
    EXPECT_TRUE(peer.wire().timed_out());
    if (peer.Send(kOk)) ++finished;
    peer.WaitForClose();
  });
  ProxyProcess proxy(Config(PassBoth(upstream, "proxy_ignore_client_abort on;")));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient ends(proxy.port(0));
  RawClient resets(proxy.port(0));
  ends.Send("GET /whole/ends HTTP/1.1\r\nHost: a\r\n\r\n");
  resets.Send("GET /whole/resets HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(Eventually([&] { return upstream.requests().size() == 2; }));
  ends.Close();
  resets.Reset();
  left.set_value();
  EXPECT_TRUE(Eventually([&] { return finished == 2; }));
  EXPECT_TRUE(proxy.WaitForLog("/whole/ends HTTP/1.1\"", "access.log"));
  EXPECT_TRUE(proxy.WaitForLog("/whole/resets HTTP/1.1\"", "access.log"));
}

TEST(HttpAbort, AClientThatLeavesDuringTheAnswerClosesTheUpstream) {
  std::atomic<bool> broken = false;
  FakeUpstream upstream([&broken](FakeUpstream::Peer& peer) {
    peer.ReadRequest();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n");
    const std::string piece(65536, 'x');
    while (peer.Send(piece)) {
    }
    broken = true;
  });
  ProxyProcess proxy(Config(PassBoth(upstream)));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send("GET /whole HTTP/1.1\r\nHost: a\r\n\r\n");
  client.ReadUntil("xxxx");
  client.Close();
  EXPECT_TRUE(Eventually([&] { return broken.load(); }));
  EXPECT_TRUE(proxy.WaitForLog("\"GET /whole HTTP/1.1\" 200", "access.log"));
}

TEST(HttpAbort, AnUploadThatBreaksOffIsNotAWholeRequest) {
  std::promise<std::string> seen;
  FakeUpstream upstream([&seen](FakeUpstream::Peer& peer) {
    peer.ReadRequest(BodyRule::kOnlyHead);
    std::string all;
    for (std::string piece; !(piece = peer.ReadSome()).empty();) all += piece;
    seen.set_value(all);
  });
  ProxyProcess proxy(Config(PassBoth(upstream)));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  {
    RawClient client(proxy.port(0));
    client.Send("POST /whole HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  }
  EXPECT_TRUE(proxy.WaitForLog("\"POST /whole HTTP/1.1\" 400", "access.log"));
  EXPECT_EQ(upstream.connections(), 0);
  {
    RawClient client(proxy.port(0));
    client.Send(
        "POST /stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    ASSERT_TRUE(Eventually([&] { return upstream.requests().size() == 1; }));
  }
  auto future = seen.get_future();
  ASSERT_EQ(future.wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(future.get().find("0\r\n\r\n"), std::string::npos);
}

TEST(HttpAbort, AClientThatDoesNotReadIsCutOff) {
  FakeUpstream upstream([](FakeUpstream::Peer& peer) {
    peer.ReadRequest();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n");
    const std::string piece(65536, 'x');
    while (peer.Send(piece)) {
    }
  });
  ProxyProcess proxy(Config("send_timeout 300ms; " + PassBoth(upstream)));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send("GET /whole HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(proxy.WaitForLog("client timed out (110: Connection timed out)"));
  EXPECT_TRUE(proxy.WaitForLog("\"GET /whole HTTP/1.1\"", "access.log"));
}

// --- Responses ----------------------------------------------------------------------------------

TEST(HttpResponseBody, ChunksAreFramedAnewForEachClient) {
  FakeUpstream upstream(FakeUpstream::Always(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;ext=1\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Trailer: t\r\nContent-Length: 5\r\n\r\n"));
  ProxyProcess proxy(Config(Pass(upstream)));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const HttpMessage modern = Ask(proxy, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(modern.complete);
  EXPECT_EQ(modern.body, "abcdefg");
  EXPECT_EQ(modern.Header("Transfer-Encoding"), "chunked");
  EXPECT_EQ(modern.raw.find("ext=1"), std::string::npos);
  // Trailers go to who asks for them, and never such that frame.
  EXPECT_TRUE(modern.trailers.empty());
  const HttpMessage asked =
      Ask(proxy, "GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n");
  EXPECT_EQ(asked.raw.find("Content-Length"), std::string::npos);
  ASSERT_EQ(asked.trailers.size(), 1u);
  // An HTTP/1.0 client cannot read chunks: the close is the end.
  const HttpMessage old = Ask(proxy, "GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.body, "abcdefg");
  EXPECT_EQ(old.CountHeaders("Transfer-Encoding"), 0u);
  EXPECT_EQ(old.Header("Connection"), "close");
}

TEST(HttpResponseBody, TrailersUpToTheirLimitsAndNoFurther) {
  const std::vector<std::string> trailers = {
      TrailersOfSize(kTrailerOctets), ManyTrailers(kTrailerFields),
      TrailersOfSize(kTrailerOctets + 1), ManyTrailers(kTrailerFields + 1)};
  FakeUpstream upstream([&trailers](FakeUpstream::Peer& peer) {
    const HttpMessage request = peer.ReadRequest();
    const size_t which = static_cast<size_t>(request.raw.at(std::strlen("GET /")) - '0');
    peer.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n" +
              trailers.at(which));
  });
  ProxyProcess proxy(Config(Pass(upstream)));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  for (size_t which = 0; which < trailers.size(); ++which) {
    const HttpMessage answer =
        Ask(proxy, "GET /" + std::to_string(which) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(answer.body, "abc") << which;
    // The head has left by then: an end that is not clean is all that can be said.
    EXPECT_EQ(answer.complete, which < 2) << which;
  }
  EXPECT_EQ(proxy.CountInLog("upstream sent too large chunk line or trailer"), 2u) << proxy.Log();
}

TEST(HttpResponseBody, ATruncatedAnswerIsNeverACleanEnd) {
  struct Case {
    const char* what;
    std::string response;
  };
  const std::vector<Case> cases = {
      {"length", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"},
      {"length, nothing", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"},
      {"chunk data", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"},
      {"between chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"},
      {"chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5"},
      {"last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"},
      {"broken chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nxx\r\n"},
  };
  for (const Case& one : cases) {
    for (const bool reset : {false, true}) {
      FakeUpstream upstream([&](FakeUpstream::Peer& peer) {
        peer.ReadRequest();
        peer.Send(one.response);
        if (reset) {
          // Read before it breaks.
          peer.wire().ReadSome(1, milliseconds(50));
          peer.Reset();
        }
      });
      ProxyProcess proxy(Config(Pass(upstream)));
      ASSERT_TRUE(proxy.Start()) << proxy.Output();
      RawClient client(proxy.port(0));
      client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n");
      const HttpMessage response = client.ReadResponse();
      EXPECT_FALSE(response.complete) << one.what << " " << reset;
      EXPECT_TRUE(client.WaitForClose()) << one.what << " " << reset;
      EXPECT_EQ(response.raw.find("\r\n0\r\n"), std::string::npos) << one.what << " " << reset;
      // Nothing may stand behind a broken message.
      EXPECT_EQ(upstream.requests().size(), 1u) << one.what;
    }
  }
}

TEST(HttpResponseBody, ATruncatedAnswerOfUnknownLengthIsAnErrorForHttp10Too) {
  FakeUpstream upstream(
      FakeUpstream::Once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n"));
  ProxyProcess proxy(Config(Pass(upstream)));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send("GET / HTTP/1.0\r\n\r\n");
  // Only a reset tells such a client that something is missing.
  const HttpMessage response = client.ReadResponse();
  EXPECT_FALSE(response.complete) << response.raw;
  EXPECT_TRUE(client.wire().was_reset());
}

TEST(HttpResponseBody, SilenceInTheMiddleIsNoCleanEnd) {
  FakeUpstream upstream([](FakeUpstream::Peer& peer) {
    peer.ReadRequest();
    peer.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    peer.WaitForClose();
  });
  ProxyProcess proxy(Config(Pass(upstream, "proxy_read_timeout 200ms;")));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const HttpMessage response = Ask(proxy, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(response.body, "abc");
  EXPECT_FALSE(response.complete);
  EXPECT_TRUE(
      proxy.WaitForLog("upstream timed out (110: Connection timed out) while reading upstream"));
}

TEST(HttpResponseBody, AnUpstreamThatTakesNothingTimesOut) {
  FakeUpstream upstream([](FakeUpstream::Peer& peer) {
    peer.ReadRequest(BodyRule::kOnlyHead);
    peer.wire().ReadSome(1, milliseconds(1));
    // Neither reads on nor answers.
    std::promise<void> never;
    never.get_future().wait_for(std::chrono::seconds(2));
  });
  ProxyProcess proxy(
      Config("client_max_body_size 0; " +
             PassBoth(upstream, "proxy_send_timeout 300ms; proxy_read_timeout 300ms;")));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send("POST /whole HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n");
  client.Send(std::string(20000000, 'x'));
  EXPECT_EQ(client.ReadResponse().status(), 504);
  EXPECT_TRUE(proxy.WaitForLog("while sending request to upstream"));
}

TEST(HttpResponseBody, InterimAnswers) {
  FakeUpstream upstream(FakeUpstream::Always(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
      "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  ProxyProcess proxy(Config(Pass(upstream)));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().Header("Link"), "</a>");
  EXPECT_EQ(client.ReadResponse().Header("Link"), "</b>");
  EXPECT_EQ(client.ReadResponse().body, "ok");
  // HTTP/1.0 has none of them.
  EXPECT_EQ(Ask(proxy, "GET / HTTP/1.0\r\n\r\n").status(), 200);
}

TEST(HttpResponseBody, InterimAnswersAreLimited) {
  FakeUpstream upstream([](FakeUpstream::Peer& peer) {
    peer.ReadRequest();
    while (peer.Send("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")) {
    }
  });
  ProxyProcess proxy(Config(Pass(upstream)));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(Ask(proxy, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").status(), 502);
}

}  // namespace
}  // namespace framewall::test
