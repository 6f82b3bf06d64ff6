// Known ways to get a token past a verifier, by name. None may pass.
#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/ec.h>

#include "proxy/base/encoding.h"
#include "proxy/jwt/verifier.h"
#include "tests/support/token_issuer.h"

namespace framewall::jwt {
namespace {

using test::KeySetOf;
using test::TokenIssuer;

constexpr char kClaims[] = R"({"sub":"ann"})";

// Keys as a shop would have them: RSA and EC side by side.
class Attack : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    rsa_ = new TokenIssuer(Algorithm::kRs256, "rsa");
    ec_ = new TokenIssuer(Algorithm::kEs256, "ec");
  }
  static void TearDownTestSuite() {
    delete rsa_;
    delete ec_;
  }

  static KeySet SetOf(std::initializer_list<std::string> jwks) {
    auto set = KeySet::Parse(KeySetOf(jwks));
    EXPECT_TRUE(set.ok()) << set.error().message;
    return std::move(set).value();
  }
  // Why it is refused; "passed" where it is not.
  static std::string Why(const std::string& token, const KeySet& set) {
    const KeySet* sets[] = {&set};
    const Verification verification = Verify(token, sets, 0, 0);
    if (verification.token != nullptr) return "passed";
    EXPECT_NE(verification.failure, Failure::kNone);
    EXPECT_FALSE(verification.why.empty());
    return verification.why;
  }
  std::string Why(const std::string& token) const { return Why(token, ours_); }

  static TokenIssuer* rsa_;
  static TokenIssuer* ec_;
  const KeySet ours_ = SetOf({rsa_->Jwk(), ec_->Jwk()});
};
TokenIssuer* Attack::rsa_ = nullptr;
TokenIssuer* Attack::ec_ = nullptr;

std::string Unsigned(std::string_view header) {
  return Base64UrlEncode(header) + "." + Base64UrlEncode(kClaims) + ".";
}

// The parts of a token, to put together anew.
struct Parts {
  std::string header, payload, signature;
  explicit Parts(const std::string& token) {
    const size_t first = token.find('.');
    const size_t second = token.find('.', first + 1);
    header = token.substr(0, first);
    payload = token.substr(first + 1, second - first - 1);
    signature = token.substr(second + 1);
  }
  std::string Joined() const { return header + "." + payload + "." + signature; }
};

TEST_F(Attack, HonestTokensPass) {
  EXPECT_EQ(Why(rsa_->Token(kClaims)), "passed");
  EXPECT_EQ(Why(ec_->Token(kClaims)), "passed");
}

TEST_F(Attack, AlgNoneInAnyCasing) {
  for (const char* none : {"none", "None", "NONE", "nOnE", "", " none", "none "}) {
    const std::string header = "{\"alg\":\"" + std::string(none) + "\"}";
    EXPECT_EQ(Why(Unsigned(header)), "its \"alg\" \"" + std::string(none) + "\" is not supported");
    // With a signature that was right for something else.
    Parts parts(rsa_->Token(kClaims));
    parts.header = Base64UrlEncode(header);
    EXPECT_EQ(Why(parts.Joined()), "its \"alg\" \"" + std::string(none) + "\" is not supported");
  }
  EXPECT_EQ(Why(Unsigned("{}")), "its header has no \"alg\"");
  EXPECT_EQ(Why(Unsigned("{\"alg\":null}")), "its header has no \"alg\"");
  EXPECT_EQ(Why(Unsigned("{\"alg\":[\"none\",\"RS256\"]}")), "its header has no \"alg\"");
}

TEST_F(Attack, AlgInAnotherCasing) {
  for (const char* alg : {"rs256", "Rs256", "RS256 "}) {
    Parts parts(rsa_->Token(kClaims));
    parts.header = Base64UrlEncode("{\"alg\":\"" + std::string(alg) + "\"}");
    EXPECT_EQ(Why(parts.Joined()), "its \"alg\" \"" + std::string(alg) + "\" is not supported");
  }
}

// CVE-2015-9235 and its kin: the public key as the secret of an HMAC.
TEST_F(Attack, HsWithThePublicKey) {
  for (const std::string& secret : {rsa_->Jwk(), ec_->Jwk(), KeySetOf({rsa_->Jwk()})}) {
    for (const char* kid : {"", ",\"kid\":\"rsa\"", ",\"kid\":\"ec\""}) {
      const auto forger = Signer::FromSecret(secret, Algorithm::kHs256, "");
      ASSERT_TRUE(forger.ok());
      const auto token =
          forger->SignWithHeader("{\"alg\":\"HS256\"" + std::string(kid) + "}", kClaims);
      EXPECT_NE(Why(*token), "passed") << kid;
    }
  }
}

