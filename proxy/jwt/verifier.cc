#include "proxy/jwt/verifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "proxy/jwt/token.h"

namespace framewall::jwt {
namespace {

// Ten years: sums stay far below what int64 holds.
constexpr int64_t kMostLeeway = int64_t{10} * 366 * 24 * 3600 * 1000;

Verification Fail(Failure failure, std::string why) {
  return Verification{nullptr, failure, std::move(why)};
}

std::string Describe(const Token& token) {
  return fmt::format(
      "{} with {}", AlgorithmName(token.header->algorithm),
      token.header->kid ? "kid " + Quoted(*token.header->kid) : std::string("no kid"));
}

// Inline for as many as are tried, and one more to know that there are more.
struct Candidates {
  std::array<const Key*, kMostTries + 1> keys{};
  size_t count = 0;
  bool kid_is_known = false;
};

// The keys that may have signed it.
Candidates FindCandidates(const Token& token, std::span<const KeySet* const> sets) {
  const TokenHeader& header = *token.header;
  Candidates found;
  for (const KeySet* set : sets) {
    for (const Key& key : set->keys()) {
      const bool same = header.kid.has_value() && key.kid() == header.kid;
      if (same && !found.kid_is_known) {
        found.kid_is_known = true;
        found.count = 0;  // those without a name are out
      }
      if (!key.Fits(header.algorithm) || found.count == found.keys.size()) continue;
      const bool nameless = !key.kid().has_value() || !header.kid.has_value();
      if (found.kid_is_known ? same : nameless) found.keys[found.count++] = &key;
    }
  }
  return found;
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

VerifiedToken::VerifiedToken(std::shared_ptr<const TokenHeader> header, JsonObject claims,
                             std::string payload)
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
  if (candidates.count == 0) {
    return candidates.kid_is_known
               ? Fail(Failure::kBadSignature, "its key may not be used for " + Describe(token))
               : Fail(Failure::kUnknownKey, "no key fits " + Describe(token));
  }
  size_t tries = 0;
  for (const Key* key : std::span(candidates.keys).first(candidates.count)) {
    if (++tries > kMostTries) {
      return Fail(Failure::kBadSignature,
                  fmt::format("its signature fits none of the first {} keys for {}", kMostTries,
                              Describe(token)));
    }
    if (key->Verify(token.header->algorithm, token.compact, token.signing_input, token.signature)) {
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
