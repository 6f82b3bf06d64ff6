// Tokens and WebSockets: the handshake's token among the sub-protocols, its end, fresh ones.
#include <gtest/gtest.h>

#include "proxy/base/encoding.h"
#include "tests/functional/auth_jwt_testing.h"
#include "tests/functional/websocket_testing.h"

namespace framewall::test {
namespace {

class SocketToken : public ::testing::Test {
 protected:
  void Start(const std::string& location, const std::string& server = "") {
    proxy_ = std::make_unique<ProxyProcess>(
        SocketServer(upstream_, location, "auth_jwt_key_file %%DIR%%/keys.json;" + server));
    proxy_->directory().Write("keys.json", issuer_.KeySet());
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }
  uint16_t port() const { return proxy_->port(0); }
  static std::string Fresh(const std::string& token) {
    return R"({"type":"auth","token":")" + token + "\"}";
  }
  WebSocketClient Open(const std::string& token) const {
    return WebSocketClient(port(), With(Bearer(token)));
  }

  TokenIssuer issuer_{jwt::Algorithm::kEs256};
  WebSocketUpstream upstream_;
  std::unique_ptr<ProxyProcess> proxy_;
};

TEST_F(SocketToken, TheHandshakeNeedsOne) {
  Start("auth_jwt r;");
  EXPECT_EQ(WebSocketClient(port()).status(), 401);
  WebSocketClient client = Open(issuer_.TokenOf("ann"));
  ASSERT_EQ(client.status(), 101);
  client->SendText("hello");
  EXPECT_EQ(client->Read().payload, "hello");
}

// --- Among the sub-protocols ---

TEST_F(SocketToken, AmongTheSubprotocols) {
  Start("auth_jwt r token=$websocket_subprotocol_token; add_header X-Sub $jwt_claim_sub always;");
  const std::string token = issuer_.TokenOf("ann");
  const std::string encoded = "base64url.bearer.authorization.k8s.io." + Base64UrlEncode(token);
  struct {
    std::string asked, forwarded;
  } cases[] = {
      {"bearer, " + token + ", chat", "chat"},
      {"chat, Bearer," + token, "chat"},
      {"bearer, " + token, ""},
      {encoded + ", chat.v2, chat.v1", "chat.v2, chat.v1"},
      {"a\r\nSec-WebSocket-Protocol: bearer, " + token + "\r\nSec-WebSocket-Protocol: b", "a, b"},
  };
  size_t number = 0;
  for (const auto& one : cases) {
    WebSocketClient client(port(), With("Sec-WebSocket-Protocol: " + one.asked + "\r\n"));
    ASSERT_EQ(client.status(), 101) << one.asked.substr(0, 20);
    EXPECT_EQ(client.answer().Header("X-Sub"), "ann");
    const HttpMessage request = upstream_.requests().at(number++);
    EXPECT_EQ(request.Header("Sec-WebSocket-Protocol"), one.forwarded);
    EXPECT_EQ(request.raw.find(token), std::string::npos);
    EXPECT_EQ(request.raw.find(Base64UrlEncode(token)), std::string::npos);
    EXPECT_EQ(client.answer().raw.find(token), std::string::npos);
  }
}

TEST_F(SocketToken, AmongTheSubprotocolsRefused) {
  Start("auth_jwt r token=$websocket_subprotocol_token;");
  const std::string token = issuer_.TokenOf("ann");
  for (const std::string& asked :
       {std::string("chat"), std::string("bearer"), "bearer, " + issuer_.TokenOf("ann", -5),
        "bearer, " + token + ", bearer, " + issuer_.TokenOf("bob"),
        "bearer, " + token + ", base64url.bearer.authorization.k8s.io." +
            Base64UrlEncode(issuer_.TokenOf("bob")),
        "base64url.bearer.authorization.k8s.io." + token}) {
    WebSocketClient client(port(), With("Sec-WebSocket-Protocol: " + asked + "\r\n"));
    EXPECT_EQ(client.status(), 401) << asked.substr(0, 40);
  }
  // No handshake, no sub-protocols.
  EXPECT_EQ(GetWith(port(), "/", "Sec-WebSocket-Protocol: bearer, " + token + "\r\n").status(),
            401);
  EXPECT_TRUE(upstream_.requests().empty());
}

// Where auth_jwt does not look for it there, the list is the application's.
TEST_F(SocketToken, TheListIsLeftAloneElsewhere) {
  Start("auth_jwt r;");
  const std::string token = issuer_.TokenOf("ann");
  WebSocketClient client(port(), With(Bearer(token) + "Sec-WebSocket-Protocol: bearer, abc\r\n"));
  ASSERT_EQ(client.status(), 101);
  EXPECT_EQ(upstream_.requests().at(0).Header("Sec-WebSocket-Protocol"), "bearer, abc");
}

// --- Its end ---

TEST_F(SocketToken, ASocketEndsWithItsToken) {
  Start("auth_jwt r;");
  WebSocketClient client = Open(issuer_.TokenOf("ann", 2));
  WebSocketClient longer = Open(issuer_.TokenOf("ann", 3600));
  WebSocketClient endless = Open(issuer_.Token(R"({"sub":"ann"})"));
  ASSERT_EQ(client.status(), 101);
  client->SendText("hello");
  EXPECT_EQ(client->Read().payload, "hello");
  const WebSocketEvent end = client->ReadToClose();
  EXPECT_EQ(end.code, 4401);
  EXPECT_EQ(end.payload, "token expired");
  client->SendClose(4401);
  EXPECT_TRUE(proxy_->WaitForLog("code=4401 by=gateway reason=\"token expired\"", "access.log"));
  for (WebSocketClient* other : {&longer, &endless}) {
    (*other)->SendText("still here");
    EXPECT_EQ((*other)->Read().payload, "still here");
  }
}

TEST_F(SocketToken, LeewayHoldsForSocketsToo) {
  Start("auth_jwt r; auth_jwt_leeway 1h;");
  WebSocketClient client = Open(issuer_.TokenOf("ann", -5));
  ASSERT_EQ(client.status(), 101);
  EXPECT_EQ(client->Read(milliseconds(500)).kind, Kind::kSilence);
}

// --- Fresh ones ---

TEST_F(SocketToken, AFreshTokenProlongsIt) {
  Start("auth_jwt r;");
  WebSocketClient client = Open(issuer_.TokenOf("ann", 2));
  const std::string fresh = issuer_.TokenOf("ann", 5);
  const auto begin = std::chrono::steady_clock::now();
  client->SendText(Fresh(fresh));
  client->SendText("hello");
  EXPECT_EQ(client->Read().payload, "hello");
  EXPECT_EQ(client->ReadToClose().code, 4401);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, seconds(3));
  // The upstream never saw it, nor did any log.
  EXPECT_EQ(upstream_.messages(), std::vector<std::string>{"hello"});
  client->SendClose(4401);
  EXPECT_TRUE(proxy_->WaitForLog("code=4401", "access.log"));
  EXPECT_TRUE(proxy_->WaitForLog("received=1/5 ", "access.log")) << proxy_->Log("access.log");
  EXPECT_TRUE(proxy_->WaitForLog("refused=0 ", "access.log"));
  for (const char* log : {"error.log", "access.log"}) {
    EXPECT_EQ(proxy_->CountInLog(fresh.substr(fresh.rfind('.')), log), 0U);
  }
}

