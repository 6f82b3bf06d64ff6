#include "proxy/jwt/verifier.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "tests/support/token_issuer.h"

namespace framewall::jwt {
namespace {

using test::KeySetOf;
using test::TokenIssuer;

KeySet SetOf(std::initializer_list<std::string> jwks) {
  auto set = KeySet::Parse(KeySetOf(jwks));
  EXPECT_TRUE(set.ok()) << set.error().message;
  return std::move(set).value();
}

std::string Without(std::string jwk, const std::string& member) {
  const size_t at = jwk.find(member + ",");
  EXPECT_NE(at, std::string::npos);
  return jwk.erase(at, member.size() + 1);
}

// Making an RSA key takes long: one of each type serves all, and another to be wrong.
TokenIssuer IssuerOf(Algorithm algorithm, size_t which = 0) {
  static std::map<std::pair<KeyType, size_t>, std::string> keys;
  const KeyType type = KeyTypeOf(algorithm);
  if (type == KeyType::kOct) return TokenIssuer(algorithm, "k");
  std::string& pem = keys[{type, which}];
  if (pem.empty()) pem = test::NewPrivateKey(type);
  return {algorithm, "k", pem};
}

// --- Every algorithm, signed by OpenSSL, verified by libcjose ---

class EachAlgorithm : public ::testing::TestWithParam<Algorithm> {};

TEST_P(EachAlgorithm, IsVerifiedAndOnlyWithItsKey) {
  const TokenIssuer issuer = IssuerOf(GetParam());
  const KeySet set = SetOf({issuer.Jwk()});
  const KeySet* sets[] = {&set};
  const std::string token = issuer.Token(R"({"sub":"ann"})");
  const Verification verification = Verify(token, sets, 0, 0);
  ASSERT_NE(verification.token, nullptr) << verification.why;
  EXPECT_EQ(verification.token->subject(), "ann");
  EXPECT_EQ(verification.token->payload(), R"({"sub":"ann"})");

  if (KeyTypeOf(GetParam()) == KeyType::kOct) return;
  const TokenIssuer other = IssuerOf(GetParam(), 1);
  EXPECT_EQ(Verify(other.Token("{}"), sets, 0, 0).failure, Failure::kBadSignature);
}

// A key without `alg` serves what fits its type and curve.
TEST_P(EachAlgorithm, IsVerifiedWithAKeyThatNamesNone) {
  const TokenIssuer issuer = IssuerOf(GetParam());
  const KeySet set =
      SetOf({Without(issuer.Jwk(), "\"alg\":\"" + std::string(AlgorithmName(GetParam())) + "\"")});
  const KeySet* sets[] = {&set};
  EXPECT_NE(Verify(issuer.Token("{}"), sets, 0, 0).token, nullptr);
}

INSTANTIATE_TEST_SUITE_P(All, EachAlgorithm,
                         ::testing::Values(Algorithm::kRs256, Algorithm::kRs384, Algorithm::kRs512,
                                           Algorithm::kPs256, Algorithm::kPs384, Algorithm::kPs512,
                                           Algorithm::kEs256, Algorithm::kEs384, Algorithm::kEs512,
                                           Algorithm::kHs256, Algorithm::kHs384, Algorithm::kHs512,
                                           Algorithm::kEdDsa),
                         [](const auto& one) { return std::string(AlgorithmName(one.param)); });

// --- Which key ---

TEST(Verifier, TakesTheKeyThatTheTokenNames) {
  const TokenIssuer a(Algorithm::kEs256, "a");
  const TokenIssuer b(Algorithm::kEs256, "b");
  const KeySet first = SetOf({a.Jwk()});
  const KeySet second = SetOf({b.Jwk()});
  const KeySet* both[] = {&first, &second};
  EXPECT_NE(Verify(a.Token("{}"), both, 0, 0).token, nullptr);
  EXPECT_NE(Verify(b.Token("{}"), both, 0, 0).token, nullptr);
  const KeySet* one[] = {&first};
  EXPECT_EQ(Verify(b.Token("{}"), one, 0, 0).failure, Failure::kUnknownKey);
  EXPECT_EQ(Verify(b.TokenWithHeader(R"({"alg":"ES256","kid":"a"})", "{}"), both, 0, 0).failure,
            Failure::kBadSignature);
}

TEST(Verifier, TriesAllThatFitWhereTheTokenNamesNone) {
  const TokenIssuer a(Algorithm::kEs256, "a");
  const TokenIssuer b(Algorithm::kEs256, "b");
  const KeySet set = SetOf({a.Jwk(), b.Jwk()});
  const KeySet* sets[] = {&set};
  EXPECT_NE(Verify(b.TokenWithHeader(R"({"alg":"ES256"})", "{}"), sets, 0, 0).token, nullptr);
  EXPECT_EQ(Verify(b.TokenWithHeader(R"({"alg":"ES384"})", "{}"), sets, 0, 0).failure,
            Failure::kUnknownKey);
}

TEST(Verifier, TakesANamelessKeyWhereNoneHasTheName) {
  const TokenIssuer nameless(Algorithm::kEs256, "");
  const TokenIssuer named(Algorithm::kEs256, "a");
  const KeySet set = SetOf({named.Jwk(), nameless.Jwk()});
  const KeySet* sets[] = {&set};
  EXPECT_NE(
      Verify(nameless.TokenWithHeader(R"({"alg":"ES256","kid":"x"})", "{}"), sets, 0, 0).token,
      nullptr);
  // But not in the place of the one that has it.
  EXPECT_EQ(
      Verify(nameless.TokenWithHeader(R"({"alg":"ES256","kid":"a"})", "{}"), sets, 0, 0).failure,
      Failure::kBadSignature);
}

TEST(Verifier, TriesEightKeysAndNoMore) {
  const TokenIssuer last(Algorithm::kEdDsa, "last");
  std::string jwks;
  for (int i = 0; i < 7; ++i) jwks += TokenIssuer(Algorithm::kEdDsa, "k").Jwk() + ",";
  const std::string token = last.TokenWithHeader(R"({"alg":"EdDSA"})", "{}");
  const auto eighth = KeySet::Parse("{\"keys\":[" + jwks + last.Jwk() + "]}");
  const KeySet* sets[] = {&*eighth};
  EXPECT_NE(Verify(token, sets, 0, 0).token, nullptr);
  const auto ninth = KeySet::Parse(
      "{\"keys\":[" + jwks + TokenIssuer(Algorithm::kEdDsa, "k").Jwk() + "," + last.Jwk() + "]}");
  sets[0] = &*ninth;
  EXPECT_EQ(Verify(token, sets, 0, 0).why,
            "its signature fits none of the first 8 keys for EdDSA with no kid");
}

TEST(Verifier, WithoutAnySetEveryKeyIsUnknown) {
  const TokenIssuer issuer(Algorithm::kEs256, "a");
  EXPECT_EQ(Verify(issuer.Token("{}"), {}, 0, 0).failure, Failure::kUnknownKey);
}

// --- When ---

class Times : public ::testing::Test {
 protected:
  Failure At(const std::string& claims, int64_t now, int64_t leeway = 0) const {
    const KeySet* sets[] = {&set_};
    const Verification verification = Verify(issuer_.Token(claims), sets, now, leeway);
    EXPECT_EQ(verification.token == nullptr, verification.failure != Failure::kNone);
    return verification.failure;
  }

