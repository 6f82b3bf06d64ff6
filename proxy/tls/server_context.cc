// ServerTlsContext; see context.h.
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <utility>

#include "proxy/base/clock.h"
#include "proxy/base/digest.h"
#include "proxy/tls/context.h"
#include "proxy/tls/openssl_error.h"
#include "proxy/tls/session_cache.h"
#include "proxy/tls/session_tickets.h"

namespace framewall::tls {
namespace {

int ContextIndex() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}
int InitialIndex() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

std::string_view IdOf(const SSL_SESSION* session) {
  unsigned length = 0;
  const unsigned char* id = SSL_SESSION_get_id(session, &length);
  return {reinterpret_cast<const char*>(id), length};
}

// The shared cache's callbacks. Sessions belong to the context a connection began with.
int OnNewSession(SSL* ssl, SSL_SESSION* session) {
  const ServerTlsContext* context = ServerTlsContext::InitialOf(ssl);
  const int size = i2d_SSL_SESSION(session, nullptr);
  if (context == nullptr || size <= 0 || size > static_cast<int>(SharedSessionCache::kMaxSession)) {
    return 0;
  }
  std::string bytes(static_cast<size_t>(size), '\0');
  auto* out = reinterpret_cast<unsigned char*>(bytes.data());
  i2d_SSL_SESSION(session, &out);
  context->options().shared_cache->Store(
      IdOf(session), bytes, CachedNow().unix_seconds() + SSL_SESSION_get_timeout(session));
  return 0;
}

SSL_SESSION* OnFindSession(SSL* ssl, const unsigned char* id, int length, int* copy) {
  *copy = 0;
  const ServerTlsContext* context = ServerTlsContext::InitialOf(ssl);
  if (context == nullptr) return nullptr;
  const std::string bytes = context->options().shared_cache->Find(
      {reinterpret_cast<const char*>(id), static_cast<size_t>(length)}, CachedNow().unix_seconds());
  if (bytes.empty()) return nullptr;
  const auto* in = reinterpret_cast<const unsigned char*>(bytes.data());
  return d2i_SSL_SESSION(nullptr, &in, static_cast<long>(bytes.size()));
}

void OnRemoveSession(SSL_CTX* ssl_context, SSL_SESSION* session) {
  const ServerTlsContext* context = ServerTlsContext::Of(ssl_context);
  if (context != nullptr) context->options().shared_cache->Remove(IdOf(session));
}

int OnStatusRequest(SSL* ssl, void*) {
  const ServerTlsContext* context = ServerTlsContext::Of(SSL_get_SSL_CTX(ssl));
  if (context == nullptr || context->staple().empty()) return SSL_TLSEXT_ERR_NOACK;
  const std::string& staple = context->staple();
  auto* copy = static_cast<unsigned char*>(OPENSSL_memdup(staple.data(), staple.size()));
  SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(staple.size()));
  return SSL_TLSEXT_ERR_OK;
}

