#include "proxy/tls/context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <utility>

#include "proxy/tls/openssl_error.h"

namespace framewall::tls {
namespace internal {
namespace {

std::string Call(std::string_view call, std::string_view argument) {
  std::string text(call);
  text += "(\"";
  text += argument;
  text += "\") failed";
  return text;
}

}  // namespace

UniqueContext NewContext() {
  ERR_clear_error();
  UniqueContext context(SSL_CTX_new(TLS_method()));
  if (!context) return context;
  SSL_CTX_set_options(context.get(), SSL_OP_SINGLE_DH_USE | SSL_OP_SINGLE_ECDH_USE |
                                         SSL_OP_NO_COMPRESSION | SSL_OP_NO_ANTI_REPLAY |
                                         SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Buffers go when they are empty: an idle connection keeps none.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN |
                                      SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context.get(), 1);
  return context;
}

Status UseProtocols(SSL_CTX* context, uint32_t protocols) {
  constexpr std::pair<uint32_t, uint64_t> kOff[] = {
      {kSslV3, SSL_OP_NO_SSLv3},    {kTlsV1, SSL_OP_NO_TLSv1},    {kTlsV11, SSL_OP_NO_TLSv1_1},
      {kTlsV12, SSL_OP_NO_TLSv1_2}, {kTlsV13, SSL_OP_NO_TLSv1_3},
  };
  SSL_CTX_set_min_proto_version(context, 0);
  SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
  for (const auto& [protocol, off] : kOff) {
    SSL_CTX_clear_options(context, off);
    if ((protocols & protocol) == 0) SSL_CTX_set_options(context, off);
  }
  return OkStatus();
}

Status UseCiphers(SSL_CTX* context, const std::string& ciphers) {
  if (SSL_CTX_set_cipher_list(context, ciphers.c_str()) == 0) {
    return OpenSslError(Call("SSL_CTX_set_cipher_list", ciphers));
  }
  return OkStatus();
}

Status UseCertificate(SSL_CTX* context, const CertificatePair& pair,
                      const LoadedCertificate& loaded) {
  if (SSL_CTX_use_certificate(context, loaded.certificate.get()) == 0) {
    return OpenSslError(Call("SSL_CTX_use_certificate", pair.certificate));
  }
  if (SSL_CTX_set1_chain(context, loaded.chain.get()) == 0) {
    return OpenSslError(Call("SSL_CTX_set0_chain", pair.certificate));
  }
  if (SSL_CTX_use_PrivateKey(context, loaded.key.get()) == 0) {
    return OpenSslError(Call("SSL_CTX_use_PrivateKey", pair.key));
  }
  return OkStatus();
}

Status UseCertificate(SSL* connection, const CertificatePair& pair,
                      const LoadedCertificate& loaded) {
  if (SSL_use_certificate(connection, loaded.certificate.get()) == 0) {
    return OpenSslError(Call("SSL_use_certificate", pair.certificate));
  }
  if (SSL_set1_chain(connection, loaded.chain.get()) == 0) {
    return OpenSslError(Call("SSL_set0_chain", pair.certificate));
  }
  if (SSL_use_PrivateKey(connection, loaded.key.get()) == 0) {
    return OpenSslError(Call("SSL_use_PrivateKey", pair.key));
  }
  return OkStatus();
}

Status TrustFile(SSL_CTX* context, const std::string& path) {
  if (path.empty()) return OkStatus();
  if (SSL_CTX_load_verify_locations(context, path.c_str(), nullptr) == 0) {
    return OpenSslError(Call("SSL_CTX_load_verify_locations", path));
  }
  ERR_clear_error();  // it may leave errors and succeed
  return OkStatus();
}

Status UseCrl(SSL_CTX* context, const std::string& path) {
  if (path.empty()) return OkStatus();
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  X509_LOOKUP* lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
  if (lookup == nullptr) return OpenSslError("X509_STORE_add_lookup() failed");
  if (X509_LOOKUP_load_file(lookup, path.c_str(), X509_FILETYPE_PEM) == 0) {
    return OpenSslError(Call("X509_LOOKUP_load_file", path));
  }
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return OkStatus();
}

Status UseConfCommands(SSL_CTX* context,
                       const std::vector<std::pair<std::string, std::string>>& commands) {
  if (commands.empty()) return OkStatus();
  const std::unique_ptr<SSL_CONF_CTX, Freer<SSL_CONF_CTX_free>> conf(SSL_CONF_CTX_new());
  if (!conf) return OpenSslError("SSL_CONF_CTX_new() failed");
  SSL_CONF_CTX_set_flags(conf.get(), SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SERVER |
                                         SSL_CONF_FLAG_CLIENT | SSL_CONF_FLAG_CERTIFICATE |
                                         SSL_CONF_FLAG_SHOW_ERRORS);
  SSL_CONF_CTX_set_ssl_ctx(conf.get(), context);
  for (const auto& [name, value] : commands) {
    if (SSL_CONF_cmd(conf.get(), name.c_str(), value.c_str()) <= 0) {
      return OpenSslError("SSL_CONF_cmd(\"" + name + "\", \"" + value + "\") failed");
    }
  }
  if (SSL_CONF_CTX_finish(conf.get()) != 1) return OpenSslError("SSL_CONF_finish() failed");
  return OkStatus();
}

}  // namespace internal

Result<std::unique_ptr<ClientTlsContext>> ClientTlsContext::Create(
    const ClientTlsOptions& options) {
  std::unique_ptr<ClientTlsContext> context(new ClientTlsContext(options));
  FW_TRY(context->Build());
  return context;
}

Status ClientTlsContext::Build() {
  using namespace internal;  // NOLINT: the whole function is made of these
  context_ = NewContext();
  if (!context_) return OpenSslError("SSL_CTX_new() failed");
  SSL_CTX* context = context_.get();
  FW_TRY(UseProtocols(context, options_.protocols));
  FW_TRY(UseCiphers(context, options_.ciphers));
  if (!options_.certificate.certificate.empty()) {
    FW_ASSIGN(const LoadedCertificate loaded,
              LoadCertificate(options_.certificate, options_.passwords));
    FW_TRY(UseCertificate(context, options_.certificate, loaded));
  }
  if (options_.verify) {
    // The result is looked at after the handshake: the name is checked then as well.
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
    SSL_CTX_set_verify_depth(context, options_.verify_depth);
    FW_TRY(TrustFile(context, options_.trusted_certificate_file));
    FW_TRY(UseCrl(context, options_.crl_file));
  }
  if (options_.session_reuse) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, kHandshakeCalls.new_client_session);
  }
  if (!options_.alpn.empty()) {
    const std::string alpn = AlpnWireFormat(options_.alpn);
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(alpn.data()),
                            static_cast<unsigned>(alpn.size()));
  }
  FW_TRY(UseConfCommands(context, options_.conf_commands));
  return OkStatus();
}

std::string AlpnWireFormat(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const std::string& protocol : protocols) {
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  return wire;
}

}  // namespace framewall::tls
