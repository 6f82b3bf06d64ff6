// auth_request over the real binary: verdicts, variables, and clients that go while it asks.
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"
#include "tests/support/websocket_peer.h"

namespace framewall::test {
namespace {

std::string Response(int status, const std::string& fields = "", const std::string& body = "") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// AUTH and UPSTREAM stand for addresses.
std::string With(std::string config, const FakeUpstream& auth, const FakeUpstream& upstream) {
  for (const auto& [name, address] :
       {std::pair<std::string, std::string>{"AUTH", auth.address()},
        std::pair<std::string, std::string>{"UPSTREAM", upstream.address()}}) {
    for (size_t at = 0; (at = config.find(name, at)) != std::string::npos;) {
      config.replace(at, name.size(), address);
    }
  }
  return config;
}

constexpr const char* kSite = R"(
events {}
http {
  server {
    listen 127.0.0.1:%%PORT_0%%;
    location / {
      auth_request /auth;
      auth_request_set $user $upstream_http_x_user;
      auth_request_set $code $upstream_status;
      proxy_set_header X-User $user;
      add_header X-Code $code always;
      proxy_pass http://UPSTREAM;
    }
    location = /auth {
      internal;
      proxy_pass http://AUTH/check;
      proxy_set_header X-Original-URI $request_uri;
      proxy_set_header X-Original-Method $request_method;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
})";

TEST(AuthRequest, AsksWithTheFieldsOfTheRequestAndWithoutItsBody) {
  FakeUpstream auth(FakeUpstream::Always(Response(204, "X-User: anna\r\n")));
  FakeUpstream upstream(FakeUpstream::Always(Response(200, "", "ok")));
  ProxyProcess proxy(With(kSite, auth, upstream));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send(
      "POST /a/../b%20c?d=e HTTP/1.1\r\nHost: a\r\nCookie: session=1\r\nX-User: forged\r\n"
      "Content-Length: 4\r\n\r\nbody");
  const HttpMessage response = client.ReadResponse();
  EXPECT_EQ(response.body, "ok");
  EXPECT_EQ(response.Header("X-Code"), "204");

  ASSERT_EQ(auth.requests().size(), 1u);
  const HttpMessage asked = auth.requests()[0];
  EXPECT_EQ(asked.start_line, "GET /check HTTP/1.1");
  EXPECT_EQ(asked.Header("Cookie"), "session=1");
  EXPECT_EQ(asked.Header("X-Original-URI"), "/a/../b%20c?d=e");
  EXPECT_EQ(asked.Header("X-Original-Method"), "POST");
  EXPECT_EQ(asked.Header("Content-Length"), "");
  EXPECT_EQ(asked.body, "");

  ASSERT_EQ(upstream.requests().size(), 1u);
  EXPECT_EQ(upstream.requests()[0].Header("X-User"), "anna");
  EXPECT_EQ(upstream.requests()[0].body, "body");
  // Neither the access log nor the metrics know of it.
  EXPECT_TRUE(proxy.WaitForLog("POST", "access.log"));
  EXPECT_EQ(proxy.Log("access.log").find("check"), std::string::npos);
  EXPECT_EQ(proxy.CountInLog("\n", "access.log"), 1u);
}

TEST(AuthRequest, RefusesAndCopiesTheChallenge) {
  std::atomic<int> status = 401;
  FakeUpstream auth([&](FakeUpstream::Peer& peer) {
    while (peer.ReadRequest().complete) {
      peer.Send(Response(status, "WWW-Authenticate: Bearer realm=\"a\"\r\nX-User: anna\r\n", "no"));
    }
  });
  FakeUpstream upstream(FakeUpstream::Always(Response(200, "", "ok")));
  ProxyProcess proxy(With(kSite, auth, upstream));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  HttpMessage response = Get(proxy.port(0), "/");
  EXPECT_EQ(response.status(), 401);
  EXPECT_EQ(response.Header("WWW-Authenticate"), "Bearer realm=\"a\"");
  EXPECT_EQ(response.Header("X-Code"), "401");
  EXPECT_EQ(response.body.find("no"), std::string::npos);
  status = 403;
  response = Get(proxy.port(0), "/");
  EXPECT_EQ(response.status(), 403);
  EXPECT_EQ(response.Header("WWW-Authenticate"), "");
  status = 302;
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 500);
  EXPECT_TRUE(proxy.WaitForLog("[error]"));
  EXPECT_TRUE(proxy.WaitForLog("auth request unexpected status: 302"));
  EXPECT_TRUE(upstream.requests().empty());
  // Bodies that come along with their head leave the connection usable.
  EXPECT_EQ(auth.connections(), 3);
  // Nobody comes in by the internal location.
  EXPECT_EQ(Get(proxy.port(0), "/auth").status(), 404);
}

TEST(AuthRequest, DoesNotWaitForABodyNorBelieveHalfAHead) {
  std::atomic<int> mode = 0;
  FakeUpstream auth([&](FakeUpstream::Peer& peer) {
    peer.ReadRequest();
    if (mode == 0) {
      peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
      peer.WaitForClose();
    } else if (mode == 1) {
      peer.Send("HTTP/1.1 200 OK\r\nContent-Le");
    } else {
      peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    }
  });
  FakeUpstream upstream(FakeUpstream::Always(Response(200, "", "ok")));
  ProxyProcess proxy(With(kSite, auth, upstream));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(Get(proxy.port(0), "/").body, "ok");
  mode = 1;
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 500);
  EXPECT_TRUE(proxy.WaitForLog("auth request unexpected status: 502"));
  EXPECT_TRUE(proxy.WaitForLog(", subrequest: \"/auth\", upstream: "));
  mode = 2;
  EXPECT_EQ(Get(proxy.port(0), "/").body, "ok");
}

TEST(AuthRequest, HasTheDeadlinesOfItsLocation) {
  FakeUpstream auth([](FakeUpstream::Peer& peer) {
    peer.ReadRequest();
    peer.WaitForClose();
  });
  FakeUpstream upstream(FakeUpstream::Always(Response(200, "", "ok")));
  std::string config = With(kSite, auth, upstream);
  config.replace(config.find("internal;"), 9, "internal; proxy_read_timeout 100ms;");
  ProxyProcess proxy(config);
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 500);
  EXPECT_TRUE(proxy.WaitForLog("auth request unexpected status: 504"));
}

