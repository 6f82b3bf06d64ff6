#include "proxy/tls/tls_stream.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "proxy/base/check.h"
#include "proxy/event/socket_stream.h"
#include "proxy/tls/openssl_error.h"
#include "proxy/tls/tls_info.h"

namespace framewall::tls {
namespace {

using event::EventLoop;
using event::SocketStream;
using event::Stream;

// Reads of one readiness, so that a fast sender does not starve the others.
constexpr int kReadsPerEvent = 4;
// Ciphertext that is sent before the callback returns.
constexpr size_t kSendNow = 65536;
constexpr size_t kLargestRecord = 16384;

int StreamIndex() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

class TlsStream final : public SocketStream {
 public:
  TlsStream(EventLoop& loop, int fd, const SocketAddress& local, const SocketAddress& peer,
            ErrorSource peer_role, SSL_CTX* context, size_t record_size);
  ~TlsStream() override;

  void StartServer(const ServerTlsContext& context, const ServerTlsHooks& hooks,
                   std::string received);
  Status StartClient(const ClientTlsContext& context, const ClientTlsPeer& peer);

  // Stream
  void SetHandler(event::StreamHandler* handler) override;
  void Write(std::span<const ByteView> pieces) override;
  size_t pending_output() const override { return plain_.size() + raw_pending(); }
  void Close(CloseKind kind) override;
  const event::TlsInfo* tls() const override { return state_ == State::kPlain ? nullptr : &info_; }

  // What OpenSSL calls back for.
  int ChooseServer(int* alert);
  int ChooseProtocol(const unsigned char** out, unsigned char* out_length, ByteView offered);
  int ChooseCertificate();
  void KeepSession(SSL_SESSION* session) { session_->Set(session); }
  bool keeps_sessions() const { return session_ != nullptr; }
  bool ended_cleanly() const { return ended_cleanly_; }

  static TlsStream* Of(const SSL* ssl) {
    return static_cast<TlsStream*>(SSL_get_ex_data(ssl, StreamIndex()));
  }

 protected:
  void RemoveReadPause() override;
  void OnReadable() override;
  void BeforeFlush() override;

 private:
  enum class State { kHandshake, kOpen, kPlain };

  static BIO_METHOD* SocketMethod();
  int ReadSocket(char* out, size_t size, BIO* bio);

  void Handshake();
  void ReadEarlyData();
  void Opened();
  std::optional<Error> CheckPeer() const;
  void ReadRecords();
  void ReadPlain();
  // Sorts out why `call` came back with `result`; tells the handler where it is the end.
  void Stopped(const char* call, int result);
  void FinishReading();
  void ReadOnIfBytesWait();
  void Encrypt();
  bool EncryptSome(ByteView bytes, size_t* taken);
  void SendCloseNotify();
  bool CanReadRecords() const { return reading_allowed() && state_ == State::kOpen; }

  SSL* ssl_;
  OpenSslInfo info_;
  State state_ = State::kHandshake;
  const size_t record_size_;
  const ServerTlsHooks* hooks_ = nullptr;
  const ClientTlsContext* client_ = nullptr;
  SessionSlot* session_ = nullptr;
  std::string peer_name_;
  std::string received_;             // came before this stream was made, or before it turned plain
  std::string plain_;                // written, not encrypted yet
  std::optional<Error> hook_error_;  // why a callback refused
  std::optional<Error> last_error_;  // to be told once the handler reads again
  int socket_errno_ = 0;
  bool early_ = false;        // SSL_read_early_data reads
  bool first_octet_ = false;  // the first octet has been looked at
  bool drained_ = false;      // the kernel gave a short piece: nothing more is there now
  bool socket_ended_ = false;
  bool end_waits_ = false;  // the end came while the handler pauses
  bool failed_ = false;     // OpenSSL must not be asked to say goodbye
  bool close_notify_sent_ = false;
  bool ended_cleanly_ = false;
};

// --- the socket, as OpenSSL sees it ---

// Output always succeeds: it goes to the queue and leaves with the flush. So SSL_write never waits
// for the socket, and a flight of handshake messages is one system call.
BIO_METHOD* TlsStream::SocketMethod() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
    FW_CHECK(made != nullptr);
    BIO_meth_set_read(made, [](BIO* bio, char* out, int size) {
      BIO_clear_retry_flags(bio);
      return static_cast<TlsStream*>(BIO_get_data(bio))
          ->ReadSocket(out, static_cast<size_t>(size), bio);
    });
    BIO_meth_set_write(made, [](BIO* bio, const char* bytes, int size) {
      BIO_clear_retry_flags(bio);
      auto* stream = static_cast<TlsStream*>(BIO_get_data(bio));
      if (stream->closed()) return -1;
      stream->AppendRaw(ByteView(bytes, static_cast<size_t>(size)));
      stream->RequestFlush();
      return size;
    });
    BIO_meth_set_ctrl(made, [](BIO* bio, int command, long, void*) -> long {
      if (command == BIO_CTRL_EOF) {
        return static_cast<TlsStream*>(BIO_get_data(bio))->socket_ended_ ? 1 : 0;
      }
      return command == BIO_CTRL_FLUSH ? 1 : 0;
    });
    return made;
  }();
  return method;
}

