#include "proxy/tls/tls_stream.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>

#include <algorithm>
#include <utility>

#include "proxy/base/check.h"
#include "proxy/tls/openssl_error.h"
#include "proxy/tls/tls_stream_class.h"

namespace framewall::tls {

using event::EventLoop;
using event::SocketStream;
using event::Stream;

namespace {

int StreamIndex() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

}  // namespace

TlsStream* TlsStream::Of(const SSL* ssl) {
  return static_cast<TlsStream*>(SSL_get_ex_data(ssl, StreamIndex()));
}

TlsStream::TlsStream(EventLoop& loop, int fd, const SocketAddress& local, const SocketAddress& peer,
                     ErrorSource peer_role, SSL_CTX* context, size_t record_size)
    : SocketStream(loop, fd, local, peer, peer_role),
      ssl_(SSL_new(context)),
      info_(ssl_),
      record_size_(std::clamp<size_t>(record_size, 1, kLargestRecord)) {
  FW_CHECK(ssl_ != nullptr);
  BIO* bio = BIO_new(SocketMethod());
  FW_CHECK(bio != nullptr);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_ex_data(ssl_, StreamIndex(), this);
}

TlsStream::~TlsStream() {
  TlsStream::Close(CloseKind::kNormal);
  // Says that we parted well, or OpenSSL would forget the session.
  if (!failed_) SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(ssl_);
  ERR_clear_error();
}

void TlsStream::StartServer(const ServerTlsContext& context, const ServerTlsHooks& hooks,
                            std::string received) {
  hooks_ = &hooks;
  received_ = std::move(received);
  context.Bind(ssl_);
  SSL_set_accept_state(ssl_);
  early_ = SSL_get_max_early_data(ssl_) > 0;
  if (!received_.empty()) ReadAgain();
}

Status TlsStream::StartClient(const ClientTlsContext& context, const ClientTlsPeer& peer) {
  client_ = &context;
  session_ = context.options().session_reuse ? peer.session : nullptr;
  SSL_set_connect_state(ssl_);
  ERR_clear_error();

  // "[::1]:443", "a.example:443": the name alone.
  peer_name_ = peer.name;
  size_t from = 0;
  if (peer_name_.starts_with('[')) {
    const size_t bracket = peer_name_.find(']');
    if (bracket != std::string::npos) from = bracket;
  }
  const size_t colon = peer_name_.find(':', from);
  if (colon != std::string::npos) peer_name_.resize(colon);

  unsigned char address[16];
  const bool is_address =
      peer_name_.starts_with('[') || ::inet_pton(AF_INET, peer_name_.c_str(), address) == 1;
  // RFC 6066 3: no literal addresses.
  if (context.options().send_server_name && !peer_name_.empty() && !is_address &&
      SSL_ctrl(ssl_, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, peer_name_.data()) ==
          0) {
    return Error{ErrorKind::kOther, ErrorSource::kInternal,
                 OpenSslText("SSL_set_tlsext_host_name(\"" + peer_name_ + "\") failed"), 0};
  }
  if (peer.certificate != nullptr) {
    FW_ASSIGN(const LoadedCertificate loaded,
              LoadCertificate(*peer.certificate, context.options().passwords));
    FW_TRY(internal::UseCertificate(ssl_, *peer.certificate, loaded));
  }
  if (session_ != nullptr && session_->get() != nullptr) SSL_set_session(ssl_, session_->get());
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);  // queues the hello
  const int why = SSL_get_error(ssl_, result);
  if (result != 1 && why != SSL_ERROR_WANT_READ) {
    failed_ = true;
    return Error{ErrorKind::kOther, ErrorSource::kInternal,
                 OpenSslText("SSL_do_handshake() failed"), 0};
  }
  return OkStatus();
}

void TlsStream::Close(CloseKind kind) {
  if (closed()) return;
  if (kind == CloseKind::kNormal && state_ == State::kOpen && !failed_) {
    Encrypt();
    SendCloseNotify();
  }
  SocketStream::Close(kind);
  plain_.clear();
}

void TlsStream::SendCloseNotify() {
  if (close_notify_sent_ || failed_ || !SSL_is_init_finished(ssl_)) return;
  close_notify_sent_ = true;
  ERR_clear_error();
  SSL_shutdown(ssl_);  // the peer's answer is not waited for
  ERR_clear_error();
}

std::unique_ptr<Stream> MakeTlsServerStream(EventLoop& loop, int fd,
                                            const ServerTlsContext& context,
                                            const ServerTlsHooks& hooks, const SocketAddress& local,
                                            const SocketAddress& peer) {
  auto stream = std::make_unique<TlsStream>(loop, fd, local, peer, ErrorSource::kClient,
                                            context.get(), context.options().buffer_size);
  stream->StartServer(context, hooks, {});
  return stream;
}

std::unique_ptr<Stream> MakeTlsServerStream(EventLoop& loop, std::unique_ptr<Stream> plain,
                                            const ServerTlsContext& context,
                                            const ServerTlsHooks& hooks, std::string received) {
  auto* below = dynamic_cast<SocketStream*>(plain.get());
  FW_CHECK(below != nullptr);
  const SocketAddress local = below->local_address();
  const SocketAddress peer = below->peer_address();
  auto stream = std::make_unique<TlsStream>(loop, below->ReleaseDescriptor(), local, peer,
                                            ErrorSource::kClient, context.get(),
                                            context.options().buffer_size);
  loop.Retire(std::move(plain));  // it may be its callback that we are in
  stream->StartServer(context, hooks, std::move(received));
  return stream;
}

Result<std::unique_ptr<Stream>> MakeTlsClientStream(EventLoop& loop, std::unique_ptr<Stream> plain,
                                                    const ClientTlsContext& context,
                                                    const ClientTlsPeer& peer) {
  auto* below = dynamic_cast<SocketStream*>(plain.get());
  FW_CHECK(below != nullptr);
  const SocketAddress address = below->peer_address();
  auto stream =
      std::make_unique<TlsStream>(loop, below->ReleaseDescriptor(), SocketAddress(), address,
                                  ErrorSource::kUpstream, context.get(), kLargestRecord);
  loop.Retire(std::move(plain));
  FW_TRY(stream->StartClient(context, peer));
  return std::unique_ptr<Stream>(std::move(stream));
}

bool EndedCleanly(const Stream& stream) {
  const auto* tls = dynamic_cast<const TlsStream*>(&stream);
  return tls == nullptr || tls->tls() == nullptr || tls->ended_cleanly();
}

}  // namespace framewall::tls
