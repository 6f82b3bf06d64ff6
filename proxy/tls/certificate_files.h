// Certificates, keys and passwords from files (or "data:" text) into OpenSSL's objects.
#pragma once

#include <openssl/ssl.h>

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/tls/options.h"

namespace framewall::tls {

template <auto kFree>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using UniqueCertificate = std::unique_ptr<X509, Freer<X509_free>>;
using UniqueKey = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using UniqueBio = std::unique_ptr<BIO, Freer<BIO_free_all>>;
struct FreeChain {
  void operator()(STACK_OF(X509) * chain) const { sk_X509_pop_free(chain, X509_free); }
};
using UniqueChain = std::unique_ptr<STACK_OF(X509), FreeChain>;

struct LoadedCertificate {
  UniqueCertificate certificate;
  UniqueChain chain;
  UniqueKey key;
};

// Errors in nginx's words: cannot load certificate "/x": BIO_new_file() failed (SSL: ...).
// `passwords` are tried in order on an encrypted key; without any, such a key is an error (never a
// question at the terminal).
Result<LoadedCertificate> LoadCertificate(const CertificatePair& pair,
                                          std::span<const std::string> passwords);

// `ssl_password_file`s: each path is opened and read once in the life of this object, because it
// may be a FIFO. Passwords are wiped when it goes.
class PasswordFiles {
 public:
  PasswordFiles() = default;
  ~PasswordFiles();
  PasswordFiles(const PasswordFiles&) = delete;
  PasswordFiles& operator=(const PasswordFiles&) = delete;
  // The lines without their ends, empty lines left out.
  Result<std::vector<std::string>> Read(const std::string& path);

 private:
  std::map<std::string, std::vector<std::string>> by_path_;
};

}  // namespace framewall::tls
