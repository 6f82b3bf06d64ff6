// The class behind tls_stream.h, for its own files alone.
//
//   tls_stream.cc            beginning and end, the functions of tls_stream.h
//   tls_stream_socket.cc     the socket, as OpenSSL sees it
//   tls_stream_handshake.cc  the handshake, the check of the peer, what OpenSSL calls back for
//   tls_stream_records.cc    reading and writing
#pragma once

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "proxy/event/socket_stream.h"
#include "proxy/tls/tls_info.h"
#include "proxy/tls/tls_stream.h"

namespace framewall::tls {

constexpr size_t kLargestRecord = 16384;

class TlsStream final : public event::SocketStream {
 public:
  TlsStream(event::EventLoop& loop, int fd, const SocketAddress& local, const SocketAddress& peer,
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

  // What OpenSSL calls back for (tls_stream_handshake.cc).
  int ChooseServer(int* alert);
  int ChooseProtocol(const unsigned char** out, unsigned char* out_length, ByteView offered);
  int ChooseCertificate();
  void KeepSession(SSL_SESSION* session) { session_->Set(session); }
  bool keeps_sessions() const { return session_ != nullptr; }
  bool ended_cleanly() const { return ended_cleanly_; }

  static TlsStream* Of(const SSL* ssl);

 protected:
  void RemoveReadPause() override;
  void OnReadable() override;
  void BeforeFlush() override;

 private:
  enum class State { kHandshake, kOpen, kPlain };

  // --- tls_stream.cc ---
  void SendCloseNotify();

  // --- tls_stream_socket.cc ---
  static BIO_METHOD* SocketMethod();
  int ReadSocket(char* out, size_t size, BIO* bio);

  // --- tls_stream_handshake.cc ---
  void Handshake();
  void Opened();
  std::optional<Error> CheckPeer() const;

  // --- tls_stream_records.cc ---
  void ReadEarlyData();
  void ReadRecords();
  void ReadPlain();
  // Sorts out why `call` came back with `result`; tells the handler where it is the end.
  void Stopped(const char* call, int result);
  void FinishReading();
  void ReadOnIfBytesWait();
  void Encrypt();
  bool EncryptSome(ByteView bytes, size_t* taken);
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

}  // namespace framewall::tls
