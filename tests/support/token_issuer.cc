#include "tests/support/token_issuer.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <chrono>
#include <cstdlib>
#include <memory>

namespace framewall::test {
namespace {

EVP_PKEY* Generate(jwt::KeyType type, int rsa_bits) {
  switch (type) {
    case jwt::KeyType::kRsa:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<size_t>(rsa_bits));
    case jwt::KeyType::kP256:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
    case jwt::KeyType::kP384:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384");
    case jwt::KeyType::kP521:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-521");
    case jwt::KeyType::kEd25519:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    case jwt::KeyType::kOct:
      return nullptr;
  }
  return nullptr;
}

// The value; a test cannot go on without it.
template <class T>
T Must(Result<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << result.error().message;
    std::abort();
  }
  return std::move(result).value();
}

jwt::Signer MakeSigner(jwt::Algorithm algorithm, std::string kid) {
  if (jwt::KeyTypeOf(algorithm) == jwt::KeyType::kOct) {
    return Must(jwt::Signer::FromSecret(std::string(64, 's'), algorithm, std::move(kid)));
  }
  return Must(
      jwt::Signer::FromPem(NewPrivateKey(jwt::KeyTypeOf(algorithm)), algorithm, std::move(kid)));
}

}  // namespace

std::string NewPrivateKey(jwt::KeyType type, int rsa_bits) {
  EVP_PKEY* key = Generate(type, rsa_bits);
  BIO* memory = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(memory, key, nullptr, nullptr, 0, nullptr, nullptr);
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory, &text);
  std::string pem(text, static_cast<size_t>(size));
  BIO_free(memory);
  EVP_PKEY_free(key);
  return pem;
}

std::string KeySetOf(std::initializer_list<std::string> jwks) {
  std::string text = "{\"keys\":[";
  for (const std::string& jwk : jwks) text += (text.back() == '[' ? "" : ",\n") + jwk;
  return text + "]}\n";
}

int64_t UnixNow() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

TokenIssuer::TokenIssuer(jwt::Algorithm algorithm, std::string kid)
    : signer_(MakeSigner(algorithm, std::move(kid))) {}

TokenIssuer::TokenIssuer(jwt::Algorithm algorithm, std::string kid, const std::string& private_key)
    : signer_(Must(jwt::Signer::FromPem(private_key, algorithm, std::move(kid)))) {}

std::string TokenIssuer::Jwk() const { return Must(signer_.Jwk()); }
std::string TokenIssuer::Token(std::string_view claims) const { return Must(signer_.Sign(claims)); }
std::string TokenIssuer::TokenOf(const std::string& subject, int64_t seconds) const {
  return Token("{\"sub\":\"" + subject + "\",\"exp\":" + std::to_string(UnixNow() + seconds) + "}");
}
std::string TokenIssuer::TokenWithHeader(std::string_view header, std::string_view payload) const {
  return Must(signer_.SignWithHeader(header, payload));
}

}  // namespace framewall::test
