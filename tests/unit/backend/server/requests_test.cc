// Requests and whole answers, over a real socket.
#include <gtest/gtest.h>

#include "tests/unit/backend/server/server_harness.h"

namespace framewall::backend::server {
namespace {

using test::HttpMessage;
using test::RawClient;

json::Node Object() { return json::Node::Object(); }

void Echo(CallRef call) { call->Answer(Reply{.body = std::string(call->body()), .fields = {}}); }

void EchoJson(CallRef call) {
  if (const json::Value* body = call->JsonBody()) {
    call->Answer(200, Object().Set("got", json::Node::Copy(*body)));
  }
}

void Tell(CallRef call) {
  call->Answer(200, Object()
                        .Set("path", call->path())
                        .Set("room", call->Parameter("room"))
                        .Set("q", call->Argument("q").value_or("(none)"))
                        .Set("client", call->client_address())
                        .Set("request", call->request_id())
                        .Set("inside", call->inside()));
}

Route WithLimit(Route route, size_t limit) {
  route.body_limit = limit;
  return route;
}

TEST(Requests, HandlersSeeTheirParts) {
  ServerHarness server({Open("GET", "/rooms/{room}", "tell", Tell)});
  EXPECT_EQ(server.Get("/rooms/a%2Fb?x=1&q=%D0%B6+z").body.substr(0, 52),
            R"({"path":"/rooms/a/b","room":"a/b","q":")"
            "\xD0\xB6 z\",\"client");
  EXPECT_NE(server.Get("http://other/rooms/a").body.find("\"room\":\"a\""), std::string::npos);
  EXPECT_EQ(server.Get("/rooms/a?q=%zz").status(), 400);
  EXPECT_EQ(server.Get("/rooms/..").status(), 400);
  EXPECT_EQ(server.Get("/nothing").status(), 404);
}

TEST(Requests, TheGatewayTellsWhoAsks) {
  ServerHarness server({Open("GET", "/{room}", "tell", Tell)});
  const auto has = [](const HttpMessage& answer, std::string_view text) {
    return answer.body.find(text) != std::string::npos;
  };
  EXPECT_TRUE(has(server.Get("/a"), R"("inside":true)"));
  const HttpMessage told = server.Get("/a", "X-Real-IP: 192.0.2.7\r\nX-Request-ID: abc-1.Z\r\n");
  EXPECT_TRUE(has(told, R"("client":"192.0.2.7","request":"abc-1.Z","inside":false)")) << told.body;
  EXPECT_TRUE(has(server.Get("/a", "X-Forwarded-For: x\r\n"), R"("inside":false)"));
  EXPECT_TRUE(has(server.Get("/a", "Forwarded: for=x\r\n"), R"("inside":false)"));
  // What is no address or no id is not taken; the request is not inside all the same.
  const HttpMessage odd = server.Get("/a", "X-Real-IP: me\r\nX-Request-ID: a b\r\n");
  EXPECT_TRUE(has(odd, R"("client":"unix:")")) << odd.body;
  EXPECT_TRUE(has(odd, R"("inside":false)"));
  EXPECT_FALSE(has(odd, "a b"));
  Limits limits;
  limits.trust_real_ip = false;
  ServerHarness strict({Open("GET", "/{room}", "tell", Tell)}, limits);
  EXPECT_TRUE(has(strict.Get("/a", "X-Real-IP: 192.0.2.7\r\n"), R"("client":"unix:")"));
}

TEST(Requests, JsonBodies) {
  ServerHarness server({Open("POST", "/", "echo", EchoJson)});
  const HttpMessage good = server.Post("/", R"({"a":[1]})");
  EXPECT_EQ(good.body, R"({"got":{"a":[1]}})");
  EXPECT_EQ(good.Header("Content-Type"), "application/json");
  EXPECT_EQ(good.Header("Cache-Control"), "no-store");
  for (const char* type :
       {"application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"}) {
    EXPECT_EQ(server.Post("/", "{}", "Content-Type: " + std::string(type) + "\r\n").status(), 200)
        << type;
  }
  for (const char* type : {"text/plain", "application/json; charset=utf-16", "x/json", ""}) {
    EXPECT_EQ(server.Post("/", "{}", "Content-Type: " + std::string(type) + "\r\n").status(), 415)
        << type;
  }
  EXPECT_EQ(server.Post("/", "{}", "").status(), 415);
  for (const char* body : {"", "[]", "1", "{", "{\"a\":1,\"a\":2}", "{} x", "{\"a\":\"\xff\"}"}) {
    const HttpMessage answer = server.Post("/", body);
    EXPECT_EQ(answer.status(), 400) << body;
    EXPECT_EQ(answer.Header("Content-Type"), "application/problem+json");
    EXPECT_NE(answer.body.find(R"("code":"json")"), std::string::npos) << answer.body;
  }
  std::string deep = "{\"a\":";
  for (int i = 0; i < 100; ++i) deep += "[";
  EXPECT_EQ(server.Post("/", deep).status(), 400);
}

TEST(Requests, BodyLimitOnBothSides) {
  ServerHarness server({WithLimit(Open("POST", "/", "echo", Echo), 1000)});
  EXPECT_EQ(server.Post("/", std::string(1000, 'a')).body.size(), 1000u);
  const HttpMessage refused = server.Post("/", std::string(1001, 'a'));
  EXPECT_EQ(refused.status(), 413);
  EXPECT_NE(refused.body.find("at most 1000 octets"), std::string::npos) << refused.body;
  const auto chunked = [&](size_t size) {
    std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1f4\r\n" +
                       std::string(500, 'a') + "\r\n";
    char length[16];
    std::snprintf(length, sizeof(length), "%zx", size - 500);
    return server.Ask(head + length + "\r\n" + std::string(size - 500, 'b') + "\r\n0\r\n\r\n");
  };
  EXPECT_EQ(chunked(1000).body.size(), 1000u);
  EXPECT_EQ(chunked(1001).status(), 413);
}

TEST(Requests, ARefusedBodyIsThrownAwayAndTheConnectionStays) {
  ServerHarness server({WithLimit(Open("POST", "/", "echo", Echo), 10)});
  RawClient client = server.Connect();
  const std::string body(200'000, 'a');
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + body +
              "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(client.ReadResponse().status(), 413);
  EXPECT_EQ(client.ReadResponse().body, "ok");
}

// Up to a mebibyte it is read, so that the connection can be used again.
TEST(Requests, WhatIsThrownAwayHasALimit) {
  ServerHarness server({WithLimit(Open("POST", "/", "echo", Echo), 10)});
  const auto refuse = [&](size_t octets) {
    RawClient client = server.Connect();
    client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(octets) +
                "\r\n\r\n");
    return client.ReadResponse();
  };
  const HttpMessage kept = refuse(1024 * 1024);
  EXPECT_EQ(kept.status(), 413);
  EXPECT_NE(kept.Header("Connection"), "close");
  const HttpMessage closed = refuse(1024 * 1024 + 1);
  EXPECT_EQ(closed.status(), 413);
  EXPECT_EQ(closed.Header("Connection"), "close");
}

TEST(Requests, RequestIdsHaveUpTo128Characters) {
  ServerHarness server({Open("GET", "/{room}", "tell", Tell)});
  const std::string longest(128, 'a');
  const auto told = [&](const std::string& id) {
    return server.Get("/a", "X-Request-ID: " + id + "\r\n").body;
  };
  EXPECT_NE(told(longest).find("\"request\":\"" + longest + "\""), std::string::npos);
  const std::string own = told(longest + "a");
  EXPECT_EQ(own.find(longest), std::string::npos) << "one of our own";
  EXPECT_NE(own.find("\"request\":\""), std::string::npos);
}

TEST(Requests, AnEndlessRefusedBodyEndsTheConnection) {
  ServerHarness server({WithLimit(Open("POST", "/", "echo", Echo), 10)});
  RawClient client = server.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n" +
              std::string(100'000, 'a'));
  const HttpMessage answer = client.ReadResponse();
  EXPECT_EQ(answer.status(), 413);
  EXPECT_EQ(answer.Header("Connection"), "close");
  EXPECT_TRUE(client.WaitForClose());
}

TEST(Requests, ExpectIsAnsweredBeforeTheBody) {
  ServerHarness server({WithLimit(Open("POST", "/", "echo", Echo), 10)});
  RawClient client = server.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.ReadResponse(test::BodyRule::kOnlyHead).status(), 100);
  client.Send("ok");
  EXPECT_EQ(client.ReadResponse().body, "ok");
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n");
  const HttpMessage refused = client.ReadResponse();
  EXPECT_EQ(refused.status(), 413);
  EXPECT_EQ(refused.Header("Connection"), "close");
}

TEST(Requests, HeadAndOtherMethods) {
  ServerHarness server(
      {Open("GET", "/a", "get", Echo), Open("DELETE", "/a", "delete", [](CallRef call) {
         call->Answer(Reply{.status = 204, .fields = {}});
       })});
  const HttpMessage head =
      server.Ask("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n", test::BodyRule::kNoBody);
  EXPECT_EQ(head.status(), 200);
  EXPECT_EQ(head.Header("Content-Length"), "0");
  const HttpMessage wrong = server.Post("/a", "{}");
  EXPECT_EQ(wrong.status(), 405);
  EXPECT_EQ(wrong.Header("Allow"), "DELETE, GET, HEAD");
  const HttpMessage gone = server.Ask("DELETE /a HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(gone.status(), 204);
  EXPECT_FALSE(gone.CountHeaders("Content-Length") + gone.CountHeaders("Content-Type"));
}

TEST(Requests, FieldsOfAReply) {
  ServerHarness server({Open("GET", "/", "get", [](CallRef call) {
    call->Answer(Reply{.body = "x",
                       .content_type = "text/plain",
                       .fields = {{"Cache-Control", "max-age=60"}, {"X-A", "b\r\nX-C: d"}}});
  })});
  const HttpMessage answer = server.Get("/");
  EXPECT_EQ(answer.CountHeaders("Cache-Control"), 1u);
  EXPECT_EQ(answer.Header("Cache-Control"), "max-age=60");
  EXPECT_EQ(answer.Header("X-C"), "");
  EXPECT_NE(answer.Header("Date"), "");
}

TEST(Requests, BrokenHeadsAreRefused) {
  ServerHarness server({Open("GET", "/", "get", Echo)});
  EXPECT_EQ(server.Ask("GET / HTTP/1.1\r\n\r\n").status(), 400);
  EXPECT_EQ(server.Ask("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").status(), 400);
  EXPECT_EQ(server.Ask("GET /\r\n\r\n").status(), 400);
  EXPECT_EQ(server.Get("/" + std::string(9000, 'a')).status(), 414);
  // Four buffers of 8 KiB; one field must fit into one.
  EXPECT_EQ(server.Get("/", "X-A: " + std::string(8000, 'a') + "\r\n").status(), 200);
  const HttpMessage large = server.Get("/", "X-A: " + std::string(9000, 'a') + "\r\n");
  EXPECT_EQ(large.status(), 431);
  EXPECT_EQ(large.Header("Content-Type"), "application/problem+json");
}

// --- Who may come in ----------------------------------------------------------------------------

class ByName final : public Authenticator {
 public:
  void Authenticate(CallRef call, Done done) override {
    const std::string token(call->head().fields.Get(http::FieldId::kAuthorization));
    Identity identity;
    if (token.empty()) return done(identity, nullptr);
    if (token == "Bearer silent") return;
    if (token == "Bearer bad") {
      const Problem problem{.status = 401, .code = "token", .detail = "Expired.", .fields = {}};
      return done(identity, &problem);
    }
    identity.kind = token == "Bearer key" ? Identity::Kind::kKey : Identity::Kind::kSession;
    identity.user = "u1";
    if (token != "Bearer later") return done(identity, nullptr);
    call->loop().Post([call, identity, done] {
      call->loop().Post([identity, done] { done(identity, nullptr); });
    });
  }
};

Route As(Access access, Route route) {
  route.access = access;
  return route;
}

TEST(RequestAccess, RefusalsSayWhatToBring) {
  ByName by_name;
  const auto who = [](CallRef call) {
    call->Answer(Reply{.body = call->identity().user, .fields = {}});
  };
  ServerHarness server(
      {As({.who = Access::Who::kUser}, Open("GET", "/user", "user", who)),
       As({.who = Access::Who::kUser, .scope = "rooms"}, Open("GET", "/scope", "scope", who)),
       As({.who = Access::Who::kAdmin}, Open("GET", "/admin", "admin", who)),
       As({.who = Access::Who::kInside}, Open("GET", "/inside", "inside", who)),
       Open("GET", "/open", "open", who),
       As({.who = Access::Who::kUser}, Open("POST", "/user", "post", Echo))},
      Limits(), &by_name);
  const auto get = [&](const std::string& path, const std::string& token) {
    return server.Get(path, token.empty() ? "" : "Authorization: Bearer " + token + "\r\n");
  };
  EXPECT_EQ(get("/user", "").status(), 401);
  EXPECT_EQ(get("/user", "").Header("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(get("/user", "bad").status(), 401);
  EXPECT_EQ(get("/user", "bad").Header("WWW-Authenticate"), "Bearer error=\"invalid_token\"");
  EXPECT_EQ(get("/user", "good").body, "u1");
  EXPECT_EQ(get("/user", "later").body, "u1");
  EXPECT_EQ(get("/scope", "key").Header("WWW-Authenticate"),
            "Bearer error=\"insufficient_scope\", scope=\"rooms\"");
  EXPECT_EQ(get("/admin", "good").status(), 403);
  EXPECT_EQ(get("/open", "").status(), 200);
  EXPECT_EQ(get("/open", "bad").status(), 401);
  // Whoever comes through the gateway does not even learn that it is there.
  EXPECT_EQ(get("/inside", "bad").status(), 200);
  EXPECT_EQ(server.Get("/inside", "X-Real-IP: 192.0.2.1\r\n").status(), 404);
  EXPECT_EQ(get("/open", "silent").status(), 500);
  // The body comes while the caller is being identified, and a request behind it.
  RawClient client = server.Connect();
  const std::string post =
      "POST /user HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer later\r\nContent-Length: 2\r\n\r\n";
  client.Send(post);
  client.Send("ab" + post);
  EXPECT_EQ(client.ReadResponse().body, "ab");
  client.Send("cd" + post + "ef");
  EXPECT_EQ(client.ReadResponse().body, "cd");
  EXPECT_EQ(client.ReadResponse().body, "ef");
  client.Send("POST /user HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab" + post + "gh");
  EXPECT_EQ(client.ReadResponse().status(), 401);
  EXPECT_EQ(client.ReadResponse().body, "gh");
}

TEST(RequestErrors, HaveTheDialectOfTheirPlace) {
  const ErrorShape shape = [](const Problem& problem) {
    return Reply{.status = problem.status,
                 .body = json::Node::Object().Set("error", problem.code).Text(),
                 .fields = {}};
  };
  ServerHarness server({WithLimit(Open("POST", "/v1/x", "x", EchoJson), 10)}, Limits(), nullptr,
                       {{"/v1/", shape}});
  EXPECT_EQ(server.Get("/v1/nothing").body, R"({"error":"not_found"})");
  const HttpMessage method = server.Get("/v1/x");
  EXPECT_EQ(method.body, R"({"error":"method_not_allowed"})");
  EXPECT_EQ(method.Header("Allow"), "POST");
  EXPECT_EQ(server.Post("/v1/x", std::string(11, ' ')).body, R"({"error":"too_large"})");
  EXPECT_EQ(server.Post("/v1/x", "{").body, R"({"error":"json"})");
  EXPECT_EQ(server.Get("/other").Header("Content-Type"), "application/problem+json");
}

// --- Answers that take time ---------------------------------------------------------------------

TEST(RequestAnswers, TheNextRequestWaitsForIt) {
  std::vector<CallRef> held;
  ServerHarness server(
      {Open("GET", "/slow", "slow", [&held](CallRef call) { held.push_back(call); }),
       Open("GET", "/fast", "fast", Echo)});
  RawClient client = server.Connect();
  client.Send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /fast HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.wire().ReadSome(1, std::chrono::milliseconds(50)), "");
  server.OnLoop([&] {
    ASSERT_EQ(held.size(), 1u);
    held[0]->Answer(Reply{.body = "slow", .fields = {}});
    held.clear();
  });
  EXPECT_EQ(client.ReadResponse().body, "slow");
  EXPECT_EQ(client.ReadResponse().status(), 200);
}

TEST(RequestAnswers, ForgottenOnesFail) {
  ServerHarness server(
      {Open("GET", "/", "forget", [](CallRef) {}),
       Open("GET", "/error", "error",
            [](CallRef call) {
              call->Fail(Error{ErrorKind::kSystem, ErrorSource::kInternal, "the disk's secret", 0});
            }),
       Open("GET", "/busy", "busy", [](CallRef call) {
         call->Fail(Error{ErrorKind::kUnavailable, ErrorSource::kInternal, "", 0});
       })});
  EXPECT_EQ(server.Get("/").status(), 500);
  const HttpMessage error = server.Get("/error", "X-Request-ID: r-1\r\n");
  EXPECT_NE(error.body.find("the log has it under r-1."), std::string::npos) << error.body;
  EXPECT_EQ(error.status(), 500);
  EXPECT_EQ(error.body.find("secret"), std::string::npos);
  EXPECT_EQ(server.Get("/busy").status(), 503);
  EXPECT_EQ(server.Get("/busy").Header("Retry-After"), "1");
}

TEST(RequestAnswers, ALeavingClientIsNoticedWithinMoments) {
  CallRef held;
  std::promise<void> noticed;
  ServerHarness server({Open("GET", "/", "wait", [&](CallRef call) {
    held = call;
    call->OnGone([&] { noticed.set_value(); });
  })});
  RawClient client = server.Connect();
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(test::Eventually([&] {
    bool is_held = false;
    server.OnLoop([&] { is_held = held != nullptr; });
    return is_held;
  }));
  client.Close();
  EXPECT_EQ(noticed.get_future().wait_for(std::chrono::seconds(2)), std::future_status::ready);
  server.OnLoop([&] {
    EXPECT_TRUE(held->gone());
    held->Answer(Reply());
    held.reset();
  });
  EXPECT_EQ(server.observer().gone_calls, 1u);
}

// --- Time and numbers ---------------------------------------------------------------------------

Limits Quick() {
  Limits limits;
  limits.head_timeout = limits.body_timeout = limits.idle_timeout = Milliseconds(200);
  return limits;
}

TEST(RequestLimits, HeadsAndBodiesHaveTheirTime) {
  ServerHarness server({Open("POST", "/", "echo", Echo)}, Quick());
  EXPECT_EQ(server.Ask("POST / HTTP/1.1\r\nHost:").status(), 408);
  EXPECT_EQ(server.Ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab").status(), 408);
  // Slowly, but in time.
  RawClient client = server.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a\r\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(80));
  client.Send("Content-Length: 2\r\n\r\na");
  std::this_thread::sleep_for(std::chrono::milliseconds(80));
  client.Send("b");
  EXPECT_EQ(client.ReadResponse().body, "ab");
  // An octet now and then does not help.
  RawClient slow = server.Connect();
  for (const char octet : std::string_view("POST / HTTP")) {
    if (!slow.Send(std::string(1, octet))) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(40));
  }
  EXPECT_EQ(slow.ReadResponse().status(), 408);
}

TEST(RequestLimits, IdleConnectionsEnd) {
  ServerHarness server({Open("POST", "/", "echo", Echo)}, Quick());
  RawClient silent = server.Connect();
  RawClient kept = server.Connect();
  kept.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab");
  EXPECT_EQ(kept.ReadResponse().body, "ab");
  EXPECT_TRUE(silent.WaitForClose());
  EXPECT_TRUE(kept.WaitForClose());
  EXPECT_TRUE(test::Eventually([&] { return server.observer().connections == 0; }));
}

TEST(RequestLimits, ConnectionsOnBothSides) {
  Limits limits;
  limits.connections = 3;
  ServerHarness server({Open("GET", "/", "echo", Echo)}, limits);
  std::vector<RawClient> clients;
  const auto ask = [](RawClient& client) {
    client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    return client.ReadResponse();
  };
  for (int i = 0; i < 3; ++i) {
    clients.push_back(server.Connect());
    EXPECT_EQ(ask(clients.back()).status(), 200);
  }
  RawClient fourth = server.Connect();
  const HttpMessage refused = ask(fourth);
  EXPECT_EQ(refused.status(), 503);
  EXPECT_EQ(refused.Header("Connection"), "close");
  EXPECT_EQ(refused.Header("Retry-After"), "1");
  EXPECT_EQ(server.observer().overloads, 1u);
  clients.pop_back();
  fourth.Close();
  EXPECT_TRUE(test::Eventually([&] { return server.observer().connections == 2; }));
  RawClient next = server.Connect();
  EXPECT_EQ(ask(next).status(), 200);
}

TEST(RequestLimits, FarAboveTheLimitNobodyIsTold) {
  Limits limits;
  limits.connections = 1;
  ServerHarness server({Open("GET", "/", "echo", Echo)}, limits);
  std::vector<RawClient> clients;
  for (int i = 0; i < 1 + 64; ++i) clients.push_back(server.Connect());
  EXPECT_TRUE(test::Eventually([&] { return server.observer().connections == 65; }));
  RawClient next = server.Connect();
  EXPECT_TRUE(next.WaitForClose());
  EXPECT_EQ(server.observer().overloads, 65u);
  // Those who were let in to be told do not stay for long.
  EXPECT_TRUE(test::Eventually([&] { return server.observer().connections == 1; }));
}

TEST(RequestLimits, WhoDoesNotReadIsNotServedOn) {
  std::atomic<int> served{0};
  ServerHarness server({Open("GET", "/", "large", [&](CallRef call) {
    ++served;
    call->Answer(Reply{.body = std::string(300'000, 'a'), .fields = {}});
  })});
  RawClient client = server.Connect();
  std::string many;
  for (int i = 0; i < 200; ++i) many += "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  client.Send(many);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_LT(served, 10);
  for (int i = 0; i < 200; ++i) ASSERT_EQ(client.ReadResponse().body.size(), 300'000u) << i;
  EXPECT_EQ(served, 200);
}

TEST(RequestLimits, WhoReadsSlowlyGetsAllOfIt) {
  constexpr size_t kSize = 4'000'000;
  Limits limits;
  limits.idle_timeout = Milliseconds(200);
  limits.send_timeout = Milliseconds(1500);
  ServerHarness server({Open("GET", "/", "large",
                             [](CallRef call) {
                               call->Answer(Reply{.body = std::string(kSize, 'a'), .fields = {}});
                             })},
                       limits);
  for (const char* field : {"", "Connection: close\r\n"}) {
    RawClient client = server.Connect();
    client.Send("GET / HTTP/1.1\r\nHost: a\r\n" + std::string(field) + "\r\n");
    size_t got = 0;
    // Longer than either deadline, but never silent for long.
    while (got < kSize) {
      const std::string piece = client.wire().ReadSome(150'000);
      if (piece.empty()) break;
      got += piece.size();
      std::this_thread::sleep_for(std::chrono::milliseconds(80));
    }
    EXPECT_GE(got, kSize);
  }
}

TEST(RequestLimits, WhoTakesNothingIsCutOff) {
  Limits limits;
  limits.send_timeout = Milliseconds(200);
  ServerHarness server(
      {Open("GET", "/", "large",
            [](CallRef call) {
              call->Answer(Reply{.body = std::string(5'000'000, 'a'), .fields = {}});
            })},
      limits);
  RawClient client = server.Connect();
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(test::Eventually([&] { return server.observer().calls == 1; }));
  EXPECT_TRUE(test::Eventually([&] { return server.observer().connections == 0; }));
  EXPECT_FALSE(client.ReadResponse().complete);
}

// --- The end ------------------------------------------------------------------------------------

TEST(RequestDrain, FinishesWhatIsUnderWay) {
  CallRef held;
  std::atomic<bool> drained{false};
  ServerHarness server({Open("GET", "/", "wait", [&](CallRef call) { held = call; }),
                        Open("GET", "/fast", "fast", Echo)});
  RawClient busy = server.Connect();
  RawClient idle = server.Connect();
  idle.Send("GET /fast HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(idle.ReadResponse().status(), 200);
  busy.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(test::Eventually([&] {
    bool is_held = false;
    server.OnLoop([&] { is_held = held != nullptr; });
    return is_held;
  }));
  server.OnLoop([&] { server.server().Drain(Milliseconds(5000), [&] { drained = true; }); });
  EXPECT_TRUE(idle.WaitForClose());
  EXPECT_FALSE(server.Connect().connected());
  EXPECT_FALSE(drained);
  server.OnLoop([&] {
    held->Answer(Reply{.body = "done", .fields = {}});
    held.reset();
  });
  const HttpMessage answer = busy.ReadResponse();
  EXPECT_EQ(answer.body, "done");
  EXPECT_EQ(answer.Header("Connection"), "close");
  EXPECT_TRUE(test::Eventually([&] { return drained.load(); }));
}

TEST(RequestDrain, HasAnEnd) {
  CallRef held;
  std::atomic<bool> drained{false};
  ServerHarness server({Open("GET", "/", "wait", [&](CallRef call) { held = call; })});
  RawClient busy = server.Connect();
  busy.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(test::Eventually([&] {
    bool is_held = false;
    server.OnLoop([&] { is_held = held != nullptr; });
    return is_held;
  }));
  server.OnLoop([&] { server.server().Drain(Milliseconds(200), [&] { drained = true; }); });
  EXPECT_TRUE(busy.WaitForClose());
  EXPECT_TRUE(test::Eventually([&] { return drained.load(); }));
  server.OnLoop([&] { held.reset(); });
}

}  // namespace
}  // namespace framewall::backend::server
