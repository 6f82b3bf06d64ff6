#include "proxy/jwt/algorithm.h"

namespace framewall::jwt {
namespace {

struct Row {
  Algorithm algorithm;
  std::string_view name;
  KeyType type;
  size_t hash;
  size_t signature;
};

// By number.
constexpr Row kRows[] = {
    {Algorithm::kRs256, "RS256", KeyType::kRsa, 32, 0},
    {Algorithm::kRs384, "RS384", KeyType::kRsa, 48, 0},
    {Algorithm::kRs512, "RS512", KeyType::kRsa, 64, 0},
    {Algorithm::kPs256, "PS256", KeyType::kRsa, 32, 0},
    {Algorithm::kPs384, "PS384", KeyType::kRsa, 48, 0},
    {Algorithm::kPs512, "PS512", KeyType::kRsa, 64, 0},
    {Algorithm::kEs256, "ES256", KeyType::kP256, 32, 64},
    {Algorithm::kEs384, "ES384", KeyType::kP384, 48, 96},
    {Algorithm::kEs512, "ES512", KeyType::kP521, 64, 132},
    {Algorithm::kHs256, "HS256", KeyType::kOct, 32, 32},
    {Algorithm::kHs384, "HS384", KeyType::kOct, 48, 48},
    {Algorithm::kHs512, "HS512", KeyType::kOct, 64, 64},
    {Algorithm::kEdDsa, "EdDSA", KeyType::kEd25519, 0, 64},
};

constexpr bool InOrder() {
  for (size_t i = 0; i < std::size(kRows); ++i) {
    if (static_cast<size_t>(kRows[i].algorithm) != i) return false;
  }
  return true;
}
static_assert(InOrder());

const Row& RowOf(Algorithm algorithm) { return kRows[static_cast<size_t>(algorithm)]; }

}  // namespace

std::optional<Algorithm> FindAlgorithm(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.algorithm;
  }
  return std::nullopt;
}

std::string_view AlgorithmName(Algorithm algorithm) { return RowOf(algorithm).name; }
KeyType KeyTypeOf(Algorithm algorithm) { return RowOf(algorithm).type; }
size_t HashOctets(Algorithm algorithm) { return RowOf(algorithm).hash; }
size_t SignatureOctets(Algorithm algorithm) { return RowOf(algorithm).signature; }

}  // namespace framewall::jwt
