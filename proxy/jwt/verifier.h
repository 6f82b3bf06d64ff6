// Verification of a token against key sets, and what is then known of its bearer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "proxy/jwt/json_object.h"
#include "proxy/jwt/key_set.h"
#include "proxy/jwt/token.h"

namespace framewall::jwt {

// A token whose signature fits. Whether it holds now is CheckTimes' question, at each use.
class VerifiedToken {
 public:
  VerifiedToken(std::shared_ptr<const TokenHeader> header, JsonObject claims, std::string payload);

  const JsonObject& header() const { return header_->json; }
  const JsonObject& claims() const { return claims_; }
  const std::string& payload() const { return payload_; }  // JSON as it was signed
  // Milliseconds since 1970; nothing: the token does not say.
  std::optional<int64_t> expires() const { return expires_; }
  std::optional<int64_t> not_before() const { return not_before_; }
  std::optional<std::string_view> subject() const { return claims_.String("sub"); }

 private:
  std::shared_ptr<const TokenHeader> header_;
  JsonObject claims_;
  std::string payload_;
  std::optional<int64_t> expires_;
  std::optional<int64_t> not_before_;
};

enum class Failure : uint8_t {
  kNone,
  kMalformed,     // no signed token that we read
  kUnknownKey,    // no key of the sets may be used with it: newer keys could have one
  kBadSignature,  // keys fit, the signature fits none of them
  kBadClaims,     // signed, but its payload is no JSON object or exp, nbf, iat are no numbers
  kExpired,
  kNotYetValid,
};

struct Verification {
  std::shared_ptr<const VerifiedToken> token;  // null: see failure
  Failure failure = Failure::kNone;
  std::string why;  // for the log; shows no piece of the token but its kid and alg
};

// A token without kid is tried with so many keys at most: each try costs a signature.
inline constexpr size_t kMostTries = 8;

// With a `kid`, keys of that kid are tried, or those that have none where no key has it; without
// one all that fit. Which keys fit a token is Key::Fits. Times are not looked at.
Verification VerifySignature(std::string_view compact, std::span<const KeySet* const> sets);

// kNone, kExpired where now is not before exp + leeway, or kNotYetValid before nbf - leeway (RFC
// 7519 4.1.4, 4.1.5). All in milliseconds.
Failure CheckTimes(const VerifiedToken& token, int64_t now, int64_t leeway);

// Both.
Verification Verify(std::string_view compact, std::span<const KeySet* const> sets, int64_t now,
                    int64_t leeway);

}  // namespace framewall::jwt