TEST_F(Attack, AnotherAlgorithmThanTheKeyNames) {
  const std::string pem = test::NewPrivateKey(KeyType::kRsa);
  const TokenIssuer rs256(Algorithm::kRs256, "k", pem);
  const TokenIssuer ps256(Algorithm::kPs256, "k", pem);
  const KeySet set = SetOf({rs256.Jwk()});
  EXPECT_EQ(Why(rs256.Token(kClaims), set), "passed");
  EXPECT_EQ(Why(ps256.Token(kClaims), set), "its key may not be used for PS256 with kid \"k\"");
}

TEST_F(Attack, KeysThatTheTokenBringsAlong) {
  const TokenIssuer stranger(Algorithm::kRs256, "rsa");
  for (const std::string& more :
       {"\"jwk\":" + stranger.Jwk(), std::string("\"jku\":\"https://evil.example/keys.json\""),
        std::string("\"x5u\":\"https://evil.example/cert.pem\""), std::string("\"x5c\":[\"MIIB\"]"),
        std::string("\"x5t\":\"AAAA\"")}) {
    const std::string token =
        stranger.TokenWithHeader("{\"alg\":\"RS256\",\"kid\":\"rsa\"," + more + "}", kClaims);
    EXPECT_EQ(Why(token), "its signature does not fit, RS256 with kid \"rsa\"") << more;
    // They are not looked at: an honest token may have them.
    EXPECT_EQ(
        Why(rsa_->TokenWithHeader("{\"alg\":\"RS256\",\"kid\":\"rsa\"," + more + "}", kClaims)),
        "passed");
  }
}

TEST_F(Attack, KidIsANameAndNothingElse) {
  const TokenIssuer stranger(Algorithm::kRs256, "");
  for (const char* kid : {"../../../../dev/null", "/etc/passwd", "rsa' OR '1'='1", "rsa|id", "RSA",
                          "rsa ", "", "http://evil.example/key"}) {
    const std::string token = stranger.TokenWithHeader(
        "{\"alg\":\"RS256\",\"kid\":\"" + std::string(kid) + "\"}", kClaims);
    EXPECT_EQ(Why(token), "no key fits RS256 with kid \"" + std::string(kid) + "\"");
  }
  for (const char* kid : {"1", "null", "[\"rsa\"]", "{}"}) {
    const std::string token =
        rsa_->TokenWithHeader("{\"alg\":\"RS256\",\"kid\":" + std::string(kid) + "}", kClaims);
    EXPECT_EQ(Why(token), "its \"kid\" is no string");
  }
  EXPECT_NE(Why(rsa_->TokenWithHeader("{\"alg\":\"RS256\",\"kid\":\"a\\u0000b\"}", kClaims))
                .find("U+0000 in a string"),
            std::string::npos);
  // A log line shows no control characters of a stranger.
  EXPECT_EQ(Why(rsa_->TokenWithHeader("{\"alg\":\"RS256\",\"kid\":\"a\\nb\"}", kClaims)),
            "no key fits RS256 with kid (unprintable)");
}

TEST_F(Attack, SignatureOfTheWrongLength) {
  for (const TokenIssuer* issuer : {rsa_, ec_}) {
    const Parts honest(issuer->Token(kClaims));
    const std::string signature = *Base64UrlDecode(honest.signature);
    for (const std::string& wrong :
         {signature.substr(0, signature.size() - 1), signature + '\0', '\0' + signature,
          signature.substr(1), signature + signature, std::string(1, '\0')}) {
      Parts parts = honest;
      parts.signature = Base64UrlEncode(wrong);
      EXPECT_NE(Why(parts.Joined()), "passed") << wrong.size();
    }
    Parts parts = honest;
    parts.signature.clear();
    EXPECT_EQ(Why(parts.Joined()), "it has no signature");
  }
}

// CVE-2022-21449: r and s of zero.
TEST_F(Attack, EsSignatureOfZeros) {
  Parts parts(ec_->Token(kClaims));
  parts.signature = Base64UrlEncode(std::string(64, '\0'));
  EXPECT_NE(Why(parts.Joined()), "passed");
}

