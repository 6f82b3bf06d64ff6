#include "proxy/jwt/verifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "proxy/jwt/token.h"

namespace framewall::jwt {
namespace {

// Ten years: sums stay far below what int64 holds.
constexpr int64_t kMostLeeway = int64_t{10} * 366 * 24 * 3600 * 1000;

Verification Fail(Failure failure, std::string why) {
  return Verification{nullptr, failure, std::move(why)};
}

std::string Describe(const Token& token) {
  return fmt::format("{} with {}", AlgorithmName(token.algorithm),
                     token.kid ? "kid " + Quoted(*token.kid) : std::string("no kid"));
}

struct Candidates {
  std::vector<const Key*> keys;
  bool kid_is_known = false;
};

// The keys that may have signed it.
Candidates FindCandidates(const Token& token, std::span<const KeySet* const> sets) {
  std::vector<const Key*> named;
  std::vector<const Key*> nameless;
  bool kid_is_known = false;
  for (const KeySet* set : sets) {
    for (const Key& key : set->keys()) {
      const bool same = token.kid.has_value() && key.kid() == token.kid;
      kid_is_known = kid_is_known || same;
      if (!key.Fits(token.algorithm)) continue;
      if (same) named.push_back(&key);
      if (!key.kid().has_value() || !token.kid.has_value()) nameless.push_back(&key);
    }
  }
  return {kid_is_known ? std::move(named) : std::move(nameless), kid_is_known};
}

Verification ReadClaims(Token token) {
  auto claims = JsonObject::Parse(token.payload);
  if (!claims.ok()) {
    return Fail(Failure::kBadClaims, "its payload: " + claims.error().message);
  }
  for (const char* name : {"exp", "nbf", "iat"}) {
    if (claims->Has(name) && !claims->IsNumber(name)) {
      return Fail(Failure::kBadClaims, fmt::format("its \"{}\" is no number", name));
    }
  }
  Verification verification;
  verification.token = std::make_shared<const VerifiedToken>(
      std::move(token.header), std::move(claims).value(), std::move(token.payload));
  return verification;
}

}  // namespace

VerifiedToken::VerifiedToken(JsonObject header, JsonObject claims, std::string payload)
    : header_(std::move(header)),
      claims_(std::move(claims)),
      payload_(std::move(payload)),
      expires_(claims_.SecondsAsMilliseconds("exp")),
      not_before_(claims_.SecondsAsMilliseconds("nbf")) {}

Verification VerifySignature(std::string_view compact, std::span<const KeySet* const> sets) {
  auto parsed = Token::Parse(compact);
  if (!parsed.ok()) return Fail(Failure::kMalformed, parsed.error().message);
  Token& token = *parsed;
  const Candidates candidates = FindCandidates(token, sets);
  if (candidates.keys.empty()) {
    return candidates.kid_is_known
               ? Fail(Failure::kBadSignature, "its key may not be used for " + Describe(token))
               : Fail(Failure::kUnknownKey, "no key fits " + Describe(token));
  }
  size_t tries = 0;
  for (const Key* key : candidates.keys) {
    if (++tries > kMostTries) {
      return Fail(Failure::kBadSignature,
                  fmt::format("its signature fits none of the first {} keys for {}", kMostTries,
                              Describe(token)));
    }
    if (key->Verify(token.algorithm, token.compact, token.signing_input, token.signature)) {
      return ReadClaims(std::move(token));
    }
  }
  return Fail(Failure::kBadSignature, "its signature does not fit, " + Describe(token));
}

Failure CheckTimes(const VerifiedToken& token, int64_t now, int64_t leeway) {
  leeway = std::clamp<int64_t>(leeway, 0, kMostLeeway);
  if (token.expires() && now >= *token.expires() + leeway) return Failure::kExpired;
  if (token.not_before() && now < *token.not_before() - leeway) return Failure::kNotYetValid;
  return Failure::kNone;
}

Verification Verify(std::string_view compact, std::span<const KeySet* const> sets, int64_t now,
                    int64_t leeway) {
  Verification verification = VerifySignature(compact, sets);
  if (verification.token == nullptr) return verification;
  switch (CheckTimes(*verification.token, now, leeway)) {
    case Failure::kExpired:
      return Fail(Failure::kExpired, "it has expired");
    case Failure::kNotYetValid:
      return Fail(Failure::kNotYetValid, "it is not valid yet");
    default:
      return verification;
  }
}

}  // namespace framewall::jwt
