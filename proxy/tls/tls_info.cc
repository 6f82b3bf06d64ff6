#include "proxy/tls/tls_info.h"

#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdio>
#include <ctime>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/encoding.h"
#include "proxy/tls/certificate_files.h"

namespace framewall::tls {
namespace {

// What `print` writes to a BIO.
template <class Print>
std::string Printed(Print print) {
  const UniqueBio bio(BIO_new(BIO_s_mem()));
  if (!bio) return {};
  print(bio.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : std::string();
}

std::string_view View(const unsigned char* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

std::string GroupName(int group) {
  if ((group & TLSEXT_nid_unknown) == 0) {
    const char* name = OBJ_nid2sn(group);
    return name == nullptr ? std::string() : name;
  }
  char text[16];
  std::snprintf(text, sizeof text, "0x%04x", static_cast<unsigned>(group) & 0xffffU);
  return text;
}

std::string NameRfc2253(const X509_NAME* name) {
  return Printed([&](BIO* out) { X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253); });
}

std::string NameLegacy(const X509_NAME* name) {
  char* line = X509_NAME_oneline(name, nullptr, 0);
  if (line == nullptr) return {};
  std::string text(line);
  OPENSSL_free(line);
  return text;
}

}  // namespace

std::string OpenSslInfo::Protocol() const { return SSL_get_version(ssl_); }
std::string OpenSslInfo::Cipher() const { return SSL_get_cipher_name(ssl_); }

std::string OpenSslInfo::Ciphers() const {
  unsigned char* raw = nullptr;
  const long width = SSL_get0_raw_cipherlist(ssl_, nullptr);
  const long size = SSL_get0_raw_cipherlist(ssl_, &raw);
  std::string list;
  for (long i = 0; width > 0 && i + width <= size; i += width) {
    if (!list.empty()) list += ':';
    if (const SSL_CIPHER* cipher = SSL_CIPHER_find(ssl_, raw + i)) {
      list += SSL_CIPHER_get_name(cipher);
    } else {
      list += "0x" + HexEncode(View(raw + i, static_cast<size_t>(width)));
    }
  }
  return list;
}

std::string OpenSslInfo::Curve() const {
  const int group = static_cast<int>(SSL_get_negotiated_group(ssl_));
  return group == NID_undef ? std::string() : GroupName(group);
}

std::string OpenSslInfo::Curves() const {
  const long count = SSL_get1_groups(ssl_, nullptr);
  if (count <= 0) return {};
  std::vector<int> groups(static_cast<size_t>(count));
  SSL_get1_groups(ssl_, groups.data());
  std::string list;
  for (const int group : groups) {
    if (!list.empty()) list += ':';
    list += GroupName(group);
  }
  return list;
}

std::string OpenSslInfo::SessionId() const {
  const SSL_SESSION* session = SSL_get0_session(ssl_);
  if (session == nullptr) return {};
  unsigned length = 0;
  const unsigned char* id = SSL_SESSION_get_id(session, &length);
  return HexEncode(View(id, length));
}

bool OpenSslInfo::SessionReused() const { return SSL_session_reused(ssl_) != 0; }

std::string OpenSslInfo::ServerName() const {
  const char* name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? std::string() : name;
}

std::string OpenSslInfo::Alpn() const {
  const unsigned char* name = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(ssl_, &name, &length);
  return std::string(View(name, length));
}

std::string OpenSslInfo::EarlyData() const { return SSL_is_init_finished(ssl_) ? "" : "1"; }
bool OpenSslInfo::HasPeerCertificate() const { return peer() != nullptr; }
long OpenSslInfo::VerifyResult() const { return SSL_get_verify_result(ssl_); }

std::string OpenSslInfo::VerifyText() const {
  if (peer() == nullptr) return "NONE";
  const long result = SSL_get_verify_result(ssl_);
  if (result == X509_V_OK) return "SUCCESS";
  return std::string("FAILED:") + X509_verify_cert_error_string(result);
}

std::string OpenSslInfo::PeerCertificatePem() const {
  X509* certificate = peer();
  if (certificate == nullptr) return {};
  return Printed([&](BIO* out) { PEM_write_bio_X509(out, certificate); });
}

std::string OpenSslInfo::PeerSubject() const {
  return peer() == nullptr ? std::string() : NameRfc2253(X509_get_subject_name(peer()));
}
std::string OpenSslInfo::PeerIssuer() const {
  return peer() == nullptr ? std::string() : NameRfc2253(X509_get_issuer_name(peer()));
}
std::string OpenSslInfo::PeerSubjectLegacy() const {
  return peer() == nullptr ? std::string() : NameLegacy(X509_get_subject_name(peer()));
}
std::string OpenSslInfo::PeerIssuerLegacy() const {
  return peer() == nullptr ? std::string() : NameLegacy(X509_get_issuer_name(peer()));
}

std::string OpenSslInfo::PeerSerial() const {
  X509* certificate = peer();
  if (certificate == nullptr) return {};
  return Printed([&](BIO* out) { i2a_ASN1_INTEGER(out, X509_get0_serialNumber(certificate)); });
}

std::string OpenSslInfo::PeerFingerprint() const {
  X509* certificate = peer();
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  if (certificate == nullptr || X509_digest(certificate, EVP_sha1(), digest, &length) == 0) {
    return {};
  }
  return HexEncode(View(digest, length));
}

std::string OpenSslInfo::PeerNotBefore() const {
  X509* certificate = peer();
  if (certificate == nullptr) return {};
  return Printed([&](BIO* out) { ASN1_TIME_print(out, X509_get0_notBefore(certificate)); });
}
std::string OpenSslInfo::PeerNotAfter() const {
  X509* certificate = peer();
  if (certificate == nullptr) return {};
  return Printed([&](BIO* out) { ASN1_TIME_print(out, X509_get0_notAfter(certificate)); });
}

std::string OpenSslInfo::PeerDaysRemaining() const {
  X509* certificate = peer();
  std::tm end{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) {
    return {};
  }
  const int64_t left = static_cast<int64_t>(::timegm(&end)) - CachedNow().unix_seconds();
  return std::to_string(left < 86400 ? 0 : left / 86400);
}

}  // namespace framewall::tls