// The same signature as OpenSSL writes it: right, but no JWS.
TEST_F(Attack, EsSignatureInDer) {
  Parts parts(ec_->Token(kClaims));
  const std::string raw = *Base64UrlDecode(parts.signature);
  ECDSA_SIG* signature = ECDSA_SIG_new();
  const auto* bytes = reinterpret_cast<const uint8_t*>(raw.data());
  ECDSA_SIG_set0(signature, BN_bin2bn(bytes, 32, nullptr), BN_bin2bn(bytes + 32, 32, nullptr));
  uint8_t* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature, &der);
  parts.signature = Base64UrlEncode({reinterpret_cast<char*>(der), static_cast<size_t>(size)});
  OPENSSL_free(der);
  ECDSA_SIG_free(signature);
  EXPECT_NE(Why(parts.Joined()), "passed");
}

// libcjose alone would verify it.
TEST_F(Attack, Es256WithAKeyOfP521) {
  const std::string pem = test::NewPrivateKey(KeyType::kP521);
  const TokenIssuer honest(Algorithm::kEs512, "k", pem);
  std::string jwk = honest.Jwk();
  jwk.replace(jwk.find("\"alg\":\"ES512\","), 14, "");
  const KeySet set = SetOf({jwk});
  ASSERT_EQ(set.keys().size(), 1U);
  EXPECT_EQ(Why(honest.Token(kClaims), set), "passed");
  EXPECT_EQ(Why(honest.TokenWithHeader(R"({"alg":"ES256","kid":"k"})", kClaims), set),
            "its key may not be used for ES256 with kid \"k\"");
  // And the key may not call itself so either.
  jwk.insert(1, "\"alg\":\"ES256\",");
  EXPECT_TRUE(SetOf({jwk}).keys().empty());
}

TEST_F(Attack, WeakKeysAreNoKeys) {
  // One octet, 31 octets; 32 are enough for HS256 and not for HS512.
  for (const size_t octets : {1, 31}) {
    const KeySet set =
        SetOf({"{\"kty\":\"oct\",\"k\":\"" + Base64UrlEncode(std::string(octets, 'k')) + "\"}"});
    EXPECT_TRUE(set.keys().empty()) << octets;
  }
  const KeySet of_32 =
      SetOf({"{\"kty\":\"oct\",\"k\":\"" + Base64UrlEncode(std::string(32, 'k')) + "\"}"});
  ASSERT_EQ(of_32.keys().size(), 1U);
  EXPECT_TRUE(of_32.keys()[0].Fits(Algorithm::kHs256));
  EXPECT_FALSE(of_32.keys()[0].Fits(Algorithm::kHs384));
  EXPECT_FALSE(of_32.keys()[0].Fits(Algorithm::kHs512));
}

TEST_F(Attack, RsaOf1024BitsIsNoKey) {
  // An n of 1024 bits, and one of 2047.
  for (const size_t octets : {128, 256}) {
    std::string n(octets, '\xff');
    if (octets == 256) n[0] = 0x7f;
    const KeySet set =
        SetOf({"{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" + Base64UrlEncode(n) + "\"}"});
    EXPECT_TRUE(set.keys().empty());
    EXPECT_NE(set.skipped().at(0).find("bits, 2048 to 8192 were expected"), std::string::npos);
  }
}

TEST_F(Attack, RsaExponentOfOne) {
  for (const char* e : {"AQ", "Ag", "AA", "AAAB"}) {
    const KeySet set = SetOf({"{\"kty\":\"RSA\",\"e\":\"" + std::string(e) + "\",\"n\":\"" +
                              Base64UrlEncode(std::string(256, '\xff')) + "\"}"});
    EXPECT_TRUE(set.keys().empty()) << e;
  }
}

TEST_F(Attack, HeaderNamesTwice) {
  for (const char* header :
       {R"({"alg":"RS256","alg":"none"})", R"({"alg":"none","alg":"RS256"})",
        R"({"alg":"RS256","kid":"rsa","kid":"ec"})", R"({"alg":"RS256","x":{"a":1,"a":2}})",
        R"({"alg":"RS256","\u0061lg":"none"})"}) {
    EXPECT_NE(Why(rsa_->TokenWithHeader(header, kClaims)).find("a name stands twice"),
              std::string::npos)
        << header;
  }
}

TEST_F(Attack, ClaimsTwice) {
  EXPECT_NE(Why(rsa_->Token(R"({"sub":"ann","sub":"root"})")).find("a name stands twice"),
            std::string::npos);
}

TEST_F(Attack, CriticalExtensions) {
  for (const char* header :
       {R"({"alg":"RS256","crit":["exp"]})", R"({"alg":"RS256","crit":[]})",
        R"({"alg":"RS256","crit":null})", R"({"alg":"RS256","crit":["b64"],"b64":false})"}) {
    EXPECT_EQ(Why(rsa_->TokenWithHeader(header, kClaims)), "its header has \"crit\"") << header;
  }
}

