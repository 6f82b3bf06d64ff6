// Key sets: whatever they hold, each key is used or named as left out, a key fits only algorithms
// of its type, and no key verifies a signature of zeros.
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/check.h"
#include "proxy/base/encoding.h"
#include "proxy/jwt/key_set.h"
#include "proxy/jwt/token.h"

namespace framewall::jwt {
namespace {

void CheckKey(const Key& key) {
  bool fits_any = false;
  for (int i = 0; i <= static_cast<int>(Algorithm::kEdDsa); ++i) {
    const auto algorithm = static_cast<Algorithm>(i);
    if (!key.Fits(algorithm)) continue;
    fits_any = true;
    FW_CHECK(KeyTypeOf(algorithm) == key.type());
    FW_CHECK(!key.algorithm() || key.algorithm() == algorithm);
    const size_t size = SignatureOctets(algorithm) != 0 ? SignatureOctets(algorithm) : 256;
    const std::string compact =
        Base64UrlEncode("{\"alg\":\"" + std::string(AlgorithmName(algorithm)) + "\"}") + ".e30." +
        Base64UrlEncode(std::string(size, '\0'));
    const auto token = Token::Parse(compact);
    FW_CHECK(token.ok());
    // With a point of small order zeros may be a signature: whoever chooses keys chooses so.
    if (key.type() == KeyType::kEd25519) continue;
    FW_CHECK(!key.Verify(algorithm, token->compact, token->signing_input, token->signature));
  }
  FW_CHECK(fits_any);
}

void Check(std::string_view text) {
  const auto set = KeySet::Parse(text);
  if (!set.ok()) {
    FW_CHECK(!set.error().message.empty());
    return;
  }
  FW_CHECK(set->keys().size() + set->skipped().size() <= kMostKeys);
  for (const Key& key : set->keys()) CheckKey(key);
}

}  // namespace
}  // namespace framewall::jwt

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  framewall::jwt::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
