#include "backend/auth/access_tokens.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "backend/base/id.h"
#include "backend/base/time.h"
#include "proxy/base/encoding.h"
#include "proxy/json/document.h"
#include "proxy/jwt/key_set.h"
#include "tests/support/temp_dir.h"
#include "tests/support/token_issuer.h"

namespace framewall::backend::auth {
namespace {

class AccessTokensTest : public testing::Test {
 protected:
  AccessTokensTest() {
    user.id = NewId();
    user.name = "ann";
    const std::string path = directory.Write("keys/key.pem", pem);
    EXPECT_EQ(::chmod(path.c_str(), 0600), 0);
    keys = SigningKeys::Load({.directory = directory.File("keys"),
                              .place = SecretPlace::kMounted,
                              .policy = KeyPolicy()},
                             now)
               .value();
    tokens = std::make_unique<AccessTokens>(
        AccessTokens::Options{"https://chat.example", "framewall", 600}, *keys, ended);
  }
  std::string Make() { return tokens->Make(user, session, now).value().text; }

  // A token with the right key; `edit` changes its claims, which are in quotes as they stand.
  std::string Signed(const std::string& from, const std::string& to,
                     const std::string& typ = "at+jwt") {
    std::string claims = Claims();
    const size_t at = claims.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    claims.replace(at, from.size(), to);
    return issuer.TokenWithHeader(R"({"alg":"RS256","kid":"key","typ":")" + typ + "\"}", claims);
  }
  std::string Claims() {
    const std::string token = Make();
    const size_t dot = token.find('.');
    return *Base64UrlDecode(token.substr(dot + 1, token.rfind('.') - dot - 1));
  }
  bool Holds(const std::string& token) { return Holds(token, now); }
  bool Holds(const std::string& token, int64_t at) { return tokens->Verify(token, at).ok(); }

