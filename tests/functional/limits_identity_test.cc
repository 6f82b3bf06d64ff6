// A limit by a token's claim: who cannot show that the token is his neither spends another's budget
// nor gets one of his own.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/functional/auth_jwt_testing.h"

namespace framewall::test {
namespace {

class LimitsByToken : public ::testing::Test {
 protected:
  // Two requests for each user, five for the address.
  void SetUp() override {
    proxy_ = std::make_unique<ProxyProcess>(
        TokenServer("auth_jwt_key_file %%DIR%%/keys.json; limit_req_status 429;\n"
                    "location / { auth_jwt r; limit_req zone=user burst=1 nodelay;\n"
                    "             limit_req zone=address burst=4 nodelay; root %%DIR%%; }",
                    "limit_req_zone $jwt_claim_sub zone=user:1m rate=1r/m;\n"
                    "limit_req_zone $binary_remote_addr zone=address:1m rate=1r/m;"));
    proxy_->directory().Write("keys.json", issuer_.KeySet());
    proxy_->directory().Write("page", "page");
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }
  int As(const std::string& token) const { return GetAs(proxy_->port(0), "/page", token).status(); }
  // Three of these are refused by their token, and ann still has her two.
  void SpendsNothing(const std::string& token) {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(As(token), 401);
    EXPECT_EQ(As(issuer_.TokenOf("ann")), 200);
    EXPECT_EQ(As(issuer_.TokenOf("ann")), 200);
    // And gets nothing: the address has used its five.
    EXPECT_EQ(As(token), 429);
  }

  TokenIssuer issuer_{jwt::Algorithm::kEs256};
  std::unique_ptr<ProxyProcess> proxy_;
};

TEST_F(LimitsByToken, CountsAUserWhateverHisToken) {
  EXPECT_EQ(As(issuer_.TokenOf("ann")), 200);
  EXPECT_EQ(As(issuer_.TokenOf("ann", 60)), 200);
  EXPECT_EQ(As(issuer_.TokenOf("ann", 90)), 429);
  EXPECT_EQ(As(issuer_.TokenOf("bob")), 200);
}

TEST_F(LimitsByToken, AForgedOneSpendsNothing) {
  SpendsNothing(TokenIssuer(jwt::Algorithm::kEs256).TokenOf("ann"));
}

TEST_F(LimitsByToken, AnUnsignedOneSpendsNothing) {
  SpendsNothing("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.");  // {"alg":"none"}, {"sub":"ann"}
}

TEST_F(LimitsByToken, AnExpiredOneSpendsNothing) { SpendsNothing(issuer_.TokenOf("ann", -10)); }

}  // namespace
}  // namespace framewall::test