TEST(AuthRequest, EndsWithItsClient) {
  std::atomic<int> closed = 0;
  FakeUpstream auth([&](FakeUpstream::Peer& peer) {
    peer.ReadRequest();
    if (peer.WaitForClose()) ++closed;
  });
  FakeUpstream upstream(FakeUpstream::Always(Response(200, "", "ok")));
  ProxyProcess proxy(With(kSite, auth, upstream));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient polite(proxy.port(0));
  polite.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(Eventually([&] { return auth.requests().size() == 1; }));
  polite.Close();
  EXPECT_TRUE(Eventually([&] { return closed == 1; }));
  RawClient rude(proxy.port(0));
  rude.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(Eventually([&] { return auth.requests().size() == 2; }));
  rude.Reset();
  EXPECT_TRUE(Eventually([&] { return closed == 2; }));
  EXPECT_TRUE(Eventually([&] { return proxy.CountInLog("\n", "access.log") == 2; }));
  EXPECT_EQ(proxy.Quit(), 0);
}

TEST(AuthRequest, AWorkerThatDrainsFinishesIt) {
  std::promise<void> go;
  const auto wait = go.get_future().share();
  FakeUpstream auth([wait](FakeUpstream::Peer& peer) {
    peer.ReadRequest();
    wait.wait();
    peer.Send(Response(200));
  });
  FakeUpstream upstream(FakeUpstream::Always(Response(200, "", "ok")));
  ProxyProcess proxy(With(kSite, auth, upstream));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const bool asked = Eventually([&] { return auth.requests().size() == 1; });
  EXPECT_TRUE(asked && proxy.Reload());
  go.set_value();
  EXPECT_EQ(client.ReadResponse().body, "ok");
}

TEST(AuthRequest, TerminatesWhileItAsks) {
  FakeUpstream auth([](FakeUpstream::Peer& peer) {
    peer.ReadRequest();
    peer.WaitForClose();
  });
  FakeUpstream upstream(FakeUpstream::Always(Response(200, "", "ok")));
  ProxyProcess proxy(With(kSite, auth, upstream));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(Eventually([&] { return auth.requests().size() == 1; }));
  EXPECT_EQ(proxy.Terminate(), 0);
  EXPECT_TRUE(client.WaitForClose());
}

