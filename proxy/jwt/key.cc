#include "proxy/jwt/key.h"

#include <cjose/jwk.h>
#include <cjose/jws.h>
#include <fmt/format.h>
#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <array>
#include <bit>
#include <memory>
#include <utility>

#include "proxy/base/encoding.h"
#include "proxy/jwt/json_object.h"

namespace framewall::jwt {

struct Key::Handle {
  cjose_jwk_t* jwk = nullptr;  // EC and oct
  EVP_PKEY* pkey = nullptr;    // RSA and Ed25519
  // RSA, by Algorithm, made when they are first asked for.
  std::array<EVP_PKEY_CTX*, 6> verifiers{};

  ~Handle() {
    for (EVP_PKEY_CTX* verifier : verifiers) EVP_PKEY_CTX_free(verifier);
    if (jwk != nullptr) cjose_jwk_release(jwk);
    EVP_PKEY_free(pkey);
  }
};

namespace {

Error Unusable(std::string why) {
  return Error{ErrorKind::kRefused, ErrorSource::kOperator, std::move(why), 0};
}

// Octets that do not stay in memory.
struct Octets {
  std::string bytes;
  explicit Octets(std::string in) : bytes(std::move(in)) {}
  Octets(Octets&&) = default;
  ~Octets() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
  uint8_t* data() { return reinterpret_cast<uint8_t*>(bytes.data()); }
  size_t size() const { return bytes.size(); }
};

Result<Octets> ReadOctets(const JsonObject& jwk, const char* name) {
  const auto text = jwk.String(name);
  if (!text) return Unusable(fmt::format("\"{}\" is missing or no string", name));
  auto bytes = Base64UrlDecode(*text);
  if (!bytes || bytes->empty()) {
    return Unusable(fmt::format("\"{}\" is not base64url without padding", name));
  }
  return Octets(std::move(*bytes));
}

struct Curve {
  std::string_view name;
  KeyType type;
  cjose_jwk_ec_curve id;
  size_t octets;  // of a coordinate
};
constexpr Curve kCurves[] = {
    {"P-256", KeyType::kP256, CJOSE_JWK_EC_P_256, 32},
    {"P-384", KeyType::kP384, CJOSE_JWK_EC_P_384, 48},
    {"P-521", KeyType::kP521, CJOSE_JWK_EC_P_521, 66},
};

struct Made {
  KeyType type = KeyType::kOct;
  cjose_jwk_t* jwk = nullptr;
  EVP_PKEY* pkey = nullptr;
  size_t octets = 0;
};

size_t BitsOf(const std::string& number) {
  return number.empty()
             ? 0
             : number.size() * 8 -
                   static_cast<size_t>(std::countl_zero(static_cast<uint8_t>(number[0])));
}

// Null where they are no key.
EVP_PKEY* RsaPublicKey(Octets& n, Octets& e) {
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> modulus(
      BN_bin2bn(n.data(), static_cast<int>(n.size()), nullptr), BN_free);
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> exponent(
      BN_bin2bn(e.data(), static_cast<int>(e.size()), nullptr), BN_free);
  const std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)> builder(
      OSSL_PARAM_BLD_new(), OSSL_PARAM_BLD_free);
  if (!modulus || !exponent || !builder ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
    return nullptr;
  }
  const std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)> parameters(
      OSSL_PARAM_BLD_to_param(builder.get()), OSSL_PARAM_free);
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr), EVP_PKEY_CTX_free);
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return key;
}

Result<Made> MakeRsa(const JsonObject& jwk) {
  FW_ASSIGN(Octets n, ReadOctets(jwk, "n"));
  FW_ASSIGN(Octets e, ReadOctets(jwk, "e"));
  // Some writers put a zero in front, as in DER.
  n.bytes.erase(0, std::min(n.bytes.find_first_not_of('\0'), n.bytes.size()));
  const size_t bits = BitsOf(n.bytes);
  if (bits < kLeastRsaBits || bits > kMostRsaBits) {
    return Unusable(fmt::format("its modulus has {} bits, {} to {} were expected", bits,
                                kLeastRsaBits, kMostRsaBits));
  }
  e.bytes.erase(0, std::min(e.bytes.find_first_not_of('\0'), e.bytes.size()));
  if (e.bytes.empty() || e.size() > 8 || (e.bytes.back() & 1) == 0 || e.bytes == "\x01") {
    return Unusable("\"e\" is no public exponent");
  }
  return Made{KeyType::kRsa, nullptr, RsaPublicKey(n, e), n.size()};
}

