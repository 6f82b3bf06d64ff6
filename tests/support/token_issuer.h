// An issuer of tokens for tests: it makes keys, signs with them and publishes a key set.
//
//   TokenIssuer issuer;                                       // RS256, kid "k1"
//   proxy.directory().Write("keys.json", issuer.KeySet());
//   "Authorization: Bearer " + issuer.Token(R"({"sub":"ann"})")
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/jwt/sign.h"

namespace framewall::test {

// A new private key in PEM. `rsa_bits` is for RSA alone. Not for kOct.
std::string NewPrivateKey(jwt::KeyType type, int rsa_bits = 2048);

// {"keys":[...]} of JWKs as text.
std::string KeySetOf(std::initializer_list<std::string> jwks);

int64_t UnixNow();

class TokenIssuer {
 public:
  // With a new key.
  explicit TokenIssuer(jwt::Algorithm algorithm = jwt::Algorithm::kRs256, std::string kid = "k1");
  TokenIssuer(jwt::Algorithm algorithm, std::string kid, const std::string& private_key);

  std::string Jwk() const;
  std::string KeySet() const { return KeySetOf({Jwk()}); }
  // `claims`: JSON.
  std::string Token(std::string_view claims) const;
  // {"sub":..., "exp":...}: it ends in so many seconds.
  std::string TokenOf(const std::string& subject, int64_t seconds = 3600) const;
  // A header of the test's own, which need not be honest.
  std::string TokenWithHeader(std::string_view header, std::string_view payload) const;

 private:
  jwt::Signer signer_;
};

}  // namespace framewall::test
