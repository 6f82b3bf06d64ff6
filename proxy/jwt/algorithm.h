// Signature algorithms of JWS (RFC 7518 3.1, RFC 8037 3.1) and the keys that they go with. "none"
// is not among them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace framewall::jwt {

enum class Algorithm : uint8_t {
  kRs256,
  kRs384,
  kRs512,
  kPs256,
  kPs384,
  kPs512,
  kEs256,
  kEs384,
  kEs512,
  kHs256,
  kHs384,
  kHs512,
  kEdDsa,  // Ed25519 alone
};

// kty together with the curve.
enum class KeyType : uint8_t { kRsa, kP256, kP384, kP521, kOct, kEd25519 };

// Names differ in case: "none", "NONE" and "rs256" are all unknown.
std::optional<Algorithm> FindAlgorithm(std::string_view name);
std::string_view AlgorithmName(Algorithm algorithm);

// The type of the only keys that it may be used with.
KeyType KeyTypeOf(Algorithm algorithm);
// Octets of its hash; HS keys are at least as long (RFC 7518 3.2).
size_t HashOctets(Algorithm algorithm);
// Octets of a signature; 0: as many as the key's modulus has.
size_t SignatureOctets(Algorithm algorithm);

}  // namespace framewall::jwt
