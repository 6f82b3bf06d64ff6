// Streams over TLS: OpenSSL between a socket and a handler.
//
// Policy as of every stream: what is written in a callback becomes as few records as can be and
// leaves in one system call when the callback returns.
//
//   handshake ─► open ─► ended by the peer (OnEnd) / by us (close_notify, FIN)
//       │ └────► plain: the client spoke no TLS (server side only); bytes pass as they are
//       └──────► broken (OnBroken, once)
//
// Errors: source of the peer where the peer is at fault (nginx logs these at info for clients),
// kInternal where it is not. Messages in nginx's words: "SSL_do_handshake() failed (SSL: ...)",
// "peer closed connection in SSL handshake", "upstream SSL certificate does not match "a"". A
// system_errno that is not 0 belongs after them as always.
#pragma once

#include <memory>
#include <string>

#include "proxy/base/address.h"
#include "proxy/event/loop.h"
#include "proxy/event/stream.h"
#include "proxy/tls/context.h"

namespace framewall::tls {

// The first octet of a connection: can it begin a TLS or SSLv2 hello?
constexpr bool LooksLikeTls(char first) { return first == 0x16 || (first & 0x80) != 0; }

// Server side. Takes over `fd`. `context` is the one before a name is known; `context` and `hooks`
// outlive the stream.
//
// A client that speaks no TLS at all (plain HTTP on this port): the stream turns plain, tls() is
// null from then on, its bytes come to OnBytes and what is written goes out as it is, so that a
// plain answer (nginx's 400 of code 497) can be given. OnSecured does not come then.
// The handler may look at tls() from OnSecured on; early data (`ssl_early_data`) comes after
// OnSecured, while TlsInfo::EarlyData() is "1".
std::unique_ptr<event::Stream> MakeTlsServerStream(event::EventLoop& loop, int fd,
                                                   const ServerTlsContext& context,
                                                   const ServerTlsHooks& hooks,
                                                   const SocketAddress& local,
                                                   const SocketAddress& peer);
// On a connection that has been read from (PROXY protocol): `received` is what came after.
// Requires: `plain` is a TCP stream of this loop; nothing is queued on it.
std::unique_ptr<event::Stream> MakeTlsServerStream(event::EventLoop& loop,
                                                   std::unique_ptr<event::Stream> plain,
                                                   const ServerTlsContext& context,
                                                   const ServerTlsHooks& hooks,
                                                   std::string received);

struct ClientTlsPeer {
  // For SNI and for the check of the certificate; a port at its end is left out.
  std::string name;
  // Offered and kept up to date; may be null. Outlives the stream.
  SessionSlot* session = nullptr;
  // Instead of the context's (proxy_ssl_certificate with variables); may be null.
  const CertificatePair* certificate = nullptr;
};

// Client side, on a connected stream of this loop (Connector's). The handshake begins at once; what
// is written before OnSecured waits for it. Fails only where `peer.certificate` cannot be loaded
// or the name cannot be sent.
Result<std::unique_ptr<event::Stream>> MakeTlsClientStream(event::EventLoop& loop,
                                                           std::unique_ptr<event::Stream> plain,
                                                           const ClientTlsContext& context,
                                                           const ClientTlsPeer& peer);

// Did the peer end with close_notify, or (false) just close? Both are OnEnd, as in nginx. True for
// streams without TLS.
bool EndedCleanly(const event::Stream& stream);

}  // namespace framewall::tls