TEST_F(SocketToken, AFreshTokenMayEndEarlier) {
  Start("auth_jwt r;");
  WebSocketClient client = Open(issuer_.TokenOf("ann", 3600));
  client->SendText(Fresh(issuer_.TokenOf("ann", 2)));
  EXPECT_EQ(client->ReadToClose().code, 4401);
}

TEST_F(SocketToken, AWrongFreshTokenCloses) {
  proxy_ = std::make_unique<ProxyProcess>(
      "events {}\nhttp { map $jwt_claim_aud $ok { api 1; default 0; }\n" + std::string(kSocketLog) +
      "server { listen 127.0.0.1:%%PORT_0%%; auth_jwt_key_file %%DIR%%/keys.json; location / { "
      "auth_jwt r; auth_jwt_require $ok; " +
      SocketPass(upstream_.address()) + " } } }");
  proxy_->directory().Write("keys.json", issuer_.KeySet());
  ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  const auto of = [&](const std::string& claims) {
    return issuer_.Token("{\"exp\":" + std::to_string(UnixNow() + 3600) + "," + claims + "}");
  };
  const std::string right = of(R"("sub":"ann","aud":"api")");
  struct {
    std::string message, why;
  } cases[] = {
      {Fresh(of(R"("sub":"bob","aud":"api")")), "its \"sub\" is another one"},
      {Fresh(of(R"("aud":"api")")), "its \"sub\" is another one"},
      {Fresh(of(R"("sub":"ann","aud":"other")")), "auth_jwt_require does not hold"},
      {Fresh(issuer_.Token(R"({"sub":"ann","aud":"api","exp":5})")), "it has expired"},
      {Fresh(TokenIssuer(jwt::Algorithm::kEs256).Token(R"({"sub":"ann","aud":"api"})")),
       "its signature does not fit"},
      {Fresh("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ."), "\"none\" is not supported"},
      {R"({"type":"auth"})", "it has not three parts"},
      {R"({"type":"auth","token":null})", "it has not three parts"},
  };
  for (const auto& one : cases) {
    WebSocketClient client = Open(right);
    ASSERT_EQ(client.status(), 101);
    client->SendText(one.message);
    const WebSocketEvent end = client->ReadToClose();
    EXPECT_EQ(end.code, 4401) << one.why;
    EXPECT_EQ(end.payload, "token refused");
    EXPECT_TRUE(proxy_->WaitForLog("the fresh token was refused: " + one.why) ||
                proxy_->CountInLog(one.why) > 0)
        << one.why;
  }
  EXPECT_TRUE(upstream_.messages().empty());
  WebSocketClient client = Open(right);
  client->SendText(Fresh(right));
  client->SendText("after");
  EXPECT_EQ(client->Read().payload, "after");
}

