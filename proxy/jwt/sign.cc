#include "proxy/jwt/sign.h"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <utility>

#include "proxy/base/encoding.h"
#include "proxy/jwt/key.h"

namespace framewall::jwt {

struct Signer::Handle {
  EVP_PKEY* key = nullptr;
  std::string secret;

  ~Handle() {
    EVP_PKEY_free(key);
    OPENSSL_cleanse(secret.data(), secret.size());
  }
};

namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
struct FreeNumber {
  void operator()(BIGNUM* number) const { BN_free(number); }
};
struct FreeEcdsa {
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};

Error Unusable(std::string why) {
  ERR_clear_error();
  return Error{ErrorKind::kRefused, ErrorSource::kOperator, std::move(why), 0};
}
Error Failed(std::string_view what) {
  ERR_clear_error();
  return Error{ErrorKind::kOther, ErrorSource::kInternal, fmt::format("{}() failed", what), 0};
}

const EVP_MD* HashOf(Algorithm algorithm) {
  switch (HashOctets(algorithm)) {
    case 32:
      return EVP_sha256();
    case 48:
      return EVP_sha384();
    case 64:
      return EVP_sha512();
    default:
      return nullptr;  // Ed25519 hashes by itself
  }
}

bool IsPss(Algorithm algorithm) {
  return algorithm == Algorithm::kPs256 || algorithm == Algorithm::kPs384 ||
         algorithm == Algorithm::kPs512;
}

std::string_view CurveOf(KeyType type) {
  switch (type) {
    case KeyType::kP256:
      return "P-256";
    case KeyType::kP384:
      return "P-384";
    case KeyType::kP521:
      return "P-521";
    default:
      return {};
  }
}

bool IsOfType(const EVP_PKEY* key, KeyType type) {
  switch (type) {
    case KeyType::kRsa:
      return EVP_PKEY_is_a(key, "RSA") == 1 &&
             EVP_PKEY_get_bits(key) >= static_cast<int>(kLeastRsaBits);
    case KeyType::kP256:
      return EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_bits(key) == 256;
    case KeyType::kP384:
      return EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_bits(key) == 384;
    case KeyType::kP521:
      return EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_bits(key) == 521;
    case KeyType::kEd25519:
      return EVP_PKEY_is_a(key, "ED25519") == 1;
    case KeyType::kOct:
      return false;
  }
  return false;
}

// r and s side by side (RFC 7518 3.4), from OpenSSL's DER.
Result<std::string> JoinEcdsa(std::string_view der, size_t octets) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(der.data());
  const std::unique_ptr<ECDSA_SIG, FreeEcdsa> signature(
      d2i_ECDSA_SIG(nullptr, &bytes, static_cast<long>(der.size())));
  std::string joined(octets, '\0');
  auto* out = reinterpret_cast<uint8_t*>(joined.data());
  const int half = static_cast<int>(octets / 2);
  if (signature == nullptr || BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out, half) != half ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out + half, half) != half) {
    return Failed("d2i_ECDSA_SIG");
  }
  return joined;
}

// A number of the public key, base64url; `octets` 0: as short as it is.
Result<std::string> NumberOf(const EVP_PKEY* key, const char* name, size_t octets) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) return Failed("EVP_PKEY_get_bn_param");
  const std::unique_ptr<BIGNUM, FreeNumber> number(raw);
  std::string bytes(octets != 0 ? octets : static_cast<size_t>(BN_num_bytes(raw)), '\0');
  BN_bn2binpad(raw, reinterpret_cast<uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
  return Base64UrlEncode(bytes);
}

std::string JsonText(std::string_view text) {
  std::string out = "\"";
  AppendJsonEscaped(out, text);
  return out + '"';
}

}  // namespace

Signer::Signer(Algorithm algorithm, std::string kid)
    : handle_(std::make_unique<Handle>()), algorithm_(algorithm), kid_(std::move(kid)) {}
Signer::Signer(Signer&&) noexcept = default;
Signer& Signer::operator=(Signer&&) noexcept = default;
Signer::~Signer() = default;

Result<Signer> Signer::FromPem(std::string_view pem, Algorithm algorithm, std::string kid) {
  Signer signer(algorithm, std::move(kid));
  BIO* input = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  if (input == nullptr) return Failed("BIO_new_mem_buf");
  // An encrypted key is not asked for on a terminal.
  const auto no_password = [](char*, int, int, void*) { return 0; };
  signer.handle_->key = PEM_read_bio_PrivateKey(input, nullptr, no_password, nullptr);
  BIO_free(input);
  if (signer.handle_->key == nullptr) return Unusable("an unencrypted private key was expected");
  if (!IsOfType(signer.handle_->key, KeyTypeOf(algorithm))) {
    return Unusable(fmt::format("the key is of no use for {}", AlgorithmName(algorithm)));
  }
  return signer;
}

