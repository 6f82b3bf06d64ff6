#include "proxy/jwt/key_set.h"

#include <gtest/gtest.h>

#include "proxy/base/encoding.h"
#include "tests/support/token_issuer.h"

namespace framewall::jwt {
namespace {

using test::KeySetOf;
using test::TokenIssuer;

// Why the only key of a set is left out; empty where it is used.
std::string Skipped(const std::string& jwk) {
  const auto set = KeySet::Parse(KeySetOf({jwk}));
  if (!set.ok()) return "error: " + set.error().message;
  EXPECT_EQ(set->keys().size() + set->skipped().size(), 1U);
  return set->skipped().empty() ? "" : set->skipped()[0];
}

std::string Oct(const std::string& more, size_t octets = 64) {
  return "{\"kty\":\"oct\",\"k\":\"" + Base64UrlEncode(std::string(octets, 'k')) + "\"" + more +
         "}";
}

TEST(KeySet, LeavesOutWhatItCannotUse) {
  EXPECT_EQ(Skipped(Oct("")), "");
  EXPECT_EQ(Skipped(Oct(R"(,"use":"sig")")), "");
  EXPECT_EQ(Skipped(Oct(R"(,"use":"enc")")), "key 1: its \"use\" is not \"sig\"");
  EXPECT_EQ(Skipped(Oct(R"(,"use":1)")), "key 1: its \"use\" is not \"sig\"");
  EXPECT_EQ(Skipped(Oct(R"(,"key_ops":["sign","verify"])")), "");
  EXPECT_EQ(Skipped(Oct(R"(,"key_ops":["sign"])")),
            "key 1: its \"key_ops\" do not have \"verify\"");
  EXPECT_EQ(Skipped(Oct(R"(,"key_ops":[])")), "key 1: its \"key_ops\" do not have \"verify\"");
  EXPECT_EQ(Skipped(Oct(R"(,"key_ops":"verify")")),
            "key 1: its \"key_ops\" do not have \"verify\"");
  EXPECT_EQ(Skipped(Oct(R"(,"alg":"HS512")")), "");
  EXPECT_EQ(Skipped(Oct(R"(,"alg":"HS512")", 63)),
            "key 1: its \"alg\" HS512 does not fit its type, curve or length");
  EXPECT_EQ(Skipped(Oct(R"(,"alg":"A128KW")")),
            "key 1: its \"alg\" is no known signature algorithm");
  EXPECT_EQ(Skipped(Oct(R"(,"alg":"none")")), "key 1: its \"alg\" is no known signature algorithm");
  EXPECT_EQ(Skipped(Oct(R"(,"alg":"RS256")")),
            "key 1: its \"alg\" RS256 does not fit its type, curve or length");
  EXPECT_EQ(Skipped(Oct(R"(,"kid":7)")), "key 1: its \"kid\" is no string");
  EXPECT_EQ(Skipped(Oct(R"(,"kid":"a b","use":"enc")")),
            "key 1 (kid \"a b\"): its \"use\" is not \"sig\"");
}

TEST(KeySet, LeavesOutKeysOfOtherKinds) {
  EXPECT_EQ(Skipped("{}"), "key 1: \"kty\" is missing or no string");
  EXPECT_EQ(Skipped(R"({"kty":"XYZ"})"), "key 1: its \"kty\" is none of RSA, EC, oct and OKP");
  EXPECT_EQ(Skipped(R"({"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"})"),
            "key 1: its \"crv\" is none of P-256, P-384 and P-521");
  EXPECT_EQ(Skipped(R"({"kty":"OKP","crv":"X25519","x":"AA"})"),
            "key 1: its \"crv\" is not Ed25519");
  EXPECT_EQ(Skipped(R"({"kty":"OKP","crv":"Ed25519","x":"AA"})"),
            "key 1: \"x\" is not 32 octets long");
}

TEST(KeySet, LeavesOutMalformedKeys) {
  EXPECT_EQ(Skipped(R"({"kty":"oct"})"), "key 1: \"k\" is missing or no string");
  EXPECT_EQ(Skipped(R"({"kty":"oct","k":"a+b="})"),
            "key 1: \"k\" is not base64url without padding");
  EXPECT_EQ(Skipped(R"({"kty":"oct","k":""})"), "key 1: \"k\" is not base64url without padding");
  EXPECT_EQ(Skipped(R"({"kty":"RSA","n":"AQAB"})"), "key 1: \"e\" is missing or no string");
  const std::string zeros = Base64UrlEncode(std::string(32, '\0'));
  EXPECT_EQ(
      Skipped("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" + zeros + "\",\"y\":\"" + zeros + "\"}"),
      "key 1: its numbers are no key");
  EXPECT_EQ(
      Skipped("{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" + zeros + "\",\"y\":\"" + zeros + "\"}"),
      "key 1: \"x\" and \"y\" are not 48 octets long");
}

TEST(KeySet, KeepsTheGoodKeysBesideBadOnes) {
  const TokenIssuer issuer(Algorithm::kEs256, "good");
  const auto set = KeySet::Parse(KeySetOf({R"({"kty":"XYZ"})", issuer.Jwk(), "{}"}));
  ASSERT_TRUE(set.ok());
  ASSERT_EQ(set->keys().size(), 1U);
  EXPECT_EQ(set->keys()[0].kid(), "good");
  EXPECT_EQ(set->keys()[0].algorithm(), Algorithm::kEs256);
  EXPECT_EQ(set->skipped().size(), 2U);
}

TEST(KeySet, NamesThePlaceAndShowsNoPieceOfIt) {
  const auto broken = [](std::string_view text) {
    const auto set = KeySet::Parse(text);
    EXPECT_FALSE(set.ok());
    return set.ok() ? "" : set.error().message;
  };
  EXPECT_EQ(broken("{\"keys\":[\n{\"kty\":\"oct\",\n \"k\": topsecret }]}"),
            "no JSON Web Key Set, line 3, column 15: it is not valid JSON");
  EXPECT_EQ(broken("{\"keys\":[{\"k\":\"topsecret\",\"k\":\"a\"}]}"),
            "no JSON Web Key Set, line 1, column 29: a name stands twice in an object");
  EXPECT_EQ(broken(""), "no JSON Web Key Set, line 1, column 0: it ends too early");
  EXPECT_EQ(broken("[]"), "no JSON Web Key Set, it is no JSON object");
  EXPECT_EQ(broken("{}"), "no JSON Web Key Set: an object with an array \"keys\" was expected");
  EXPECT_EQ(broken("{\"keys\":{}}"),
            "no JSON Web Key Set: an object with an array \"keys\" was expected");
  EXPECT_EQ(broken("{\"keys\":[1]}"), "key 1 of the key set is no JSON object");
  EXPECT_EQ(broken("{\"keys\":[]} x"),
            "no JSON Web Key Set, line 1, column 13: nothing was expected behind its end");
}

TEST(KeySet, AnEmptySetIsASet) {
  const auto set = KeySet::Parse("{\"keys\":[]}");
  ASSERT_TRUE(set.ok());
  EXPECT_TRUE(set->keys().empty());
}

TEST(KeySet, HasLimits) {
  std::string text = "{\"keys\":[{}";
  for (size_t i = 1; i < kMostKeys; ++i) text += ",{}";
  EXPECT_TRUE(KeySet::Parse(text + "]}").ok());
  EXPECT_FALSE(KeySet::Parse(text + ",{}]}").ok());
  text += "]}";
  EXPECT_TRUE(KeySet::Parse(text + std::string(kMostSetOctets - text.size(), ' ')).ok());
  EXPECT_FALSE(KeySet::Parse(text + std::string(kMostSetOctets - text.size() + 1, ' ')).ok());
}

TEST(KeySet, EachHasANumberOfItsOwn) {
  EXPECT_NE(KeySet::Parse("{\"keys\":[]}")->generation(),
            KeySet::Parse("{\"keys\":[]}")->generation());
}

}  // namespace
}  // namespace framewall::jwt
