// TLS contexts: everything that connections share, made in the master while it may still read
// keys, inherited by the workers.
#pragma once

#include <openssl/ssl.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/event/stream.h"
#include "proxy/tls/certificate_files.h"
#include "proxy/tls/options.h"

namespace framewall::tls {

class SessionTicketKeys;
using UniqueContext = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;

// One server's side. Immutable after Create.
class ServerTlsContext {
 public:
  // Errors in nginx's words, source kOperator.
  static Result<std::unique_ptr<ServerTlsContext>> Create(const ServerTlsOptions& options);
  ~ServerTlsContext();

  SSL_CTX* get() const { return context_.get(); }
  const ServerTlsOptions& options() const { return options_; }
  const std::string& alpn() const { return alpn_; }
  const std::string& staple() const { return staple_; }
  // Prepares a connection that begins here (its tickets and session ids belong to this context).
  void Bind(SSL* connection) const;

  // Where OpenSSL hands out only its own objects.
  static const ServerTlsContext* Of(const SSL_CTX* context);
  static const ServerTlsContext* InitialOf(const SSL* connection);

 private:
  explicit ServerTlsContext(ServerTlsOptions options);
  Status Build();
  Status UseCertificates();
  Status UseVerification();
  Status UseSessions();
  Status SetSessionIdContext();

  ServerTlsOptions options_;
  std::unique_ptr<SessionTicketKeys> ticket_keys_;
  UniqueContext context_;
  std::vector<std::string> certificate_digests_;
  std::string alpn_;    // wire format
  std::string staple_;  // DER
};

// What a listener decides while clients shake hands. Outlives the connections.
struct ServerTlsHooks {
  // The server for the name the client asks for (empty where it names none). Null keeps the
  // context the connection began with.
  std::function<const ServerTlsContext*(std::string_view server_name, event::Stream& stream)>
      choose;
  // For contexts with certificates_at_handshake: which files. An error ends the handshake.
  std::function<Result<std::vector<CertificatePair>>(const ServerTlsContext& context,
                                                     event::Stream& stream)>
      certificates;
  // Goes before the context's list where it is not empty.
  std::vector<std::string> alpn;
};

// Our side towards upstreams.
class ClientTlsContext {
 public:
  static Result<std::unique_ptr<ClientTlsContext>> Create(const ClientTlsOptions& options);
  SSL_CTX* get() const { return context_.get(); }
  const ClientTlsOptions& options() const { return options_; }

 private:
  explicit ClientTlsContext(ClientTlsOptions options) : options_(std::move(options)) {}
  Status Build();
  ClientTlsOptions options_;
  UniqueContext context_;
};

// The last session with one upstream, for resumption. The owner keeps it per peer; it outlives the
// connections that were given it.
class SessionSlot {
 public:
  SSL_SESSION* get() const { return session_.get(); }
  void Set(SSL_SESSION* owned) { session_.reset(owned); }

 private:
  std::unique_ptr<SSL_SESSION, Freer<SSL_SESSION_free>> session_;
};

// {"h2", "http/1.1"} as ALPN's wire format.
std::string AlpnWireFormat(const std::vector<std::string>& protocols);

namespace internal {
// Shared by both sides.
Status UseProtocols(SSL_CTX* context, uint32_t protocols);
Status UseCiphers(SSL_CTX* context, const std::string& ciphers);
Status UseCertificate(SSL_CTX* context, const CertificatePair& pair,
                      const LoadedCertificate& loaded);
Status UseCertificate(SSL* connection, const CertificatePair& pair,
                      const LoadedCertificate& loaded);
Status TrustFile(SSL_CTX* context, const std::string& path);
Status UseCrl(SSL_CTX* context, const std::string& path);
Status UseConfCommands(SSL_CTX* context,
                       const std::vector<std::pair<std::string, std::string>>& commands);
UniqueContext NewContext();
// Set by tls_stream: what the handshake's callbacks do with the connection they are called for.
struct HandshakeCalls {
  int (*server_name)(SSL*, int*, void*) = nullptr;
  int (*alpn)(SSL*, const unsigned char**, unsigned char*, const unsigned char*, unsigned,
              void*) = nullptr;
  int (*certificate)(SSL*, void*) = nullptr;
  int (*new_client_session)(SSL*, SSL_SESSION*) = nullptr;
};
extern const HandshakeCalls kHandshakeCalls;
}  // namespace internal

}  // namespace framewall::tls
