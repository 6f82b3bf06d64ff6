// HTTP/1 as a client sees it, octet by octet: order, reuse, refusals and limits of heads.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <vector>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"

namespace framewall::test {
namespace {

using std::chrono::milliseconds;

constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::string Server(const std::string& inside, const std::string& main = "",
                   const std::string& events = "") {
  return main + " events { " + events + " } http { server { listen 127.0.0.1:%%PORT_0%%; " +
         inside + " } }";
}

std::string PassTo(const FakeUpstream& upstream, const std::string& more = "") {
  return "location / { proxy_pass http://" + upstream.address() + "; " + more + " }";
}

// --- One connection, many requests --------------------------------------------------------------

TEST(HttpConnection, PipelinedRequestsAreAnsweredInOrder) {
  FakeUpstream upstream(FakeUpstream::Always(kOk));
  ProxyProcess proxy(Server(
      "location = /1 { return 200 one; } location = /2 { proxy_pass http://" + upstream.address() +
      "; } location = /3 { return 404; } location = /4 { return 200 four; }"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send(
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
      "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n\r\n"
      "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
      "GET /4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().body, "one");
  EXPECT_EQ(client.ReadResponse().body, "ok");
  EXPECT_EQ(client.ReadResponse().status(), 404);
  EXPECT_EQ(client.ReadResponse().body, "one");
  const HttpMessage last = client.ReadResponse();
  EXPECT_EQ(last.body, "four");
  EXPECT_EQ(last.Header("Connection"), "close");
  // What follows a close is no request any more.
  EXPECT_TRUE(client.WaitForClose());
  ASSERT_EQ(upstream.requests().size(), 1u);
  EXPECT_EQ(upstream.requests()[0].body, "abc");
}

TEST(HttpConnection, ARequestMayComeOctetByOctet) {
  ProxyProcess proxy(Server("location / { return 200 $request_uri; }"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  const std::string request = "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const char octet : request + request) ASSERT_TRUE(client.Send({&octet, 1}));
  EXPECT_EQ(client.ReadResponse().body, "/slow");
  EXPECT_EQ(client.ReadResponse().body, "/slow");
}

TEST(HttpConnection, KeepAliveIsLimitedByNumberAndBySilence) {
  ProxyProcess proxy(
      Server("keepalive_requests 3; keepalive_timeout 300ms; location / { return 200 x; } "
             "location /never { keepalive_timeout 0; return 200 x; }"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  RawClient client(proxy.port(0));
  client.Send(request + request + request + request);
  EXPECT_EQ(client.ReadResponse().Header("Connection"), "keep-alive");
  EXPECT_EQ(client.ReadResponse().Header("Connection"), "keep-alive");
  EXPECT_EQ(client.ReadResponse().Header("Connection"), "close");
  EXPECT_TRUE(client.WaitForClose());

  RawClient silent(proxy.port(0));
  silent.Send(request);
  EXPECT_EQ(silent.ReadResponse().Header("Connection"), "keep-alive");
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(silent.WaitForClose());
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(150));

  RawClient never(proxy.port(0));
  never.Send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(never.ReadResponse().Header("Connection"), "close");
  EXPECT_TRUE(never.WaitForClose());
}

TEST(HttpConnection, Http10ClosesUnlessAskedToStay) {
  ProxyProcess proxy(Server("location / { return 200 x; }"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().Header("Connection"), "keep-alive");
  EXPECT_EQ(client.ReadResponse().Header("Connection"), "close");
  EXPECT_TRUE(client.WaitForClose());
}

TEST(HttpConnection, AHalfClosedClientGetsAllAnswersThatAreReady) {
  ProxyProcess proxy(
      Server("location / { return 200 $request_uri; } location /f { root %%DIR%%; }"));
  proxy.directory().Write("f", std::string(3000000, 'f'));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send(
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /f HTTP/1.1\r\nHost: a\r\n\r\n"
      "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  client.ShutdownWrite();
  EXPECT_EQ(client.ReadResponse().body, "/1");
  EXPECT_EQ(client.ReadResponse().body.size(), 3000000u);
  EXPECT_EQ(client.ReadResponse().body, "/2");
  EXPECT_TRUE(client.WaitForClose());
}

TEST(HttpConnection, AHalfClosedClientOfAnUpstreamIsServedWhereAbortsAreIgnored) {
  FakeUpstream upstream(FakeUpstream::Always(kOk));
  ProxyProcess proxy(Server(PassTo(upstream, "proxy_ignore_client_abort on;")));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  client.ShutdownWrite();
  EXPECT_EQ(client.ReadResponse().body, "ok");
  EXPECT_TRUE(client.WaitForClose());
}

TEST(HttpConnection, LingersSoThatARefusalIsNotLost) {
  ProxyProcess proxy(
      Server("client_max_body_size 1k; lingering_timeout 5s; location / { root %%DIR%%; } "
             "location /off { lingering_close off; root %%DIR%%; }"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n");
  // All of this comes after the answer was made; a close would reset the connection.
  const std::string piece(1 << 20, 'x');
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(client.Send(piece)) << i;
  EXPECT_EQ(client.ReadResponse().status(), 413);
  EXPECT_TRUE(client.WaitForClose());
  EXPECT_FALSE(client.wire().was_reset());

  RawClient off(proxy.port(0));
  off.Send("POST /off HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n");
  off.ReadResponse();
  // Nobody reads: sending breaks before long.
  EXPECT_TRUE(Eventually([&] { return !off.Send(piece); }));
}

TEST(HttpConnection, LingeringEndsAtItsTime) {
  ProxyProcess proxy(
      Server("client_max_body_size 1k; lingering_time 600ms; lingering_timeout 300ms; "
             "location / { root %%DIR%%; }"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status(), 413);
  // Our end was sent at once; what trickles in is read until the time is over.
  EXPECT_TRUE(client.WaitForClose());
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(Eventually([&] { return !client.Send("x"); }));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(300));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

// --- Heads --------------------------------------------------------------------------------------

struct Refused {
  const char* what;
  std::string bytes;
  int status;
};

std::vector<Refused> SmugglingAttempts() {
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
  return {
      {"space before colon", post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400},
      {"length with space", post + "Content-Length : 1\r\n\r\nx", 400},
      {"fold", post + "X: a\r\n b\r\n\r\n", 400},
      {"folded encoding", post + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400},
      {"encoding in 1.0",
       "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"identity, chunked", post + "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n", 501},
      {"gzip, chunked", post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
      {"xchunked", post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
      {"encoding twice",
       post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"no host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"empty name", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", 400},
      {"both framings", post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       400},
      {"length twice", post + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400},
      {"length list", post + "Content-Length: 1, 1\r\n\r\nx", 400},
      {"length with sign", post + "Content-Length: +1\r\n\r\nx", 400},
      {"negative length", post + "Content-Length: -1\r\n\r\nx", 400},
      {"empty length", post + "Content-Length:\r\n\r\nx", 400},
      {"length overflows", post + "Content-Length: 18446744073709551617\r\n\r\nx", 400},
      {"no CRLF after data", chunked + "1\r\nxy\r\n0\r\n\r\n", 400},
      {"LF in an extension", chunked + "1;a\nb\r\nx\r\n0\r\n\r\n", 400},
      {"LF after a size", chunked + "1\nx\r\n0\r\n\r\n", 400},
      {"LF after data", chunked + "1\r\nx\n0\r\n\r\n", 400},
      {"space after a size", chunked + "1 \r\nx\r\n0\r\n\r\n", 400},
      {"size overflows", chunked + "10000000000000001\r\nx\r\n0\r\n\r\n", 400},
      {"no colon", "GET / HTTP/1.1\r\nHost: a\r\nXabc\r\n\r\n", 400},
      {"0.9", "GET /\r\n", 400},
      {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"NUL in a value", std::string("GET / HTTP/1.1\r\nHost: a\r\nX: a") + '\0' + "b\r\n\r\n",
       400},
      {"bare CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400},
      {"CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 405},
      {"preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
  };
}

TEST(HttpHead, NothingOfASmugglingAttemptReachesTheUpstream) {
  FakeUpstream upstream(FakeUpstream::Always(kOk));
  ProxyProcess proxy(
      Server(PassTo(upstream, "proxy_http_version 1.1; proxy_request_buffering on;")));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  for (const Refused& attempt : SmugglingAttempts()) {
    RawClient client(proxy.port(0));
    client.Send(attempt.bytes + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
    const HttpMessage response = client.ReadResponse();
    EXPECT_EQ(response.status(), attempt.status) << attempt.what;
    EXPECT_EQ(response.Header("Connection"), "close") << attempt.what;
    EXPECT_TRUE(client.WaitForClose()) << attempt.what;
  }
  EXPECT_EQ(upstream.connections(), 0);
  // It does listen.
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 200);
  EXPECT_EQ(upstream.connections(), 1);
}

TEST(HttpHead, WhatIsAcceptedIsWrittenAnew) {
  FakeUpstream upstream(FakeUpstream::Always(kOk));
  ProxyProcess proxy(Server(PassTo(upstream, "proxy_http_version 1.1;")));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send("FOO /a\x80 HTTP/1.2\nHost:   a  \nX[: 1\nX_under: 2\nX-Kept:\t3 \n\n");
  EXPECT_EQ(client.ReadResponse().status(), 200);
  const HttpMessage request = upstream.requests().at(0);
  EXPECT_EQ(request.start_line, "FOO /a\x80 HTTP/1.1");
  EXPECT_EQ(request.Header("X-Kept"), "3");
  EXPECT_EQ(request.CountHeaders("X["), 0u);
  EXPECT_EQ(request.CountHeaders("X_under"), 0u);
  // Every line ends in CRLF.
  for (size_t at = 0; (at = request.raw.find('\n', at)) != std::string::npos; ++at) {
    EXPECT_EQ(request.raw[at - 1], '\r') << at;
  }
}

TEST(HttpHead, TheHostOfAnAbsoluteTargetDecides) {
  FakeUpstream upstream(FakeUpstream::Always(kOk));
  ProxyProcess proxy(
      "events {} http { server { listen 127.0.0.1:%%PORT_0%%; server_name b; " +
      PassTo(upstream,
             "proxy_set_header Host $http_host; proxy_set_header X-Host "
             "$host;") +
      " } server { listen 127.0.0.1:%%PORT_0%%; server_name a; return 200 wrong; } }");
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send("GET http://B:81/p?q HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().body, "ok");
  const HttpMessage request = upstream.requests().at(0);
  EXPECT_EQ(request.start_line, "GET /p?q HTTP/1.0");
  EXPECT_EQ(request.Header("X-Host"), "b");
  EXPECT_EQ(request.Header("Host"), "B:81");
  EXPECT_EQ(request.CountHeaders("Host"), 1u);
}

TEST(HttpHead, ResponseSplittingDoesNotSplit) {
  ProxyProcess proxy(Server(
      "location /redirect { return 302 http://a$uri; } location /field { add_header X-Uri $uri; "
      "return 200 x; } location /arg { add_header X-Arg $arg_a; return 200 x; } "
      "location /rewrite { rewrite ^/rewrite(.*) http://a$1 redirect; }"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  for (const char* path : {"/redirect%0d%0aEvil:%201", "/field%0d%0aEvil:%201%0d%0a%0d%0abody",
                           "/arg?a=x%0d%0aEvil:%201", "/rewrite%0d%0aEvil:%201",
                           "/redirect%0aEvil:%201", "/field%0dEvil:%201"}) {
    const HttpMessage response = Get(proxy.port(0), path);
    EXPECT_NE(response.status(), 0) << path;
    EXPECT_EQ(response.CountHeaders("Evil"), 0u) << path;
    const std::string head = response.raw.substr(0, response.raw.find("\r\n\r\n"));
    for (size_t at = 0; (at = head.find_first_of("\r\n", at)) != std::string::npos; at += 2) {
      EXPECT_EQ(head.substr(at, 2), "\r\n") << path;
    }
  }
}

TEST(HttpHead, OneHopFieldsGoNeitherWay) {
  FakeUpstream upstream(FakeUpstream::Always(
      "HTTP/1.1 200 OK\r\nConnection: X-Secret, keep-alive\r\nX-Secret: 1\r\nKeep-Alive: 1\r\n"
      "Proxy-Connection: x\r\nUpgrade: h2c\r\nX-Open: 1\r\nContent-Length: 0\r\n\r\n"));
  ProxyProcess proxy(Server(PassTo(upstream, "proxy_http_version 1.1;")));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: X-Private,, X-More\r\nConnection: X-Third\r\n"
      "X-Private: 1\r\nx-more: 1\r\nX-Third: 1\r\nTE: trailers\r\nTrailer: x\r\nKeep-Alive: 1\r\n"
      "Upgrade: h2c\r\nProxy-Connection: x\r\nX-Open: 1\r\n\r\n");
  const HttpMessage response = client.ReadResponse();
  EXPECT_EQ(response.Header("X-Open"), "1");
  for (const char* name : {"X-Secret", "Keep-Alive", "Proxy-Connection", "Upgrade"}) {
    EXPECT_EQ(response.CountHeaders(name), 0u) << name;
  }
  const HttpMessage request = upstream.requests().at(0);
  EXPECT_EQ(request.Header("X-Open"), "1");
  for (const char* name : {"X-Private", "X-More", "X-Third", "TE", "Trailer", "Keep-Alive",
                           "Upgrade", "Proxy-Connection"}) {
    EXPECT_EQ(request.CountHeaders(name), 0u) << name;
  }
}

TEST(HttpHead, ConnectionCannotNominateWhatARequestStandsOn) {
  FakeUpstream upstream(FakeUpstream::Always(kOk));
  ProxyProcess proxy(
      Server(PassTo(upstream, "proxy_http_version 1.1; proxy_set_header X-Real-IP $remote_addr;")));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send(
      "POST / HTTP/1.1\r\nHost: a\r\nConnection: Host, Content-Length, X-Real-IP\r\n"
      "Content-Length: 2\r\n\r\nhi");
  EXPECT_EQ(client.ReadResponse().status(), 200);
  const HttpMessage request = upstream.requests().at(0);
  EXPECT_EQ(request.body, "hi");
  EXPECT_EQ(request.Header("Content-Length"), "2");
  EXPECT_EQ(request.CountHeaders("Host"), 1u);
  EXPECT_EQ(request.Header("X-Real-IP"), "127.0.0.1");
}

TEST(HttpHead, LimitsOfLinesHoldOnBothSides) {
  ProxyProcess proxy(
      Server("client_header_buffer_size 128; large_client_header_buffers 2 512; "
             "location / { return 200 x; }"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const auto status = [&](const std::string& request) {
    RawClient client(proxy.port(0));
    client.Send(request);
    return client.ReadResponse().status();
  };
  const auto target = [](size_t line) {
    const std::string rest = "GET / HTTP/1.1\r\n";
    return "GET /" + std::string(line - rest.size(), 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  };
  EXPECT_EQ(status(target(512)), 200);
  EXPECT_EQ(status(target(514)), 414);
  const auto field = [](size_t line) {
    return "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(line - 5, 'b') + "\r\n\r\n";
  };
  EXPECT_EQ(status(field(512)), 200);
  EXPECT_EQ(status(field(514)), 400);
  // Two large buffers, not three.
  const std::string line = "Y: " + std::string(400, 'c') + "\r\n";
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: a\r\n" + line + line + "\r\n"), 200);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: a\r\n" + line + line + line + line + "\r\n"), 400);
}

TEST(HttpHead, FieldsAreCounted) {
  ProxyProcess proxy(Server("large_client_header_buffers 8 64k; location / { return 200 x; }"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const auto status = [&](int count) {
    std::string request = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (int i = 1; i < count; ++i) request += "X-" + std::to_string(i) + ": 1\r\n";
    RawClient client(proxy.port(0));
    client.Send(request + "\r\n");
    return client.ReadResponse().status();
  };
  EXPECT_EQ(status(100), 200);
  EXPECT_EQ(status(20000), 400);
}

TEST(HttpHead, ASlowHeadIsCutOff) {
  ProxyProcess proxy(Server("client_header_timeout 300ms; location / { return 200 x; }"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  const auto begin = std::chrono::steady_clock::now();
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n");
  // Octets that trickle in do not move the deadline.
  while (client.wire().ReadSome(1, milliseconds(50)).empty() && client.wire().timed_out()) {
    client.Send("X");
    ASSERT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  }
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(150));
  EXPECT_TRUE(proxy.WaitForLog("client timed out"));
  EXPECT_TRUE(proxy.WaitForLog(" 408 ", "access.log"));

  RawClient silent(proxy.port(0));
  EXPECT_TRUE(silent.WaitForClose());
}

// --- Answers of our own -------------------------------------------------------------------------

TEST(HttpRouting, ErrorPagesNamedLocationsAndInternalOnes) {
  FakeUpstream upstream(FakeUpstream::Always(
      "HTTP/1.1 502 Oops\r\nX-From: upstream\r\nContent-Length: 3\r\n\r\nbad"));
  ProxyProcess proxy(Server(R"(
    root %%DIR%%;
    location = /internal { internal; return 200 "inside $uri"; }
    location /404 { error_page 404 /internal; return 404; }
    location /changed { error_page 404 =200 /internal; return 404; }
    location /own { error_page 404 = /internal; return 404; }
    location /named { error_page 500 502 504 = @fallback; proxy_intercept_errors on;
                      proxy_pass http://)" +
                            upstream.address() + R"(; }
    location /passed { proxy_pass http://)" +
                            upstream.address() + R"(; }
    location @fallback { return 203 "fallback $request_uri $request_method"; }
    location /elsewhere { error_page 403 http://other.example/x; return 403; }
    location /file { try_files $uri $uri.txt @fallback; }
    location /status { try_files $uri =418; }
    location /uri { try_files $uri /internal; }
    location /missing { error_page 404 /page.html; return 404; }
    location /lost { error_page 404 /nowhere; return 404; }
    location /nowhere { internal; error_page 404 /lost; }
  )"));
  proxy.directory().Write("file/there.txt", "there");
  proxy.directory().Write("page.html", "<p>page</p>");
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  struct Case {
    const char* path;
    int status;
    const char* body;
  };
  for (const Case& one : {
           Case{"/internal", 404, nullptr},
           {"/404/x", 404, "inside /internal"},
           {"/changed", 200, "inside /internal"},
           {"/own", 200, "inside /internal"},
           {"/named/x?y", 203, "fallback /named/x?y GET"},
           {"/passed", 502, "bad"},
           {"/file/there", 200, "there"},
           {"/file/none", 203, "fallback /file/none GET"},
           {"/status/none", 418, nullptr},
           {"/uri/none", 200, "inside /internal"},
           {"/missing", 404, "<p>page</p>"},
           {"/lost", 404, nullptr},
       }) {
    const HttpMessage response = Get(proxy.port(0), one.path);
    EXPECT_EQ(response.status(), one.status) << one.path;
    EXPECT_TRUE(response.complete) << one.path;
    if (one.body != nullptr) {
      EXPECT_EQ(response.body, one.body) << one.path;
    }
  }
  const HttpMessage redirect = Get(proxy.port(0), "/elsewhere");
  EXPECT_EQ(redirect.status(), 302);
  EXPECT_EQ(redirect.Header("Location"), "http://other.example/x");
  // A body that came with the request does not disturb what follows.
  RawClient client(proxy.port(0));
  client.Send(
      "POST /named HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
      "POST /changed HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
      "GET /file/there HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().body, "fallback /named POST");
  EXPECT_EQ(client.ReadResponse().body, "inside /internal");
  EXPECT_EQ(client.ReadResponse().body, "there");
}

TEST(HttpRouting, ACycleEndsWith500) {
  ProxyProcess proxy(
      Server("location / { rewrite ^ /again last; } "
             "location /again { rewrite ^ / last; }"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 500);
  EXPECT_TRUE(proxy.WaitForLog("rewrite or internal redirection cycle"));
}

TEST(HttpRouting, HeadAndBodylessStatusesHaveNoBody) {
  FakeUpstream upstream([](FakeUpstream::Peer& peer) {
    for (HttpMessage request; (request = peer.ReadRequest()).complete;) {
      const int status = request.start_line.find("/204") != std::string::npos ? 204 : 304;
      peer.Send("HTTP/1.1 " + std::to_string(status) +
                " X\r\nETag: \"a\"\r\nContent-Length: 100\r\n\r\n");
    }
  });
  ProxyProcess proxy(
      Server("location /up { proxy_http_version 1.1; proxy_set_header Connection \"\"; "
             "proxy_pass http://" +
             upstream.address() +
             "; } location /own204 { return 204; } location /text { return 200 "
             "hello; } location /error { return 404; }"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send(
      "GET /up/204 HTTP/1.1\r\nHost: a\r\n\r\nGET /up/304 HTTP/1.1\r\nHost: a\r\n\r\n"
      "GET /own204 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /text HTTP/1.1\r\nHost: a\r\n\r\n"
      "HEAD /error HTTP/1.1\r\nHost: a\r\n\r\nGET /text HTTP/1.1\r\nHost: a\r\n\r\n");
  const HttpMessage no_content = client.ReadResponse();
  EXPECT_EQ(no_content.status(), 204);
  EXPECT_EQ(no_content.CountHeaders("Content-Length"), 0u);
  EXPECT_EQ(no_content.CountHeaders("Transfer-Encoding"), 0u);
  const HttpMessage not_modified = client.ReadResponse();
  EXPECT_EQ(not_modified.status(), 304);
  EXPECT_EQ(not_modified.CountHeaders("Transfer-Encoding"), 0u);
  EXPECT_EQ(client.ReadResponse().status(), 204);
  const HttpMessage head = client.ReadResponse(BodyRule::kNoBody);
  EXPECT_EQ(head.status(), 200);
  EXPECT_EQ(head.Header("Content-Length"), "5");
  EXPECT_EQ(client.ReadResponse(BodyRule::kNoBody).status(), 404);
  EXPECT_EQ(client.ReadResponse().body, "hello");
}

// --- Running out --------------------------------------------------------------------------------

// Processor time of a process so far.
milliseconds CpuTime(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  long user = 0;
  long system = 0;
  fields >> user >> system;
  return milliseconds((user + system) * 1000 / sysconf(_SC_CLK_TCK));
}

// Opens connections until one more is not served, measures what waiting costs, lets all go.
void FillAndRecover(ProxyProcess& proxy, size_t count, const std::string& log_text) {
  proxy.AllowAlerts();
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const pid_t worker = proxy.Workers().at(0);
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  std::vector<std::unique_ptr<RawClient>> clients;
  for (size_t i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<RawClient>(proxy.port(0)));
  }
  ASSERT_TRUE(proxy.WaitForLog(log_text)) << proxy.Output();
  // The first is served, the last waits in the backlog.
  clients.front()->Send(request);
  EXPECT_EQ(clients.front()->ReadResponse().status(), 200);
  clients.back()->Send(request);
  const milliseconds before = CpuTime(worker);
  EXPECT_TRUE(clients.back()->wire().ReadSome(1, milliseconds(1500)).empty());
  EXPECT_LT(CpuTime(worker) - before, milliseconds(300));
  EXPECT_LT(proxy.CountInLog(log_text), 20u);
  // As soon as there is room it is served.
  for (size_t i = 0; i + 1 < count; ++i) clients[i]->Close();
  EXPECT_EQ(clients.back()->ReadResponse().status(), 200);
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 200);
  EXPECT_EQ(proxy.Workers().at(0), worker);
}

TEST(HttpExhaustion, OutOfDescriptorsTheWorkerRestsAndRecovers) {
#ifdef __SANITIZE_ADDRESS__
  // UBSan asks a pipe of its own whether memory can be read; without descriptors it says no.
  GTEST_SKIP() << "the sanitizer itself needs descriptors";
#endif
  ProxyProcess proxy(Server("location / { return 200 x; }", "worker_rlimit_nofile 60;"));
  FillAndRecover(proxy, 80, "(24: Too many open files)");
}

TEST(HttpExhaustion, WorkerConnectionsAreALimitThatRecovers) {
  ProxyProcess proxy(Server("location / { return 200 x; }", "", "worker_connections 20;"));
  FillAndRecover(proxy, 40, "20 worker_connections are not enough");
}

}  // namespace
}  // namespace framewall::test