// Without a `sub` nobody can be the same.
TEST_F(SocketToken, WithoutASubjectNoTokenIsFresh) {
  Start("auth_jwt r;");
  WebSocketClient client = Open(issuer_.Token("{}"));
  ASSERT_EQ(client.status(), 101);
  client->SendText(Fresh(issuer_.Token("{}")));
  EXPECT_EQ(client->ReadToClose().code, 4401);
}

TEST_F(SocketToken, AWrongOneMayBeIgnored) {
  Start("auth_jwt r; websocket_auth_failure ignore;");
  WebSocketClient client = Open(issuer_.TokenOf("ann", 3));
  client->SendText(Fresh(issuer_.TokenOf("bob")));
  client->SendText("hello");
  EXPECT_EQ(client->Read().payload, "hello");
  EXPECT_EQ(upstream_.messages(), std::vector<std::string>{"hello"});
  // Bob's token has not prolonged it.
  EXPECT_EQ(client->ReadToClose().code, 4401);
}

TEST_F(SocketToken, ForwardedWhereSo) {
  Start("auth_jwt r; websocket_auth_forward on;");
  WebSocketClient client = Open(issuer_.TokenOf("ann"));
  const std::string message = Fresh(issuer_.TokenOf("ann"));
  client->SendText(message);
  EXPECT_EQ(client->Read().payload, message);
}

TEST_F(SocketToken, NameAndPlaceAreSettings) {
  Start("auth_jwt r; websocket_auth_message renew type=/op token=/d/access~1token;");
  WebSocketClient client = Open(issuer_.TokenOf("ann"));
  client->SendText(R"({"op":"renew","d":{"access/token":")" + issuer_.TokenOf("ann") + "\"}}");
  const std::string ordinary = Fresh("x");
  client->SendText(ordinary);
  EXPECT_EQ(client->Read().payload, ordinary);
  client->SendText(R"({"op":"renew","d":{"access/token":"x"}})");
  EXPECT_EQ(client->ReadToClose().code, 4401);
}

TEST_F(SocketToken, OtherMessagesPass) {
  Start("auth_jwt r;");
  WebSocketClient client = Open(issuer_.TokenOf("ann"));
  for (const std::string& text :
       {std::string("auth"), std::string("{\"type\":\"auth"), std::string(R"({"type":"author"})"),
        std::string(R"(["auth"])"), std::string(R"({"type":"x","token":"auth"})"),
        std::string(R"({"a":{"type":"auth","token":"x"}})"),
        std::string(R"({"type":"auth","type":"auth","token":"x"})")}) {
    client->SendText(text);
    EXPECT_EQ(client->Read().payload, text);
  }
  client->SendBinary(Fresh("x"));
  EXPECT_EQ(client->Read().payload, Fresh("x"));
}

TEST_F(SocketToken, OffOrWithoutATokenTheyAreTheApplications) {
  Start("auth_jwt r; websocket_auth_message off;");
  WebSocketClient client = Open(issuer_.TokenOf("ann"));
  client->SendText(Fresh("x"));
  EXPECT_EQ(client->Read().payload, Fresh("x"));
  proxy_.reset();
  Start("satisfy any; allow 127.0.0.1; auth_jwt r;");
  WebSocketClient free(port());
  ASSERT_EQ(free.status(), 101);
  free->SendText(Fresh("x"));
  EXPECT_EQ(free->Read().payload, Fresh("x"));
}

}  // namespace
}  // namespace framewall::test
