// Certificates made for a test: P-256 keys, valid from yesterday to tomorrow.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/temp_dir.h"

typedef struct x509_st X509;
typedef struct evp_pkey_st EVP_PKEY;

namespace framewall::test {

class Certificate {
 public:
  // Signed by itself.
  static Certificate SelfSigned(const std::string& common_name,
                                const std::vector<std::string>& dns_names = {});
  static Certificate Authority(const std::string& common_name);
  // Signed by this one.
  Certificate Issue(const std::string& common_name,
                    const std::vector<std::string>& dns_names = {}) const;
  Certificate(Certificate&& other) noexcept;
  ~Certificate();

  std::string CertificatePem() const;
  std::string KeyPem() const;
  // NAME.crt and NAME.key.
  void Write(const TempDir& directory, const std::string& name) const;

 private:
  Certificate(const std::string& common_name, const std::vector<std::string>& dns_names,
              const Certificate* issuer, bool is_authority);
  X509* certificate_ = nullptr;
  EVP_PKEY* key_ = nullptr;
};

}  // namespace framewall::test