Result<Made> MakeEc(const JsonObject& jwk) {
  const auto name = jwk.String("crv");
  for (const Curve& curve : kCurves) {
    if (name != curve.name) continue;
    FW_ASSIGN(Octets x, ReadOctets(jwk, "x"));
    FW_ASSIGN(Octets y, ReadOctets(jwk, "y"));
    if (x.size() != curve.octets || y.size() != curve.octets) {
      return Unusable(fmt::format("\"x\" and \"y\" are not {} octets long", curve.octets));
    }
    cjose_jwk_ec_keyspec spec{};
    spec.crv = curve.id;
    spec.x = x.data();
    spec.xlen = x.size();
    spec.y = y.data();
    spec.ylen = y.size();
    cjose_err error{};
    return Made{curve.type, cjose_jwk_create_EC_spec(&spec, &error), nullptr, curve.octets};
  }
  return Unusable("its \"crv\" is none of P-256, P-384 and P-521");
}

Result<Made> MakeOct(const JsonObject& jwk) {
  FW_ASSIGN(Octets k, ReadOctets(jwk, "k"));
  if (k.size() < HashOctets(Algorithm::kHs256)) {
    return Unusable(fmt::format("it has {} octets, for HS256 at least 32 were expected", k.size()));
  }
  cjose_err error{};
  return Made{KeyType::kOct, cjose_jwk_create_oct_spec(k.data(), k.size(), &error), nullptr,
              k.size()};
}

Result<Made> MakeOkp(const JsonObject& jwk) {
  if (jwk.String("crv") != "Ed25519") return Unusable("its \"crv\" is not Ed25519");
  FW_ASSIGN(Octets x, ReadOctets(jwk, "x"));
  if (x.size() != 32) return Unusable("\"x\" is not 32 octets long");
  return Made{KeyType::kEd25519, nullptr,
              EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, x.data(), x.size()), 32};
}

Result<Made> Make(const JsonObject& jwk) {
  const auto kty = jwk.String("kty");
  if (!kty) return Unusable("\"kty\" is missing or no string");
  if (kty == "RSA") return MakeRsa(jwk);
  if (kty == "EC") return MakeEc(jwk);
  if (kty == "oct") return MakeOct(jwk);
  if (kty == "OKP") return MakeOkp(jwk);
  return Unusable("its \"kty\" is none of RSA, EC, oct and OKP");
}

// `use` and `key_ops`: a key that says what it is for must say that it verifies.
Status CheckUse(const JsonObject& jwk) {
  if (jwk.Has("use") && jwk.String("use") != "sig") {
    return Unusable("its \"use\" is not \"sig\"");
  }
  const json_t* operations = json_object_get(jwk.get(), "key_ops");
  if (operations == nullptr) return OkStatus();
  size_t index = 0;
  json_t* one = nullptr;
  json_array_foreach(operations, index, one) {
    const char* text = json_string_value(one);
    if (text != nullptr && std::string_view(text) == "verify") return OkStatus();
  }
  return Unusable("its \"key_ops\" do not have \"verify\"");
}

bool VerifyWithCjose(cjose_jwk_t* jwk, std::string_view compact) {
  cjose_err error{};
  cjose_jws_t* jws = cjose_jws_import(compact.data(), compact.size(), &error);
  const bool fits = jws != nullptr && cjose_jws_verify(jws, jwk, &error);
  if (jws != nullptr) cjose_jws_release(jws);
  // A signature that does not fit leaves entries in OpenSSL's queue, which others would read.
  if (!fits) ERR_clear_error();
  return fits;
}

// Looked up once: OpenSSL 3 would search its providers for each signature.
const EVP_MD* HashOf(Algorithm algorithm) {
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  static const EVP_MD* const sha384 = EVP_MD_fetch(nullptr, "SHA384", nullptr);
  static const EVP_MD* const sha512 = EVP_MD_fetch(nullptr, "SHA512", nullptr);
  switch (HashOctets(algorithm)) {
    case 32:
      return sha256;
    case 48:
      return sha384;
    default:
      return sha512;
  }
}

bool IsPss(Algorithm algorithm) {
  return algorithm == Algorithm::kPs256 || algorithm == Algorithm::kPs384 ||
         algorithm == Algorithm::kPs512;
}

