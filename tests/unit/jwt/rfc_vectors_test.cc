// The examples of RFC 7515 A, RFC 7520 4 and RFC 8037 A, keys and tokens.
#include <gtest/gtest.h>

#include "proxy/base/encoding.h"
#include "proxy/jwt/json_object.h"
#include "proxy/jwt/token.h"
#include "proxy/jwt/verifier.h"

namespace framewall::jwt {
namespace {

constexpr char kJoe[] =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf"
    "Q";
constexpr char kDoor[] =
    "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250"
    "byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hl"
    "cmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4";
constexpr char kBilbo[] = "bilbo.baggins@hobbiton.example";

constexpr char kOctA1[] =
    R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})";
constexpr char kRsaA2[] =
    R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"})";
constexpr char kEcA3[] =
    R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
constexpr char kEcA4[] =
    R"({"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"})";
constexpr char kRsaBilbo[] =
    R"({"kty":"RSA","kid":"bilbo.baggins@hobbiton.example","use":"sig","n":"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw","e":"AQAB"})";
constexpr char kEcBilbo[] =
    R"({"kty":"EC","kid":"bilbo.baggins@hobbiton.example","use":"sig","crv":"P-521","x":"AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt","y":"AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1"})";
constexpr char kOct44[] =
    R"({"kty":"oct","kid":"018c0ae5-4d9b-471b-bfd6-eef314bc7037","use":"sig","alg":"HS256","k":"hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg"})";
constexpr char kEd25519[] =
    R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";

struct Vector {
  std::string name;
  std::string key;
  std::string header;  // as the RFC prints it, base64url
  std::string payload;
  std::string signature;
};

std::string Header(std::string_view alg, std::string_view kid) {
  return Base64UrlEncode("{\"alg\":\"" + std::string(alg) + "\",\"kid\":\"" + std::string(kid) +
                         "\"}");
}

std::vector<Vector> Vectors() {
  return {
      {"RFC 7515 A.1", kOctA1, "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9", kJoe,
       "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"},
      {"RFC 7515 A.2", kRsaA2, "eyJhbGciOiJSUzI1NiJ9", kJoe,
       "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2F"
       "p5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQB"
       "MHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeY"
       "I2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
      {"RFC 7515 A.3", kEcA3, "eyJhbGciOiJFUzI1NiJ9", kJoe,
       "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
      {"RFC 7515 A.4", kEcA4, "eyJhbGciOiJFUzUxMiJ9", "UGF5bG9hZA",
       "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG"
       "8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"},
      {"RFC 7520 4.1", kRsaBilbo, Header("RS256", kBilbo), kDoor,
       "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xu"
       "glII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5a"
       "AE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0"
       "KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg"},
      {"RFC 7520 4.2", kRsaBilbo, Header("PS384", kBilbo), kDoor,
       "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8"
       "TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRm"
       "BqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQT"
       "lqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw"},
      {"RFC 7520 4.3", kEcBilbo, Header("ES512", kBilbo), kDoor,
       "AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQ"
       "y3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2"},
      {"RFC 7520 4.4", kOct44, Header("HS256", "018c0ae5-4d9b-471b-bfd6-eef314bc7037"), kDoor,
       "s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0"},
      {"RFC 8037 A.4", kEd25519, "eyJhbGciOiJFZERTQSJ9", "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
       "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"},
  };
}

// Does its key verify this text?
bool Fits(const Vector& vector, const std::string& compact) {
  const auto jwk = JsonObject::Parse(vector.key);
  const auto key = Key::FromJwk(*jwk);
  const auto token = Token::Parse(compact);
  EXPECT_TRUE(key.ok()) << vector.name << ": " << key.error().message;
  EXPECT_TRUE(token.ok()) << vector.name << ": " << token.error().message;
  return key.ok() && token.ok() && key->Fits(token->header->algorithm) &&
         key->Verify(token->header->algorithm, token->compact, token->signing_input, token->signature);
}

TEST(RfcVectors, EverySignatureFits) {
  for (const Vector& vector : Vectors()) {
    EXPECT_TRUE(Fits(vector, vector.header + "." + vector.payload + "." + vector.signature))
        << vector.name;
  }
}

TEST(RfcVectors, NoneFitsAfterOneBitOfPayloadOrSignatureChanged) {
  for (const Vector& vector : Vectors()) {
    for (const bool in_payload : {true, false}) {
      std::string payload = *Base64UrlDecode(vector.payload);
      std::string signature = *Base64UrlDecode(vector.signature);
      std::string& changed = in_payload ? payload : signature;
      for (const size_t at : {size_t{0}, changed.size() / 2, changed.size() - 1}) {
        changed[at] = static_cast<char>(changed[at] ^ 1);
        EXPECT_FALSE(Fits(vector, vector.header + "." + Base64UrlEncode(payload) + "." +
                                      Base64UrlEncode(signature)))
            << vector.name << " at " << at;
        changed[at] = static_cast<char>(changed[at] ^ 1);
      }
    }
  }
}

TEST(RfcVectors, ClaimsOfJoe) {
  const auto set = KeySet::Parse("{\"keys\":[" + std::string(kRsaA2) + "]}");
  ASSERT_TRUE(set.ok());
  const KeySet* sets[] = {&*set};
  const Vector joe = Vectors()[1];
  const std::string compact = joe.header + "." + joe.payload + "." + joe.signature;
  // "exp":1300819380
  const auto before = Verify(compact, sets, int64_t{1300819379} * 1000 + 999, 0);
  ASSERT_NE(before.token, nullptr) << before.why;
  std::string text;
  EXPECT_TRUE(before.token->claims().AppendTextOf("iss", text));
  EXPECT_EQ(text, "joe");
  EXPECT_EQ(Verify(compact, sets, int64_t{1300819380} * 1000, 0).failure, Failure::kExpired);
}

// RFC 7515 A.5
TEST(RfcVectors, TheUnsecuredTokenNeverPasses) {
  const auto token = Token::Parse("eyJhbGciOiJub25lIn0." + std::string(kJoe) + ".");
  ASSERT_FALSE(token.ok());
  EXPECT_EQ(token.error().message, "its \"alg\" \"none\" is not supported");
}

}  // namespace
}  // namespace framewall::jwt
