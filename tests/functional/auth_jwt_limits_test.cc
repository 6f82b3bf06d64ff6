// Limits by who the token says: counted behind its verification, so that nobody spends what is
// another's, nor gets a fresh budget by a token that does not hold.
#include <gtest/gtest.h>

#include "proxy/base/encoding.h"
#include "tests/functional/auth_jwt_testing.h"

namespace framewall::test {
namespace {

// Ann and everybody else has two requests; an address has `by_address`.
class TokenLimits : public ::testing::Test {
 protected:
  void Start(const std::string& key = "$jwt_claim_sub", int by_address = 1000) {
    proxy_ = std::make_unique<ProxyProcess>(TokenServer(
        "limit_req_status 429; location / { auth_jwt r; auth_jwt_key_file %%DIR%%/keys.json; "
        "limit_req zone=user burst=1 nodelay; limit_req zone=address burst=" +
            std::to_string(by_address - 1) + " nodelay; empty_gif; }",
        "auth_jwt_claim_set $who sub; map $who $mapped { default \"user:$who\"; \"\" \"\"; }\n"
        "limit_req_zone " +
            key +
            " zone=user:1m rate=1r/m;\n"
            "limit_req_zone $binary_remote_addr zone=address:1m rate=1r/m;"));
    proxy_->directory().Write("keys.json", issuer_.KeySet());
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }
  int As(const std::string& token) const { return GetAs(proxy_->port(0), "/", token).status(); }
  void ExpectTwoRequestsOf(const std::string& subject) const {
    EXPECT_EQ(As(issuer_.TokenOf(subject)), 200) << subject;
    EXPECT_EQ(As(issuer_.TokenOf(subject)), 200) << subject;
    EXPECT_EQ(As(issuer_.TokenOf(subject)), 429) << subject;
  }

  TokenIssuer issuer_{jwt::Algorithm::kEs256};
  std::unique_ptr<ProxyProcess> proxy_;
};

TEST_F(TokenLimits, EachUserHasABudget) {
  Start();
  ExpectTwoRequestsOf("ann");
  ExpectTwoRequestsOf("bob");
}

TEST_F(TokenLimits, AForgedTokenSpendsNothing) {
  Start();
  const TokenIssuer stranger(jwt::Algorithm::kEs256);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(As(stranger.TokenOf("ann")), 401);
  ExpectTwoRequestsOf("ann");
  EXPECT_EQ(As(stranger.TokenOf("ann")), 401);
}

TEST_F(TokenLimits, AnUnsignedTokenSpendsNothing) {
  Start();
  const std::string token =
      Base64UrlEncode(R"({"alg":"none"})") + "." + Base64UrlEncode(R"({"sub":"ann"})") + ".";
  for (int i = 0; i < 5; ++i) EXPECT_EQ(As(token), 401);
  ExpectTwoRequestsOf("ann");
}

TEST_F(TokenLimits, AnExpiredTokenSpendsNothing) {
  Start();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(As(issuer_.TokenOf("ann", -10)), 401);
  ExpectTwoRequestsOf("ann");
}

// Who makes tokens up, one for each request, is still one address.
TEST_F(TokenLimits, NoneOfThemGetsAFreshBudget) {
  Start("$jwt_claim_sub", 3);
  const TokenIssuer stranger(jwt::Algorithm::kEs256);
  EXPECT_EQ(As(stranger.TokenOf("a")), 401);
  EXPECT_EQ(As(issuer_.TokenOf("b", -10)), 401);
  EXPECT_EQ(As("eyJhbGciOiJub25lIn0.e30."), 401);
  EXPECT_EQ(As(stranger.TokenOf("c")), 429);
  EXPECT_EQ(As(issuer_.TokenOf("ann")), 429);
}

TEST_F(TokenLimits, KeysMadeOfClaimsCountTheSame) {
  for (const char* key : {"$who", "$mapped", "\"$jwt_header_alg/$jwt_claim_sub\""}) {
    Start(key);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(As(issuer_.TokenOf("ann", -10)), 401);
    ExpectTwoRequestsOf("ann");
    ExpectTwoRequestsOf("bob");
  }
}

}  // namespace
}  // namespace framewall::test