int TlsStream::ReadSocket(char* out, size_t size, BIO* bio) {
  if (size == 0 || closed()) return -1;
  size_t got = 0;
  if (!received_.empty()) {
    got = std::min(size, received_.size());
    std::copy_n(received_.data(), got, out);
    received_.erase(0, got);
  } else if (drained_) {
    BIO_set_retry_read(bio);
    return -1;
  } else {
    const ssize_t result = Receive(out, size);
    if (result == 0) {
      socket_ended_ = true;
      drained_ = true;
      return 0;
    }
    if (result < 0) {
      drained_ = true;
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        BIO_set_retry_read(bio);
      } else {
        socket_errno_ = errno;
      }
      return -1;
    }
    got = static_cast<size_t>(result);
    if (got < size) drained_ = true;
  }
  if (!first_octet_) {
    first_octet_ = true;
    if (hooks_ != nullptr && !LooksLikeTls(out[0])) {
      // Not TLS. OpenSSL shall not see it.
      state_ = State::kPlain;
      received_.insert(0, out, got);
      return -1;
    }
  }
  return static_cast<int>(got);
}

// --- beginning and end ---

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

// --- reading ---

void TlsStream::SetHandler(event::StreamHandler* handler) {
  SocketStream::SetHandler(handler);
  ReadOnIfBytesWait();
}

void TlsStream::RemoveReadPause() {
  SocketStream::RemoveReadPause();
  ReadOnIfBytesWait();
}

// Octets that OpenSSL or we hold are announced by no socket event (docs/architecture.md,
// Appendix B).
void TlsStream::ReadOnIfBytesWait() {
  if (!reading_allowed()) return;
  if (end_waits_ || last_error_.has_value() || !received_.empty() || SSL_has_pending(ssl_) != 0) {
    ReadAgain();
  }
}

void TlsStream::OnReadable() {
  drained_ = false;
  if (state_ == State::kHandshake) Handshake();
  if (closed() || !reading_allowed()) return;
  if (state_ == State::kPlain) {
    ReadPlain();
  } else if (state_ == State::kOpen) {
    ReadRecords();
    if (!plain_.empty()) RequestFlush();  // it waited for the handshake to finish
  }
}

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