// Locations that answer at once, without an upstream.
constexpr const char* kLocal = R"(
events {}
http {
  log_format line "$request_method $uri $status";
  server {
    listen 127.0.0.1:%%PORT_0%%;
    access_log %%DIR%%/line.log line;
    root %%DIR%%;
    location /ok { auth_request /yes; }
    location /denied { auth_request /no; }
    location /closed { auth_request /closes; }
    location /file { auth_request /exists; }
    location /loop { auth_request /circle; }
    location /page { auth_request /no; error_page 403 /shown; }
    location /shown { auth_request off; return 200 shown; }
    location /again { auth_request /no; error_page 403 /denied; }
    location /any { satisfy any; deny all; auth_request /yes; }
    location /all { satisfy all; deny all; auth_request /yes; }
    location /none { satisfy any; deny all; auth_request /no; }
    location /allowed { satisfy any; allow all; auth_request /no; }
    location /args { auth_request /yes?a=b; }
    location /set { set $a 1; auth_request /sets; add_header X-A "$a $b"; }
    location /limited { auth_request /limit; }
    location = /yes { deny all; internal; return 204; }
    location = /no { return 403; }
    location = /closes { return 444; }
    location = /exists { try_files /the.file =403; }
    location = /circle { rewrite ^ /circle last; }
    location = /sets { set $b "b$a"; set $a 2; return 204; }
    location = /logged { log_subrequest on; return 204; }
    location /log { auth_request /logged; }
  }
})";

TEST(AuthRequest, AsksLocationsOfEveryKind) {
  ProxyProcess proxy(kLocal);
  for (const char* name : {"ok", "file", "log", "any", "all", "none", "allowed", "set", "args"}) {
    proxy.directory().Write(name, name);
  }
  proxy.directory().Write("the.file", "content");
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const std::pair<const char*, int> cases[] = {
      {"/ok", 200},
      {"/denied", 403},
      {"/closed", 500},
      {"/file", 200},
      {"/loop", 500},
      {"/page", 403},
      {"/again", 403},
      {"/any", 200},
      {"/all", 403},
      {"/none", 403},
      {"/log", 200},
      {"/allowed", 200},
      {"/set", 200},
      // As in nginx: this is a path, and the question mark a part of it.
      {"/args", 500}};
  for (const auto& [path, status] : cases) {
    EXPECT_EQ(Get(proxy.port(0), path).status(), status) << path;
  }
  EXPECT_EQ(Get(proxy.port(0), "/page").body, "shown");
  EXPECT_EQ(Get(proxy.port(0), "/set").Header("X-A"), "2 b1");
  EXPECT_TRUE(
      proxy.WaitForLog("auth request failed: the subrequest was closed without a response"));
  EXPECT_TRUE(proxy.WaitForLog("auth request unexpected status: 404"));
  EXPECT_EQ(proxy.CountInLog("/logged", "line.log"), 1u);
  EXPECT_EQ(proxy.CountInLog("GET /logged 204", "line.log"), 1u);
  EXPECT_EQ(proxy.CountInLog("/yes", "line.log"), 0u);
}

TEST(AuthRequest, ConditionsAndRangesOfTheClientAreNotForIt) {
  ProxyProcess proxy(kLocal);
  proxy.directory().Write("file", "0123456789");
  proxy.directory().Write("the.file", "content");
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  for (const char* field :
       {"If-None-Match: *", "If-Match: \"x\"", "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT",
        "Range: bytes=1-2", "Range: bytes=99-",
        "If-Unmodified-Since: Fri, 01 Jan 1999 00:00:00 GMT"}) {
    RawClient client(proxy.port(0));
    client.Send("GET /file HTTP/1.1\r\nHost: a\r\n" + std::string(field) + "\r\n\r\n");
    EXPECT_NE(client.ReadResponse().status(), 500) << field;
    RawClient checked(proxy.port(0));
    checked.Send("HEAD /file HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(checked.ReadResponse(BodyRule::kNoBody).status(), 200);
  }
}

TEST(AuthRequest, AnswersPipelinedRequestsInOrder) {
  ProxyProcess proxy(kLocal);
  proxy.directory().Write("ok", "ok");
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  std::string requests;
  for (int i = 0; i < 20; ++i) {
    requests +=
        std::string("GET ") + (i % 2 == 0 ? "/ok" : "/denied") + " HTTP/1.1\r\nHost: a\r\n\r\n";
  }
  client.Send(requests);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(client.ReadResponse().status(), i % 2 == 0 ? 200 : 403) << i;
  }
}

