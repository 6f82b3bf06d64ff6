// What variables and logs may know of a connection's TLS, asked of OpenSSL when somebody asks.
#pragma once

#include <openssl/ssl.h>

#include <string>

#include "proxy/event/stream.h"

namespace framewall::tls {

class OpenSslInfo : public event::TlsInfo {
 public:
  // `connection` outlives it.
  explicit OpenSslInfo(SSL* connection) : ssl_(connection) {}

  std::string Protocol() const override;
  std::string Cipher() const override;
  std::string Ciphers() const override;
  std::string Curve() const override;
  std::string Curves() const override;
  std::string SessionId() const override;
  bool SessionReused() const override;
  std::string ServerName() const override;
  std::string Alpn() const override;
  std::string EarlyData() const override;
  bool HasPeerCertificate() const override;
  long VerifyResult() const override;
  std::string VerifyText() const override;
  std::string PeerCertificatePem() const override;
  std::string PeerSubject() const override;
  std::string PeerIssuer() const override;
  std::string PeerSubjectLegacy() const override;
  std::string PeerIssuerLegacy() const override;
  std::string PeerSerial() const override;
  std::string PeerFingerprint() const override;
  std::string PeerNotBefore() const override;
  std::string PeerNotAfter() const override;
  std::string PeerDaysRemaining() const override;

 private:
  X509* peer() const { return SSL_get0_peer_certificate(ssl_); }
  SSL* ssl_;
};

}  // namespace framewall::tls
