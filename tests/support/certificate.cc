#include "tests/support/certificate.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <utility>

namespace framewall::test {
namespace {

void AddExtension(X509* certificate, int nid, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

std::string Text(BIO* bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<size_t>(length));
  BIO_free(bio);
  return text;
}

}  // namespace

Certificate::Certificate(const std::string& common_name, const std::vector<std::string>& dns_names,
                         const Certificate* issuer, bool is_authority)
    : certificate_(X509_new()), key_(EVP_EC_gen("P-256")) {
  constexpr long kDay = 86400;
  uint64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial));
  X509_set_version(certificate_, 2);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate_), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate_), -kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate_), kDay);
  X509_set_pubkey(certificate_, key_);
  X509_NAME* name = X509_get_subject_name(certificate_);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(certificate_,
                       issuer != nullptr ? X509_get_subject_name(issuer->certificate_) : name);
  if (is_authority) AddExtension(certificate_, NID_basic_constraints, "critical,CA:TRUE");
  std::string alternatives;
  for (const std::string& dns : dns_names) {
    alternatives += (alternatives.empty() ? "DNS:" : ",DNS:") + dns;
  }
  if (!alternatives.empty()) AddExtension(certificate_, NID_subject_alt_name, alternatives);
  X509_sign(certificate_, issuer != nullptr ? issuer->key_ : key_, EVP_sha256());
}

Certificate Certificate::SelfSigned(const std::string& common_name,
                                    const std::vector<std::string>& dns_names) {
  return Certificate(common_name, dns_names, nullptr, false);
}

Certificate Certificate::Authority(const std::string& common_name) {
  return Certificate(common_name, {}, nullptr, true);
}

Certificate Certificate::Issue(const std::string& common_name,
                               const std::vector<std::string>& dns_names) const {
  return Certificate(common_name, dns_names, this, false);
}

Certificate::Certificate(Certificate&& other) noexcept
    : certificate_(std::exchange(other.certificate_, nullptr)),
      key_(std::exchange(other.key_, nullptr)) {}

Certificate::~Certificate() {
  X509_free(certificate_);
  EVP_PKEY_free(key_);
}

std::string Certificate::CertificatePem() const {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate_);
  return Text(bio);
}

std::string Certificate::KeyPem() const {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key_, nullptr, nullptr, 0, nullptr, nullptr);
  return Text(bio);
}

void Certificate::Write(const TempDir& directory, const std::string& name) const {
  directory.Write(name + ".crt", CertificatePem());
  directory.Write(name + ".key", KeyPem());
}

}  // namespace framewall::test