  test::TempDir directory;
  const std::string pem = test::NewPrivateKey(jwt::KeyType::kRsa);
  test::TokenIssuer issuer{jwt::Algorithm::kRs256, "key", pem};
  std::unique_ptr<SigningKeys> keys;
  EndedSessions ended{600'000};
  std::unique_ptr<AccessTokens> tokens;
  store::User user;
  const std::string session = NewId();
  const int64_t now = UnixMilliseconds() / 1000 * 1000;
};

TEST_F(AccessTokensTest, SayWhoAsks) {
  user.role = Role::kAdmin;
  const auto bearer = tokens->Verify(Make(), now);
  ASSERT_TRUE(bearer.ok()) << bearer.error().message;
  EXPECT_EQ(bearer->identity.kind, Identity::Kind::kSession);
  EXPECT_EQ(bearer->identity.user, user.id);
  EXPECT_EQ(bearer->identity.name, "ann");
  EXPECT_EQ(bearer->identity.session, session);
  EXPECT_TRUE(bearer->identity.is_admin());
  EXPECT_EQ(bearer->identity.expires, now + 600'000);
  EXPECT_FALSE(bearer->must_change_password);
}

TEST_F(AccessTokensTest, HaveTheClaimsOfRfc9068) {
  const auto claims = json::Document::Parse(Claims());
  for (const char* name : {"iss", "exp", "aud", "sub", "client_id", "iat", "jti", "scope", "sid"}) {
    EXPECT_TRUE(claims->root().Find(name)) << name;
  }
  const std::string header = *Base64UrlDecode(Make().substr(0, Make().find('.')));
  EXPECT_EQ(header, R"({"alg":"RS256","kid":"key","typ":"at+jwt"})");
}

TEST_F(AccessTokensTest, HoldTenMinutesToTheMillisecond) {
  const std::string token = Make();
  EXPECT_TRUE(Holds(token, now + 599'999));
  EXPECT_FALSE(Holds(token, now + 600'000));
}

TEST_F(AccessTokensTest, EndWithTheirSession) {
  const std::string token = Make();
  ended.Remember(NewId(), now);
  EXPECT_TRUE(Holds(token));
  ended.Remember(session, now);
  EXPECT_FALSE(Holds(token));
}

// That a signature was good is remembered no longer than the keys are these.
TEST_F(AccessTokensTest, EndWithTheirKey) {
  const std::string token = Make();
  EXPECT_TRUE(Holds(token));
  EXPECT_TRUE(Holds(token));
  ASSERT_TRUE(keys->Reload(now).ok());
  EXPECT_TRUE(Holds(token));
  directory.Write("keys/key.pem", test::NewPrivateKey(jwt::KeyType::kRsa));
  ASSERT_TRUE(keys->Reload(now).ok());
  EXPECT_FALSE(Holds(token));
  EXPECT_TRUE(Holds(Make()));
  // Nor for another token than that one.
  std::string forged = Make();
  EXPECT_TRUE(Holds(forged));
  char& last = forged[forged.size() - 10];
  last = last == 'A' ? 'B' : 'A';
  EXPECT_FALSE(Holds(forged));
  EXPECT_FALSE(Holds(forged));
}

TEST_F(AccessTokensTest, OfAnotherIssuerAudienceOrTypeAreRefused) {
  EXPECT_TRUE(Holds(Signed("framewall", "framewall")));
  EXPECT_FALSE(Holds(Signed("https://chat.example", "https://evil.example")));
  EXPECT_FALSE(Holds(Signed("https://chat.example", "https://chat.example/")));
  EXPECT_FALSE(Holds(Signed("\"aud\":\"framewall\"", "\"aud\":\"others\"")));
  EXPECT_FALSE(Holds(Signed("\"aud\":\"framewall\"", "\"aud\":[\"framewall\",\"others\"]")));
  EXPECT_FALSE(Holds(Signed("\"aud\":\"framewall\",", "")));
  EXPECT_FALSE(Holds(Signed("ann", "ann", "JWT")));
  EXPECT_FALSE(Holds(Signed("ann", "ann", "id+jwt")));
  EXPECT_FALSE(Holds(issuer.TokenWithHeader(R"({"alg":"RS256","kid":"key"})", Claims())));
  EXPECT_TRUE(Holds(Signed("ann", "ann", "application/at+jwt")));
}

TEST_F(AccessTokensTest, WithoutWhatTheyMustSayAreRefused) {
  EXPECT_FALSE(Holds(Signed("\"exp\":", "\"exp_\":")));
  EXPECT_FALSE(Holds(Signed("\"sub\":", "\"sub_\":")));
  EXPECT_FALSE(Holds(Signed("\"sid\":", "\"sid_\":")));
  EXPECT_FALSE(Holds(Signed("\"role\":", "\"role_\":")));
  EXPECT_FALSE(Holds(Signed("\"sub\":\"" + user.id, "\"sub\":\"somebody")));
}

TEST_F(AccessTokensTest, AnUnknownRoleIsNoAdministrator) {
  const auto bearer = tokens->Verify(Signed("\"role\":\"user\"", "\"role\":\"root\""), now);
  ASSERT_TRUE(bearer.ok());
  EXPECT_FALSE(bearer->identity.is_admin());
}

TEST_F(AccessTokensTest, ForgedOnesAreRefused) {
  const std::string claims = Claims();
  // Without a signature, in every spelling.
  for (const char* alg : {"none", "None", "NONE", "nOnE"}) {
    const std::string header =
        Base64UrlEncode(std::string(R"({"alg":")") + alg + R"(","typ":"at+jwt"})");
    EXPECT_FALSE(Holds(header + "." + Base64UrlEncode(claims) + "."));
  }
  // Another key with our kid.
  const test::TokenIssuer other(jwt::Algorithm::kRs256, "key");
  EXPECT_FALSE(
      Holds(other.TokenWithHeader(R"({"alg":"RS256","kid":"key","typ":"at+jwt"})", claims)));
  // The public key as the secret of an HMAC.
  for (const std::string& secret : {keys->published(), issuer.Jwk()}) {
    const auto confused = jwt::Signer::FromSecret(secret, jwt::Algorithm::kHs256, "key");
    EXPECT_FALSE(Holds(confused->Sign(claims, "at+jwt").value()));
  }
  // Our own key, another algorithm than it is published for.
  const test::TokenIssuer pss(jwt::Algorithm::kPs256, "key", pem);
  EXPECT_FALSE(Holds(pss.TokenWithHeader(R"({"alg":"PS256","kid":"key","typ":"at+jwt"})", claims)));
  // Its own key in the header.
  EXPECT_FALSE(Holds(other.TokenWithHeader(
      R"({"alg":"RS256","typ":"at+jwt","jwk":)" + other.Jwk() + "}", claims)));
  EXPECT_FALSE(Holds(""));
  EXPECT_FALSE(Holds("a.b.c"));
}

TEST_F(AccessTokensTest, AChangedOctetAnywhereIsRefused) {
  const std::string token = Make();
  for (size_t i = 0; i < token.size(); i += 7) {
    std::string forged = token;
    forged[i] = forged[i] == 'A' ? 'Q' : 'A';
    if (forged == token) continue;
    EXPECT_FALSE(Holds(forged)) << i;
  }
}

TEST_F(AccessTokensTest, OfAPasswordToBeChangedOpenNoSocket) {
  user.must_change_password = true;
  const std::string token = Make();
  EXPECT_TRUE(tokens->Verify(token, now)->must_change_password);
  EXPECT_FALSE(tokens->VerifyAccessToken(token).ok());
  user.must_change_password = false;
  EXPECT_TRUE(tokens->VerifyAccessToken(Make()).ok());
}

TEST_F(AccessTokensTest, RefusalsShowNoPieceOfTheToken) {
  const auto refused = tokens->Verify(Signed("framewall", "canary-4711"), now);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message.find("canary-4711"), std::string::npos);
}

}  // namespace
}  // namespace framewall::backend::auth