Result<Signer> Signer::FromSecret(std::string secret, Algorithm algorithm, std::string kid) {
  if (KeyTypeOf(algorithm) != KeyType::kOct || secret.size() < HashOctets(algorithm)) {
    return Unusable(fmt::format("a secret of {} octets is of no use for {}", secret.size(),
                                AlgorithmName(algorithm)));
  }
  Signer signer(algorithm, std::move(kid));
  signer.handle_->secret = std::move(secret);
  return signer;
}

Result<std::string> Signer::Sign(std::string_view payload, std::string_view typ) const {
  std::string header = fmt::format("{{\"alg\":\"{}\"", AlgorithmName(algorithm_));
  if (!kid_.empty()) header += ",\"kid\":" + JsonText(kid_);
  if (!typ.empty()) header += ",\"typ\":" + JsonText(typ);
  header += '}';
  return SignWithHeader(header, payload);
}

Result<std::string> Signer::SignWithHeader(std::string_view header,
                                           std::string_view payload) const {
  std::string token = Base64UrlEncode(header) + "." + Base64UrlEncode(payload);
  FW_ASSIGN(const std::string signature, Signature(token));
  return token + "." + Base64UrlEncode(signature);
}

Result<std::string> Signer::Signature(std::string_view input) const {
  const auto* bytes = reinterpret_cast<const uint8_t*>(input.data());
  std::string signature(1024, '\0');
  auto* out = reinterpret_cast<uint8_t*>(signature.data());
  if (KeyTypeOf(algorithm_) == KeyType::kOct) {
    unsigned size = 0;
    if (HMAC(HashOf(algorithm_), handle_->secret.data(), static_cast<int>(handle_->secret.size()),
             bytes, input.size(), out, &size) == nullptr) {
      return Failed("HMAC");
    }
    signature.resize(size);
    return signature;
  }
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;
  if (context == nullptr ||
      EVP_DigestSignInit(context.get(), &options, HashOf(algorithm_), nullptr, handle_->key) != 1) {
    return Failed("EVP_DigestSignInit");
  }
  if (IsPss(algorithm_) &&
      (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return Failed("EVP_PKEY_CTX_set_rsa_padding");
  }
  size_t size = signature.size();
  if (EVP_DigestSign(context.get(), out, &size, bytes, input.size()) != 1) {
    return Failed("EVP_DigestSign");
  }
  signature.resize(size);
  if (CurveOf(KeyTypeOf(algorithm_)).empty()) return signature;
  return JoinEcdsa(signature, SignatureOctets(algorithm_));
}

Result<std::string> Signer::Jwk() const {
  std::string jwk = fmt::format("{{\"use\":\"sig\",\"alg\":\"{}\"", AlgorithmName(algorithm_));
  if (!kid_.empty()) jwk += ",\"kid\":" + JsonText(kid_);
  const KeyType type = KeyTypeOf(algorithm_);
  switch (type) {
    case KeyType::kRsa: {
      FW_ASSIGN(const std::string n, NumberOf(handle_->key, OSSL_PKEY_PARAM_RSA_N, 0));
      FW_ASSIGN(const std::string e, NumberOf(handle_->key, OSSL_PKEY_PARAM_RSA_E, 0));
      return jwk + fmt::format(",\"kty\":\"RSA\",\"n\":\"{}\",\"e\":\"{}\"}}", n, e);
    }
    case KeyType::kP256:
    case KeyType::kP384:
    case KeyType::kP521: {
      const size_t octets = SignatureOctets(algorithm_) / 2;
      FW_ASSIGN(const std::string x, NumberOf(handle_->key, OSSL_PKEY_PARAM_EC_PUB_X, octets));
      FW_ASSIGN(const std::string y, NumberOf(handle_->key, OSSL_PKEY_PARAM_EC_PUB_Y, octets));
      return jwk + fmt::format(",\"kty\":\"EC\",\"crv\":\"{}\",\"x\":\"{}\",\"y\":\"{}\"}}",
                               CurveOf(type), x, y);
    }
    case KeyType::kEd25519: {
      std::string x(32, '\0');
      size_t size = x.size();
      if (EVP_PKEY_get_raw_public_key(handle_->key, reinterpret_cast<uint8_t*>(x.data()), &size) !=
          1) {
        return Failed("EVP_PKEY_get_raw_public_key");
      }
      return jwk +
             fmt::format(",\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"{}\"}}", Base64UrlEncode(x));
    }
    case KeyType::kOct:
      return jwk + fmt::format(",\"kty\":\"oct\",\"k\":\"{}\"}}", Base64UrlEncode(handle_->secret));
  }
  return Failed("Signer::Jwk");
}

}  // namespace framewall::jwt
