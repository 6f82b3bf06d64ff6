#include "proxy/jwt/sign.h"

#include <gtest/gtest.h>

#include "proxy/base/encoding.h"
#include "tests/support/token_issuer.h"

namespace framewall::jwt {
namespace {

using test::NewPrivateKey;

TEST(Signer, WritesAHeaderWithAlgKidAndTyp) {
  const auto signer = Signer::FromPem(NewPrivateKey(KeyType::kP256), Algorithm::kEs256, "a\"b");
  ASSERT_TRUE(signer.ok());
  const std::string token = *signer->Sign("{}");
  EXPECT_EQ(Base64UrlDecode(token.substr(0, token.find('.'))),
            R"({"alg":"ES256","kid":"a\"b","typ":"JWT"})");
  const std::string access = *signer->Sign("{}", "at+jwt");
  EXPECT_EQ(Base64UrlDecode(access.substr(0, access.find('.'))),
            R"({"alg":"ES256","kid":"a\"b","typ":"at+jwt"})");
}

TEST(Signer, RefusesKeysThatAreOfNoUse) {
  const auto why = [](const Result<Signer>& signer) {
    return signer.ok() ? "" : signer.error().message;
  };
  EXPECT_EQ(why(Signer::FromPem("", Algorithm::kRs256, "")),
            "an unencrypted private key was expected");
  EXPECT_EQ(why(Signer::FromPem(NewPrivateKey(KeyType::kRsa, 1024), Algorithm::kRs256, "")),
            "the key is of no use for RS256");
  EXPECT_EQ(why(Signer::FromPem(NewPrivateKey(KeyType::kP256), Algorithm::kEs384, "")),
            "the key is of no use for ES384");
  EXPECT_EQ(why(Signer::FromPem(NewPrivateKey(KeyType::kP256), Algorithm::kHs256, "")),
            "the key is of no use for HS256");
  EXPECT_EQ(why(Signer::FromSecret(std::string(31, 's'), Algorithm::kHs256, "")),
            "a secret of 31 octets is of no use for HS256");
  EXPECT_EQ(why(Signer::FromSecret(std::string(32, 's'), Algorithm::kHs256, "")), "");
  EXPECT_EQ(why(Signer::FromSecret(std::string(64, 's'), Algorithm::kRs256, "")),
            "a secret of 64 octets is of no use for RS256");
}

}  // namespace
}  // namespace framewall::jwt