Result<std::string> ReadStaple(const std::string& path) {
  const UniqueBio bio(BIO_new_file(path.c_str(), "rb"));
  if (!bio) return OpenSslError("BIO_new_file(\"" + path + "\") failed");
  const std::unique_ptr<OCSP_RESPONSE, Freer<OCSP_RESPONSE_free>> response(
      d2i_OCSP_RESPONSE_bio(bio.get(), nullptr));
  if (!response) return OpenSslError("d2i_OCSP_RESPONSE_bio(\"" + path + "\") failed");
  unsigned char* der = nullptr;
  const int size = i2d_OCSP_RESPONSE(response.get(), &der);
  if (size <= 0) return OpenSslError("i2d_OCSP_RESPONSE(\"" + path + "\") failed");
  std::string bytes(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

Status UseDhParameters(SSL_CTX* context, const std::string& path) {
  if (path.empty()) return OkStatus();
  const UniqueBio bio(BIO_new_file(path.c_str(), "r"));
  if (!bio) return OpenSslError("BIO_new_file(\"" + path + "\") failed");
  EVP_PKEY* parameters = PEM_read_bio_Parameters(bio.get(), nullptr);
  if (parameters == nullptr) {
    return OpenSslError("PEM_read_bio_Parameters(\"" + path + "\") failed");
  }
  if (SSL_CTX_set0_tmp_dh_pkey(context, parameters) != 1) {
    EVP_PKEY_free(parameters);
    return OpenSslError("SSL_CTX_set0_tmp_dh_pkey(\"" + path + "\") failed");
  }
  return OkStatus();
}

}  // namespace

ServerTlsContext::ServerTlsContext(ServerTlsOptions options) : options_(std::move(options)) {}
ServerTlsContext::~ServerTlsContext() = default;

Result<std::unique_ptr<ServerTlsContext>> ServerTlsContext::Create(
    const ServerTlsOptions& options) {
  std::unique_ptr<ServerTlsContext> context(new ServerTlsContext(options));
  FW_TRY(context->Build());
  return context;
}

const ServerTlsContext* ServerTlsContext::Of(const SSL_CTX* context) {
  return static_cast<const ServerTlsContext*>(SSL_CTX_get_ex_data(context, ContextIndex()));
}
const ServerTlsContext* ServerTlsContext::InitialOf(const SSL* connection) {
  return static_cast<const ServerTlsContext*>(SSL_get_ex_data(connection, InitialIndex()));
}

void ServerTlsContext::Bind(SSL* connection) const {
  SSL_set_ex_data(connection, InitialIndex(), const_cast<ServerTlsContext*>(this));
  if (ticket_keys_) ticket_keys_->Bind(connection);
}

Status ServerTlsContext::Build() {
  context_ = internal::NewContext();
  if (!context_) return OpenSslError("SSL_CTX_new() failed");
  SSL_CTX* context = context_.get();
  SSL_CTX_set_ex_data(context, ContextIndex(), this);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  FW_TRY(internal::UseProtocols(context, options_.protocols));
  // Without the macros, which cast in C's way.
  SSL_CTX_callback_ctrl(context, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                        reinterpret_cast<void (*)()>(internal::kHandshakeCalls.server_name));
  SSL_CTX_set_alpn_select_cb(context, internal::kHandshakeCalls.alpn, nullptr);
  alpn_ = AlpnWireFormat(options_.alpn);
  FW_TRY(UseCertificates());
  FW_TRY(internal::UseCiphers(context, options_.ciphers));
  if (options_.prefer_server_ciphers) {
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  }
  FW_TRY(UseVerification());
  FW_TRY(UseDhParameters(context, options_.dhparam_file));
  if (options_.curves != "auto" &&
      SSL_CTX_set1_curves_list(context, options_.curves.c_str()) == 0) {
    return OpenSslError("SSL_CTX_set1_curves_list(\"" + options_.curves + "\") failed");
  }
  FW_TRY(UseSessions());
  if (!options_.stapling_file.empty()) {
    FW_ASSIGN(staple_, ReadStaple(options_.stapling_file));
    SSL_CTX_callback_ctrl(context, SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB,
                          reinterpret_cast<void (*)()>(OnStatusRequest));
  }
  if (options_.early_data) SSL_CTX_set_max_early_data(context, 16384);
  FW_TRY(internal::UseConfCommands(context, options_.conf_commands));
  ERR_clear_error();
  return OkStatus();
}

Status ServerTlsContext::UseCertificates() {
  if (options_.certificates_at_handshake) {
    SSL_CTX_set_cert_cb(context_.get(), internal::kHandshakeCalls.certificate, nullptr);
  }
  for (const CertificatePair& pair : options_.certificates) {
    FW_ASSIGN(const LoadedCertificate loaded, LoadCertificate(pair, options_.passwords));
    FW_TRY(internal::UseCertificate(context_.get(), pair, loaded));
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    if (X509_digest(loaded.certificate.get(), EVP_sha1(), digest, &length) == 0) {
      return OpenSslError("X509_digest() failed");
    }
    certificate_digests_.emplace_back(reinterpret_cast<char*>(digest), length);
  }
  return OkStatus();
}

Status ServerTlsContext::UseVerification() {
  SSL_CTX* context = context_.get();
  if (options_.verify_client) {
    // The result is looked at after the handshake: the answer to a bad certificate is HTTP's.
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
    SSL_CTX_set_verify_depth(context, options_.verify_depth);
    const std::string& path = options_.client_certificate_file;
    FW_TRY(internal::TrustFile(context, path));
    if (!path.empty()) {
      STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(path.c_str());
      if (names == nullptr) return OpenSslError("SSL_load_client_CA_file(\"" + path + "\") failed");
      SSL_CTX_set_client_CA_list(context, names);
    }
  }
  FW_TRY(internal::TrustFile(context, options_.trusted_certificate_file));
  FW_TRY(internal::UseCrl(context, options_.crl_file));
  return OkStatus();
}

Status ServerTlsContext::UseSessions() {
  SSL_CTX* context = context_.get();
  SSL_CTX_set_timeout(context, static_cast<long>(options_.session_timeout.count()));
  FW_TRY(SetSessionIdContext());
  switch (options_.session_cache) {
    case ServerTlsOptions::SessionCache::kOff:
      SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
      break;
    case ServerTlsOptions::SessionCache::kNone:
      // Says that it resumes, and never does: some clients need to hear it.
      SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_AUTO_CLEAR |
                                                  SSL_SESS_CACHE_NO_INTERNAL_STORE);
      SSL_CTX_sess_set_cache_size(context, 1);
      break;
    case ServerTlsOptions::SessionCache::kUse: {
      long mode = SSL_SESS_CACHE_SERVER;
      if (!options_.builtin_cache) mode |= SSL_SESS_CACHE_NO_INTERNAL;
      SSL_CTX_set_session_cache_mode(context, mode);
      if (options_.builtin_cache && options_.builtin_cache_size >= 0) {
        SSL_CTX_sess_set_cache_size(context, options_.builtin_cache_size);
      }
      if (options_.shared_cache) {
        SSL_CTX_sess_set_new_cb(context, OnNewSession);
        SSL_CTX_sess_set_get_cb(context, OnFindSession);
        SSL_CTX_sess_set_remove_cb(context, OnRemoveSession);
      }
      break;
    }
  }
  if (!options_.session_tickets) SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  if (!options_.ticket_key_files.empty()) {
    FW_ASSIGN(ticket_keys_, SessionTicketKeys::Load(options_.ticket_key_files));
    ticket_keys_->Attach(context);
  }
  return OkStatus();
}

// A session is good only where certificates and accepted client CAs are the same: one verified
// for another server must not be resumed here.
Status ServerTlsContext::SetSessionIdContext() {
  std::string identity = "HTTP";
  for (const std::string& digest : certificate_digests_) identity += digest;
  if (certificate_digests_.empty()) {
    for (const std::string& name : options_.certificate_names) identity += name;
  }
  const STACK_OF(X509_NAME)* names = SSL_CTX_get_client_CA_list(context_.get());
  for (int i = 0; names != nullptr && i < sk_X509_NAME_num(names); ++i) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    if (X509_NAME_digest(sk_X509_NAME_value(names, i), EVP_sha1(), digest, &length) == 0) {
      return OpenSslError("X509_NAME_digest() failed");
    }
    identity.append(reinterpret_cast<char*>(digest), length);
  }
  const std::string context_id = Sha1(identity);
  if (SSL_CTX_set_session_id_context(context_.get(),
                                     reinterpret_cast<const unsigned char*>(context_id.data()),
                                     static_cast<unsigned>(context_id.size())) == 0) {
    return OpenSslError("SSL_CTX_set_session_id_context() failed");
  }
  return OkStatus();
}

}  // namespace framewall::tls