  const TokenIssuer issuer_{Algorithm::kHs256, "k"};
  const KeySet set_ = SetOf({issuer_.Jwk()});
};

TEST_F(Times, ExpEndsIt) {
  EXPECT_EQ(At(R"({"exp":1000})", 999'999), Failure::kNone);
  EXPECT_EQ(At(R"({"exp":1000})", 1'000'000), Failure::kExpired);
  EXPECT_EQ(At(R"({"exp":1000})", 1'029'999, 30'000), Failure::kNone);
  EXPECT_EQ(At(R"({"exp":1000})", 1'030'000, 30'000), Failure::kExpired);
  EXPECT_EQ(At(R"({"exp":1000.5})", 1'000'499), Failure::kNone);
  EXPECT_EQ(At(R"({"exp":1000.5})", 1'000'500), Failure::kExpired);
  EXPECT_EQ(At(R"({"exp":1e3})", 1'000'000), Failure::kExpired);
  EXPECT_EQ(At("{}", std::numeric_limits<int64_t>::max()), Failure::kNone);
}

TEST_F(Times, NbfBeginsIt) {
  EXPECT_EQ(At(R"({"nbf":1000})", 999'999), Failure::kNotYetValid);
  EXPECT_EQ(At(R"({"nbf":1000})", 1'000'000), Failure::kNone);
  EXPECT_EQ(At(R"({"nbf":1000})", 969'999, 30'000), Failure::kNotYetValid);
  EXPECT_EQ(At(R"({"nbf":1000})", 970'000, 30'000), Failure::kNone);
}

TEST_F(Times, IatIsANumberAndNothingMore) {
  EXPECT_EQ(At(R"({"iat":1000})", 0), Failure::kNone);
  EXPECT_EQ(At(R"({"iat":-5})", 0), Failure::kNone);
}

TEST_F(Times, NothingOverflows) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  const std::string most = std::to_string(kMost);
  const std::string least = std::to_string(std::numeric_limits<int64_t>::min());
  EXPECT_EQ(At("{\"exp\":" + most + "}", 1'000'000, kMost), Failure::kNone);
  EXPECT_EQ(At("{\"exp\":" + least + "}", 0, kMost), Failure::kExpired);
  EXPECT_EQ(At("{\"exp\":1e308}", 1'000'000, kMost), Failure::kNone);
  EXPECT_EQ(At("{\"exp\":-1e308}", 0, kMost), Failure::kExpired);
  EXPECT_EQ(At("{\"nbf\":" + most + "}", 0, kMost), Failure::kNotYetValid);
  EXPECT_EQ(At("{\"nbf\":" + least + "}", 0, kMost), Failure::kNone);
}

TEST_F(Times, AnEmptyOrOddPayloadIsNoSetOfClaims) {
  for (const char* payload : {"", "[]", "\"a\"", "1", "{", "{} {}", "\xff"}) {
    EXPECT_EQ(At(payload, 0), Failure::kBadClaims) << payload;
  }
}

}  // namespace
}  // namespace framewall::jwt
