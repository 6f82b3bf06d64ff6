// Makes signed tokens (RFC 7515), over OpenSSL alone.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/jwt/algorithm.h"

namespace framewall::jwt {

class Signer {
 public:
  // `pem`: an unencrypted private key of the algorithm's type; RSA of at least 2048 bits. `kid`
  // goes into headers and the JWK; empty: none.
  static Result<Signer> FromPem(std::string_view pem, Algorithm algorithm, std::string kid);
  // HS256, HS384, HS512; a secret at least as long as the hash.
  static Result<Signer> FromSecret(std::string secret, Algorithm algorithm, std::string kid);

  Signer(Signer&&) noexcept;
  Signer& operator=(Signer&&) noexcept;
  ~Signer();

  // `payload`: the claims, a JSON object. The header has alg, kid and typ.
  Result<std::string> Sign(std::string_view payload, std::string_view typ = "JWT") const;
  // With a header of the caller's, who answers for its `alg`.
  Result<std::string> SignWithHeader(std::string_view header, std::string_view payload) const;
  // What verifies its tokens, as a JWK with alg, kid and use: the public key; for HS the secret.
  Result<std::string> Jwk() const;

 private:
  struct Handle;
  Signer(Algorithm algorithm, std::string kid);
  Result<std::string> Signature(std::string_view input) const;

  std::unique_ptr<Handle> handle_;
  Algorithm algorithm_;
  std::string kid_;
};

}  // namespace framewall::jwt