// Server side of RFC 8446 2.3: requests that come with the hello, before the handshake is done.
void TlsStream::ReadEarlyData() {
  while (early_ && reading_allowed()) {
    ERR_clear_error();
    size_t size = 0;
    const int result =
        SSL_read_early_data(ssl_, loop().read_buffer(), EventLoop::kReadBufferSize, &size);
    if (result == SSL_READ_EARLY_DATA_ERROR) {
      Stopped(state_ == State::kOpen ? "SSL_read_early_data() failed" : "SSL_do_handshake() failed",
              0);
      return;
    }
    if (result == SSL_READ_EARLY_DATA_FINISH) early_ = false;
    if (size > 0) {
      if (state_ == State::kHandshake) Opened();
      if (!reading_allowed()) return;
      bytes_received_ += size;
      handler()->OnBytes(ByteView(loop().read_buffer(), size));
    }
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

void TlsStream::ReadRecords() {
  if (end_waits_ || last_error_.has_value()) {
    FinishReading();
    return;
  }
  if (early_) {
    ReadEarlyData();
    if (early_ || !CanReadRecords()) return;
  }
  for (int reads = 0; reads < kReadsPerEvent; ++reads) {
    // Several small records are one piece for the handler.
    char* buffer = loop().read_buffer();
    size_t filled = 0;
    int result = 1;
    while (filled < EventLoop::kReadBufferSize) {
      ERR_clear_error();
      size_t size = 0;
      result = SSL_read_ex(ssl_, buffer + filled, EventLoop::kReadBufferSize - filled, &size);
      if (result != 1) break;
      filled += size;
      if (drained_ && received_.empty() && SSL_has_pending(ssl_) == 0) break;
    }
    if (result != 1) Stopped("SSL_read() failed", result);
    if (filled > 0 && handler() != nullptr) {
      bytes_received_ += filled;
      handler()->OnBytes(ByteView(buffer, filled));
    }
    if (end_waits_ || last_error_.has_value()) {
      if (reading_allowed()) FinishReading();
      return;
    }
    if (!CanReadRecords()) return;
    if (result != 1 || filled < EventLoop::kReadBufferSize) {
      return;  // nothing more now
    }
  }
  ReadOnIfBytesWait();
}

void TlsStream::ReadPlain() {
  while (!received_.empty() && reading_allowed()) {
    const std::string bytes = std::exchange(received_, {});
    bytes_received_ += bytes.size();
    handler()->OnBytes(bytes);
  }
  if (reading_allowed() && !drained_) SocketStream::OnReadable();
}

// In the handshake a failure is told at once; later it waits until the bytes before it are told.
void TlsStream::Stopped(const char* call, int result) {
  if (state_ == State::kPlain) {
    // The callers look at state_ next.
    failed_ = true;
    ERR_clear_error();
    return;
  }
  const int why = SSL_get_error(ssl_, result);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return;
  const bool in_handshake = state_ == State::kHandshake;
  if (why == SSL_ERROR_ZERO_RETURN || (ERR_peek_error() == 0 && socket_errno_ == 0)) {
    if (!in_handshake) {
      ended_cleanly_ = !socket_ended_;
      end_waits_ = true;
      return;
    }
    failed_ = true;
    Break(PeerError("peer closed connection in SSL handshake", 0));
    return;
  }

  failed_ = true;
  Error error;
  if (hook_error_.has_value()) {
    error = std::move(*hook_error_);
    ERR_clear_error();
  } else if (socket_errno_ != 0) {
    error =
        PeerError(in_handshake ? "peer closed connection in SSL handshake" : call, socket_errno_);
    ERR_clear_error();
  } else {
    const bool is_peers = OldestErrorIsThePeers();
    error = Error{ErrorKind::kSyntax, is_peers ? peer_role() : ErrorSource::kInternal,
                  OpenSslText(call), 0};
  }
  if (in_handshake) {
    Break(std::move(error));  // an alert that is queued leaves with the close
  } else {
    last_error_ = std::move(error);
  }
}

void TlsStream::FinishReading() {
  if (last_error_.has_value()) {
    Break(*std::exchange(last_error_, std::nullopt));
    return;
  }
  end_waits_ = false;
  ReadEnded();
}

// --- writing ---

void TlsStream::Write(std::span<const ByteView> pieces) {
  if (!can_write()) return;
  if (state_ == State::kPlain) {
    SocketStream::Write(pieces);
    return;
  }
  for (ByteView piece : pieces) {
    bytes_sent_ += piece.size();
    while (!piece.empty()) {
      if (plain_.empty() && piece.size() >= record_size_ && state_ == State::kOpen) {
        size_t taken = 0;
        if (EncryptSome(piece.substr(0, record_size_), &taken)) {
          piece.remove_prefix(taken);
          continue;
        }
      }
      const size_t room = record_size_ - plain_.size() % record_size_;
      const size_t take = std::min(room, piece.size());
      if (plain_.empty()) plain_ = loop().TakeBuffer();
      plain_.append(piece.substr(0, take));
      piece.remove_prefix(take);
      if (plain_.size() >= record_size_ && state_ == State::kOpen) Encrypt();
    }
  }
  if (raw_pending() >= kSendNow) SendQueue();
  NoteCongestion();
  if (!plain_.empty()) RequestFlush();
}

bool TlsStream::EncryptSome(ByteView bytes, size_t* taken) {
  if (failed_) return false;
  ERR_clear_error();
  const int result = SSL_is_init_finished(ssl_) || !(SSL_get_max_early_data(ssl_) > 0)
                         ? SSL_write_ex(ssl_, bytes.data(), bytes.size(), taken)
                         : SSL_write_early_data(ssl_, bytes.data(), bytes.size(), taken);
  if (result == 1) return true;
  const int why = SSL_get_error(ssl_, result);
  // WANT_READ: the handshake after early data is not done; the bytes wait in `plain_`.
  if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
    failed_ = true;
    last_error_ =
        Error{ErrorKind::kOther, ErrorSource::kInternal, OpenSslText("SSL_write() failed"), 0};
    ReadOnIfBytesWait();
  }
  ERR_clear_error();
  return false;
}

void TlsStream::Encrypt() {
  size_t done = 0;
  while (done < plain_.size()) {
    size_t taken = 0;
    if (!EncryptSome(ByteView(plain_).substr(done, record_size_), &taken)) break;
    done += taken;
  }
  if (done == plain_.size()) {
    // An idle connection keeps no buffer.
    loop().GiveBuffer(std::move(plain_));
    plain_.clear();
  } else {
    plain_.erase(0, done);
  }
}

void TlsStream::BeforeFlush() {
  if (state_ != State::kOpen || failed_) return;
  if (!plain_.empty()) Encrypt();
  if (end_requested() && plain_.empty()) SendCloseNotify();
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