TEST(AuthRequest, DelaysA401) {
  ProxyProcess proxy(R"(
events {}
http {
  server {
    listen 127.0.0.1:%%PORT_0%%;
    location / { auth_request /no; auth_delay 200ms; root %%DIR%%; }
    location = /no { return 401; }
    location /forbidden { auth_request /never; auth_delay 20s; }
    location = /never { return 403; }
  }
})");
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 401);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(195));
  EXPECT_EQ(Get(proxy.port(0), "/forbidden").status(), 403);
  // Who goes while he waits ends it.
  RawClient client(proxy.port(0));
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(proxy.WaitForLog("delaying unauthorized request"));
  client.Close();
  EXPECT_EQ(proxy.Quit(), 0);
}

TEST(AuthRequest, DecidesAboutWebSocketsToo) {
  std::atomic<int> status = 403;
  FakeUpstream auth([&](FakeUpstream::Peer& peer) {
    while (peer.ReadRequest().complete) peer.Send(Response(status, "X-User: anna\r\n"));
  });
  WebSocketUpstream upstream;
  FakeUpstream unused(FakeUpstream::Always(Response(200)));
  std::string config = With(kSite, auth, unused);
  const std::string own = "http://" + unused.address();
  config.replace(config.find(own), own.size(), "http://" + upstream.address());
  const std::string upgrade =
      "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
      "proxy_set_header Connection upgrade; ";
  // In the location that is asked too: that must not become a socket itself.
  config.insert(config.find("auth_request /auth"), upgrade);
  config.insert(config.find("internal;"), "proxy_set_header Upgrade $http_upgrade; ");
  ProxyProcess proxy(config);
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(WebSocketClient(proxy.port(0)).status(), 403);
  EXPECT_TRUE(upstream.requests().empty());
  EXPECT_EQ(auth.requests()[0].Header("Upgrade"), "");
  EXPECT_EQ(auth.requests()[0].Header("Sec-WebSocket-Key"), kClientKey);
  status = 200;
  WebSocketClient client(proxy.port(0));
  ASSERT_EQ(client.status(), 101);
  client->SendText("hello");
  EXPECT_EQ(client->Read().payload, "hello");
  EXPECT_EQ(upstream.requests().back().Header("X-User"), "anna");
}

TEST(AuthRequest, LimitsCountTheRequestOnce) {
  FakeUpstream auth(FakeUpstream::Always(Response(200)));
  FakeUpstream upstream(FakeUpstream::Always(Response(200, "", "ok")));
  ProxyProcess proxy(With(R"(
events {}
http {
  limit_req_zone $binary_remote_addr zone=one:1m rate=1r/m;
  limit_conn_zone $binary_remote_addr zone=two:1m;
  limit_req zone=one burst=4 nodelay;
  limit_conn two 1;
  server {
    listen 127.0.0.1:%%PORT_0%%;
    location / { auth_request /auth; proxy_pass http://UPSTREAM; }
    location = /auth { proxy_pass http://AUTH; }
  }
})",
                          auth, upstream));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  int passed = 0;
  for (int i = 0; i < 10; ++i) passed += Get(proxy.port(0), "/").status() == 200 ? 1 : 0;
  EXPECT_EQ(passed, 5);
  EXPECT_EQ(auth.requests().size(), 5u);
}

TEST(AuthRequest, IsRefusedWhereItIsNoPath) {
  ProxyProcess proxy(
      "events {} http { server { listen 127.0.0.1:%%PORT_0%%; auth_request auth; } }");
  const CommandResult result = proxy.Run({"-t"});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_NE(result.output.find("invalid parameter \"auth\" in \"auth_request\" directive"),
            std::string::npos)
      << result.output;
}

}  // namespace
}  // namespace framewall::test
