// TlsStream: the handshake, the check of the peer, and what OpenSSL calls back for.
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proxy/tls/certificate_files.h"
#include "proxy/tls/tls_stream_class.h"

namespace framewall::tls {

void TlsStream::Handshake() {
  if (early_) {
    ReadEarlyData();
    if (early_ || state_ != State::kHandshake || closed()) return;
  }
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  if (result == 1) {
    Opened();
  } else {
    Stopped("SSL_do_handshake() failed", result);
  }
}

void TlsStream::Opened() {
  state_ = State::kOpen;
  if (std::optional<Error> error = CheckPeer()) {
    failed_ = true;
    Break(std::move(*error));
    return;
  }
  if (!plain_.empty()) RequestFlush();
  if (handler() != nullptr) handler()->OnSecured();
}

// Is it who it should be? Client side; servers leave the judgement to HTTP.
std::optional<Error> TlsStream::CheckPeer() const {
  if (client_ == nullptr || !client_->options().verify) return std::nullopt;
  const auto refuse = [this](std::string message) {
    return Error{ErrorKind::kRefused, peer_role(), std::move(message), 0};
  };
  const long result = SSL_get_verify_result(ssl_);
  if (result != X509_V_OK) {
    return refuse("upstream SSL certificate verify error: (" + std::to_string(result) + ":" +
                  X509_verify_cert_error_string(result) + ")");
  }
  X509* certificate = SSL_get0_peer_certificate(ssl_);
  std::string address = peer_name_;
  if (address.starts_with('[') && address.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
  }
  const bool matches =
      certificate != nullptr && !peer_name_.empty() &&
      (X509_check_host(certificate, peer_name_.data(), peer_name_.size(), 0, nullptr) == 1 ||
       X509_check_ip_asc(certificate, address.c_str(), 0) == 1);
  if (!matches) return refuse("upstream SSL certificate does not match \"" + peer_name_ + "\"");
  return std::nullopt;
}

// --- what OpenSSL calls back for ---

int TlsStream::ChooseServer(int* alert) {
  if (hooks_ == nullptr) return SSL_TLSEXT_ERR_NOACK;
  const char* name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
  const ServerTlsContext* chosen = nullptr;
  if (hooks_->choose) chosen = hooks_->choose(name == nullptr ? "" : name, *this);
  const ServerTlsContext* current = ServerTlsContext::Of(SSL_get_SSL_CTX(ssl_));
  if (chosen != nullptr && chosen != current) {
    SSL_CTX* context = chosen->get();
    if (SSL_set_SSL_CTX(ssl_, context) == nullptr) return SSL_TLSEXT_ERR_ALERT_FATAL;
    // What SSL_set_SSL_CTX leaves as it was.
    SSL_set_verify(ssl_, SSL_CTX_get_verify_mode(context), SSL_CTX_get_verify_callback(context));
    SSL_set_verify_depth(ssl_, SSL_CTX_get_verify_depth(context));
    SSL_clear_options(ssl_, SSL_get_options(ssl_) & ~SSL_CTX_get_options(context));
    SSL_set_options(ssl_, SSL_CTX_get_options(context));
    current = chosen;
  }
  if (current != nullptr && current->options().reject_handshake) {
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  return SSL_TLSEXT_ERR_OK;
}

int TlsStream::ChooseProtocol(const unsigned char** out, unsigned char* out_length,
                              ByteView offered) {
  if (hooks_ == nullptr) return SSL_TLSEXT_ERR_NOACK;
  const ServerTlsContext* context = ServerTlsContext::Of(SSL_get_SSL_CTX(ssl_));
  const std::string ours = !hooks_->alpn.empty() ? AlpnWireFormat(hooks_->alpn)
                           : context != nullptr  ? context->alpn()
                                                 : std::string();
  if (ours.empty()) return SSL_TLSEXT_ERR_NOACK;
  const auto* theirs = reinterpret_cast<const unsigned char*>(offered.data());
  unsigned char* selected = nullptr;
  if (SSL_select_next_proto(&selected, out_length,
                            reinterpret_cast<const unsigned char*>(ours.data()),
                            static_cast<unsigned>(ours.size()), theirs,
                            static_cast<unsigned>(offered.size())) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  // `selected` points into `ours`, which goes; the client's list stays, and has the same name.
  const ByteView chosen(reinterpret_cast<char*>(selected), *out_length);
  for (size_t i = 0; i < offered.size(); i += 1 + ByteAt(offered, i)) {
    if (offered.substr(i + 1, ByteAt(offered, i)) == chosen) {
      *out = theirs + i + 1;
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int TlsStream::ChooseCertificate() {
  const ServerTlsContext* context = ServerTlsContext::Of(SSL_get_SSL_CTX(ssl_));
  if (hooks_ == nullptr || context == nullptr || !hooks_->certificates) return 0;
  const auto load = [&]() -> Status {
    FW_ASSIGN(const std::vector<CertificatePair> pairs, hooks_->certificates(*context, *this));
    for (const CertificatePair& pair : pairs) {
      FW_ASSIGN(const LoadedCertificate loaded,
                LoadCertificate(pair, context->options().passwords));
      FW_TRY(internal::UseCertificate(ssl_, pair, loaded));
    }
    return OkStatus();
  };
  const Status status = load();
  if (status.ok()) return 1;
  hook_error_ = status.error();
  return 0;
}

namespace {

int OnServerName(SSL* ssl, int* alert, void*) {
  TlsStream* stream = TlsStream::Of(ssl);
  return stream == nullptr ? SSL_TLSEXT_ERR_NOACK : stream->ChooseServer(alert);
}

int OnAlpn(SSL* ssl, const unsigned char** out, unsigned char* out_length,
           const unsigned char* offered, unsigned offered_length, void*) {
  TlsStream* stream = TlsStream::Of(ssl);
  if (stream == nullptr) return SSL_TLSEXT_ERR_NOACK;
  return stream->ChooseProtocol(out, out_length,
                                ByteView(reinterpret_cast<const char*>(offered), offered_length));
}

int OnCertificate(SSL* ssl, void*) {
  TlsStream* stream = TlsStream::Of(ssl);
  return stream == nullptr ? 0 : stream->ChooseCertificate();
}

int OnNewClientSession(SSL* ssl, SSL_SESSION* session) {
  TlsStream* stream = TlsStream::Of(ssl);
  if (stream == nullptr || !stream->keeps_sessions()) return 0;
  stream->KeepSession(session);
  return 1;  // it is ours now
}

}  // namespace

const internal::HandshakeCalls internal::kHandshakeCalls{OnServerName, OnAlpn, OnCertificate,
                                                         OnNewClientSession};

}  // namespace framewall::tls
