// A key for verifying signatures, from a JWK (RFC 7517, RFC 7518 6, RFC 8037 2). EC and oct are
// libcjose's, RSA and Ed25519 OpenSSL's. Not for two threads at a time: libcjose counts references
// without atomics.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/jwt/algorithm.h"

namespace framewall::jwt {

class JsonObject;

// RSA moduli in bits.
inline constexpr size_t kLeastRsaBits = 2048;
inline constexpr size_t kMostRsaBits = 8192;

class Key {
 public:
  // A key that verifies. The error says why this one cannot be used: its kty, crv or alg is not
  // known, it is for encryption, it is too weak, or members are missing or malformed. Private
  // members are not looked at. The error never shows a piece of the key.
  static Result<Key> FromJwk(const JsonObject& jwk);

  Key(Key&&) noexcept;
  Key& operator=(Key&&) noexcept;
  ~Key();

  const std::optional<std::string>& kid() const { return kid_; }
  KeyType type() const { return type_; }
  // The only algorithm that it may be used with, where it names one.
  const std::optional<Algorithm>& algorithm() const { return algorithm_; }

  // May a token of this algorithm be verified with it? Type and curve, its own `alg`, and for HS
  // its length.
  bool Fits(Algorithm algorithm) const;

  // `compact` is the whole token, of which `signing_input` is what is signed. Requires:
  // Fits(algorithm), and that `compact` names that algorithm.
  bool Verify(Algorithm algorithm, std::string_view compact, std::string_view signing_input,
              std::string_view signature) const;

 private:
  struct Handle;
  Key();

  std::unique_ptr<Handle> handle_;
  std::optional<std::string> kid_;
  KeyType type_ = KeyType::kOct;
  std::optional<Algorithm> algorithm_;
  size_t octets_ = 0;  // of the modulus or the secret
};

}  // namespace framewall::jwt