// RFC 7797: a payload that is signed unencoded.
TEST_F(Attack, UnencodedPayload) {
  EXPECT_EQ(Why(rsa_->TokenWithHeader(R"({"alg":"RS256","b64":false})", kClaims)),
            "its header has \"b64\"");
}

TEST_F(Attack, EncryptedAndNestedTokens) {
  EXPECT_EQ(Why("eyJhbGciOiJSU0EtT0FFUCJ9.AAAA.AAAA.AAAA.AAAA"), "it is encrypted (JWE)");
  const std::string inner = rsa_->Token(kClaims);
  for (const char* cty : {"JWT", "jwt", "application/jwt"}) {
    EXPECT_EQ(Why(rsa_->TokenWithHeader("{\"alg\":\"RS256\",\"cty\":\"" + std::string(cty) + "\"}",
                                        inner)),
              "it is a nested token (cty JWT)");
  }
  EXPECT_NE(Why(rsa_->Token(inner)).find("its payload:"), std::string::npos);
}

TEST_F(Attack, TimesThatAreNoNumbers) {
  for (const char* name : {"exp", "nbf", "iat"}) {
    for (const char* value : {"\"9999999999\"", "null", "true", "[9999999999]", "{}"}) {
      EXPECT_EQ(Why(rsa_->Token("{\"" + std::string(name) + "\":" + value + "}")),
                "its \"" + std::string(name) + "\" is no number")
          << value;
    }
    for (const char* value : {"1e400", "-1e400", "99999999999999999999"}) {
      EXPECT_NE(Why(rsa_->Token("{\"" + std::string(name) + "\":" + value + "}"))
                    .find("a number is too large"),
                std::string::npos)
          << value;
    }
    EXPECT_NE(Why(rsa_->Token("{\"" + std::string(name) + "\":NaN}")), "passed");
  }
}

TEST_F(Attack, TextThatIsNoStrictBase64url) {
  const Parts honest(rsa_->Token(kClaims));
  for (const std::string& wrong :
       {honest.signature + "=", honest.signature + "==", " " + honest.signature,
        honest.signature + "\n", honest.signature.substr(1) + "+", honest.signature + "%3D"}) {
    Parts parts = honest;
    parts.signature = wrong;
    EXPECT_EQ(Why(parts.Joined()), "its signature is not base64url without padding");
  }
  // 256 octets leave four bits over, which must be zero: one signature, one spelling.
  Parts parts = honest;
  ASSERT_EQ(parts.signature.size(), 342U);
  char& last = parts.signature.back();
  last = static_cast<char>(last + 1);
  EXPECT_EQ(Why(parts.Joined()), "its signature is not base64url without padding");
}

TEST_F(Attack, OddNumberOfParts) {
  for (const char* token : {"", ".", "..", "a.b", "a.b.c.d", "a.b.c.d.e.f", "...."}) {
    EXPECT_NE(Why(token), "passed") << token;
  }
}

TEST_F(Attack, HugeTokens) {
  const std::string pad(kMostSetOctets, 'a');
  EXPECT_EQ(Why(pad), "it has 1048576 octets, at most 16384 were expected");
  // Exactly the limit is read.
  const std::string token = ec_->Token(kClaims);
  std::string claims = R"({"sub":")";
  while (ec_->Token(claims + "\"}").size() <= 16384 - 4) claims += "aaa";
  std::string longest = ec_->Token(claims + "\"}");
  EXPECT_LE(longest.size(), 16384U);
  EXPECT_EQ(Why(longest), "passed");
  EXPECT_NE(Why(ec_->Token(claims + "aaaaaa\"}")).find("at most 16384"), std::string::npos);
}

TEST_F(Attack, DeepPayload) {
  EXPECT_NE(Why(rsa_->Token("{\"a\":" + std::string(5000, '[') + std::string(5000, ']') + "}"))
                .find("nested too deeply"),
            std::string::npos);
}

TEST_F(Attack, TokenOfAnotherIssuer) {
  const TokenIssuer stranger(Algorithm::kRs256, "rsa");
  EXPECT_EQ(Why(stranger.Token(kClaims)), "its signature does not fit, RS256 with kid \"rsa\"");
  Parts parts(rsa_->Token(kClaims));
  parts.payload = Base64UrlEncode(R"({"sub":"root"})");
  EXPECT_EQ(Why(parts.Joined()), "its signature does not fit, RS256 with kid \"rsa\"");
}

}  // namespace
}  // namespace framewall::jwt
