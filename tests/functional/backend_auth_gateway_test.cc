// The gateway before the backend: its auth_jwt verifies our tokens by our key set, and its
// auth_request asks us about keys.
#include <gtest/gtest.h>

#include "tests/functional/auth_jwt_testing.h"
#include "tests/support/backend_accounts.h"

namespace framewall::test {
namespace {

class GatewayTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(backend.Start()) << backend.Output();
    ann = NewPerson(backend, "ann");
    proxy = std::make_unique<ProxyProcess>(TokenServer(
        R"(
      auth_jwt_key_request /keys;
      location = /keys { internal; auth_jwt off; proxy_pass http://backend/.well-known/jwks.json; }
      location /tokens {
        auth_jwt r;
        auth_jwt_require $is_ours $is_for_us $is_access_token;
        add_header X-Who "$jwt_claim_sub $jwt_claim_scope";
        proxy_pass http://site;
      }
      location = /internal/auth {
        internal;
        proxy_pass http://backend;
        proxy_pass_request_body off;
        proxy_set_header Content-Length "";
      }
      location /v1/ {
        auth_request /internal/auth;
        auth_request_set $who $upstream_http_x_auth_user;
        auth_request_set $kind $upstream_http_x_auth_kind;
        auth_request_set $scope $upstream_http_x_auth_scope;
        add_header X-Who "$who $kind $scope";
        proxy_pass http://site;
      }
      location /internal/ { proxy_pass http://backend; })",
        "map $jwt_claim_iss $is_ours { default 0; http://localhost:8080 1; }\n"
        "map $jwt_claim_aud $is_for_us { default 0; framewall 1; }\n"
        "map $jwt_header_typ $is_access_token { default 0; at+jwt 1; }\n"
        "upstream site { server " +
            site.address() + "; }\nupstream backend { server " + backend.address() + "; }\n"));
    ASSERT_TRUE(proxy->Start()) << proxy->Output();
  }
  HttpMessage Ask(const std::string& path, const std::string& token) {
    return GetAs(proxy->port(0), path, token);
  }

  FakeUpstream site{[](FakeUpstream::Peer& peer) {
    while (peer.ReadRequest().complete) peer.Send(OkResponse());
  }};
  // Workers of the gateway have a user of their own.
  BackendProcess backend{"server: {socket_mode: \"0666\"}\n" + std::string(kOpenRegistration)};
  Person ann;
  std::unique_ptr<ProxyProcess> proxy;
};

TEST_F(GatewayTest, VerifiesOurTokensByOurKeys) {
  const HttpMessage in = Ask("/tokens", ann.token);
  EXPECT_EQ(in.status(), 200) << proxy->Output();
  EXPECT_TRUE(in.Header("x-who").starts_with(ann.id + " ")) << in.Header("x-who");
  EXPECT_NE(in.Header("x-who").find("conversations:read"), std::string::npos);
  EXPECT_EQ(GetWith(proxy->port(0), "/tokens").status(), 401);
  std::string forged = ann.token;
  forged[forged.size() - 10] = forged[forged.size() - 10] == 'A' ? 'B' : 'A';
  EXPECT_EQ(Ask("/tokens", forged).status(), 401);
  const TokenIssuer stranger(jwt::Algorithm::kRs256, "k");
  EXPECT_EQ(Ask("/tokens", stranger.TokenOf("ann")).status(), 401);
}

TEST_F(GatewayTest, AsksUsAboutKeysAndTokens) {
  const std::string key = NewKey(backend, ann, R"(["llm"])");
  EXPECT_EQ(Ask("/v1/models", key).Header("x-who"), ann.id + " key llm") << proxy->Output();
  EXPECT_TRUE(Ask("/v1/models", ann.token).Header("x-who").starts_with(ann.id + " session "));
  EXPECT_EQ(GetWith(proxy->port(0), "/v1/models").status(), 401);
  EXPECT_EQ(Ask("/v1/models", "fw_nothing").status(), 401);
  EXPECT_EQ(Ask("/v1/models", NewKey(backend, ann, R"(["chat"])")).status(), 403);
  EXPECT_EQ(backend.Request("POST", "/api/v1/logout", ann.field()).status(), 204);
  EXPECT_EQ(Ask("/v1/models", ann.token).status(), 401) << "at once, where we are asked";
}

TEST_F(GatewayTest, WhoAsksItselfLearnsOnlyOfItself) {
  EXPECT_EQ(GetWith(proxy->port(0), "/internal/auth").status(), 404) << "internal";
  const HttpMessage direct = backend.Get("/internal/auth", ann.field());
  EXPECT_EQ(direct.Header("x-auth-user"), ann.id);
  EXPECT_EQ(backend.Get("/internal/auth", "X-Auth-User: somebody\r\n").status(), 401);
}

}  // namespace
}  // namespace framewall::test
