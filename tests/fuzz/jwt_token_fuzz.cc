// Tokens against a key set of every type: nothing that is made up passes, whatever the sets are.
// The same octets are read as a payload too, whose values are asked for by name.
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/check.h"
#include "proxy/base/encoding.h"
#include "proxy/jwt/json_object.h"
#include "proxy/jwt/token.h"
#include "proxy/jwt/verifier.h"

namespace framewall::jwt {
namespace {

// The public keys of RFC 7515 A.2 to A.4 and RFC 8037 A, and a secret of our own.
constexpr char kKeys[] =
    R"({"keys":[{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"},)"
    R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},)"
    R"({"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"},)"
    R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},)"
    R"({"kty":"oct","kid":"s","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}]})";

// The payload of the only tokens that these keys have signed and that are public.
bool IsOfTheRfc(std::string_view payload) { return payload.starts_with("{\"iss\":\"joe\""); }

void CheckToken(std::string_view text) {
  static const KeySet keys = std::move(KeySet::Parse(kKeys)).value();
  const KeySet* sets[] = {&keys};
  const Verification verification = Verify(text, sets, 0, 0);
  FW_CHECK((verification.token == nullptr) == (verification.failure != Failure::kNone));
  FW_CHECK((verification.token == nullptr) == !verification.why.empty());
  FW_CHECK(verification.token == nullptr || IsOfTheRfc(verification.token->payload()));
  const auto token = Token::Parse(text);
  if (!token.ok()) return;
  FW_CHECK(token->compact == text && text.starts_with(token->signing_input));
  // One token, one spelling.
  FW_CHECK(std::string(token->signing_input) + "." + Base64UrlEncode(token->signature) == text);
  FW_CHECK(!token->header->json.Has("crit"));
}

void CheckClaims(std::string_view text) {
  const auto claims = JsonObject::Parse(text);
  if (!claims.ok()) return;
  for (const char* name : {"exp", "nbf", "iat"}) {
    const auto time = claims->SecondsAsMilliseconds(name);
    FW_CHECK(time.has_value() == claims->IsNumber(name));
  }
  std::string out;
  const std::string path[] = {"a", "b"};
  claims->AppendText(path, out);
  claims->AppendTextOf("sub", out);
  const VerifiedToken token(
      std::shared_ptr<const TokenHeader>(
          new TokenHeader{Algorithm::kRs256, std::nullopt, std::move(*JsonObject::Parse("{}"))}),
      std::move(*JsonObject::Parse(text)), std::string(text));
  CheckTimes(token, INT64_MAX, INT64_MAX);
  CheckTimes(token, INT64_MIN, INT64_MAX);
}

}  // namespace
}  // namespace framewall::jwt

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  framewall::jwt::CheckToken(text);
  framewall::jwt::CheckClaims(text);
  return 0;
}