// Null where OpenSSL cannot; the salt of PS is as long as the hash (RFC 7518 3.5).
EVP_PKEY_CTX* RsaVerifier(EVP_PKEY* key, Algorithm algorithm) {
  EVP_PKEY_CTX* verifier = EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr);
  const int padding = IsPss(algorithm) ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
  const bool made = verifier != nullptr && EVP_PKEY_verify_init(verifier) == 1 &&
                    EVP_PKEY_CTX_set_rsa_padding(verifier, padding) == 1 &&
                    EVP_PKEY_CTX_set_signature_md(verifier, HashOf(algorithm)) == 1 &&
                    (!IsPss(algorithm) ||
                     EVP_PKEY_CTX_set_rsa_pss_saltlen(verifier, RSA_PSS_SALTLEN_DIGEST) == 1);
  if (made) return verifier;
  EVP_PKEY_CTX_free(verifier);
  return nullptr;
}

// libcjose would hand its RSA key to OpenSSL's provider anew for each signature, and what OpenSSL
// precomputes of a modulus is lost then; `verifier` is kept with the key.
bool VerifyRsa(EVP_PKEY_CTX* verifier, Algorithm algorithm, std::string_view input,
               std::string_view signature) {
  uint8_t hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  const bool fits =
      verifier != nullptr &&
      EVP_Digest(input.data(), input.size(), hash, &size, HashOf(algorithm), nullptr) == 1 &&
      EVP_PKEY_verify(verifier, reinterpret_cast<const uint8_t*>(signature.data()),
                      signature.size(), hash, size) == 1;
  if (!fits) ERR_clear_error();
  return fits;
}

bool VerifyEd25519(EVP_PKEY* key, std::string_view input, std::string_view signature) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  if (context == nullptr) return false;
  const bool fits =
      EVP_DigestVerifyInit(context, nullptr, nullptr, nullptr, key) == 1 &&
      EVP_DigestVerify(context, reinterpret_cast<const uint8_t*>(signature.data()),
                       signature.size(), reinterpret_cast<const uint8_t*>(input.data()),
                       input.size()) == 1;
  EVP_MD_CTX_free(context);
  if (!fits) ERR_clear_error();
  return fits;
}

}  // namespace

Key::Key() : handle_(std::make_unique<Handle>()) {}
Key::Key(Key&&) noexcept = default;
Key& Key::operator=(Key&&) noexcept = default;
Key::~Key() = default;

Result<Key> Key::FromJwk(const JsonObject& jwk) {
  FW_TRY(CheckUse(jwk));
  Key key;
  if (jwk.Has("kid")) {
    const auto kid = jwk.String("kid");
    if (!kid) return Unusable("its \"kid\" is no string");
    key.kid_ = std::string(*kid);
  }
  if (jwk.Has("alg")) {
    key.algorithm_ = FindAlgorithm(jwk.String("alg").value_or(std::string_view()));
    if (!key.algorithm_) return Unusable("its \"alg\" is no known signature algorithm");
  }
  FW_ASSIGN(const Made made, Make(jwk));
  key.handle_->jwk = made.jwk;
  key.handle_->pkey = made.pkey;
  key.type_ = made.type;
  key.octets_ = made.octets;
  if (made.jwk == nullptr && made.pkey == nullptr) {
    ERR_clear_error();
    return Unusable("its numbers are no key");
  }
  if (key.algorithm_ && !key.Fits(*key.algorithm_)) {
    return Unusable(fmt::format("its \"alg\" {} does not fit its type, curve or length",
                                AlgorithmName(*key.algorithm_)));
  }
  return key;
}

bool Key::Fits(Algorithm algorithm) const {
  if (KeyTypeOf(algorithm) != type_) return false;
  if (algorithm_ && *algorithm_ != algorithm) return false;
  return type_ != KeyType::kOct || octets_ >= HashOctets(algorithm);
}

bool Key::Verify(Algorithm algorithm, std::string_view compact, std::string_view signing_input,
                 std::string_view signature) const {
  const size_t fixed = SignatureOctets(algorithm);
  if (signature.size() != (fixed != 0 ? fixed : octets_)) return false;
  if (type_ == KeyType::kEd25519) return VerifyEd25519(handle_->pkey, signing_input, signature);
  if (type_ == KeyType::kRsa) {
    EVP_PKEY_CTX*& verifier = handle_->verifiers.at(static_cast<size_t>(algorithm));
    if (verifier == nullptr) verifier = RsaVerifier(handle_->pkey, algorithm);
    return VerifyRsa(verifier, algorithm, signing_input, signature);
  }
  return VerifyWithCjose(handle_->jwk, compact);
}

}  // namespace framewall::jwt
