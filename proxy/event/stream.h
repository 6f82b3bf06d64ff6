// Stream: bytes in and out of one connection, whatever carries it (TCP, Unix, TLS).
//
// Reading is pushed: the handler gets every piece as it comes and keeps what it cannot use yet.
// Who cannot take more pauses the source with a counted ReadPause; there is no read watermark
// (docs/architecture.md, Appendix B). Writing never blocks: what the kernel does not take waits in
// memory, and the writer watches pending_output() and OnDrained.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/base/address.h"
#include "proxy/base/bytes.h"
#include "proxy/base/error.h"

namespace framewall::event {

class StreamHandler {
 public:
  virtual ~StreamHandler() = default;
  // Bytes from the peer, never empty, valid for the call.
  virtual void OnBytes(ByteView bytes) = 0;
  // The peer sent its end (FIN or close_notify); we may still write. Called at most once.
  virtual void OnEnd() = 0;
  // The connection is broken (reset, timeout of the kernel, TLS failure). The last call.
  virtual void OnBroken(const Error& error) = 0;
  // pending_output() fell to the low mark after having been above the high mark.
  virtual void OnDrained() {}
  // Asked for with NotifyWhenSent: the kernel has taken everything queued (and our end, if sent).
  virtual void OnAllSent() {}
  // A client stream has finished its TLS handshake (server side, before the first OnBytes).
  virtual void OnSecured() {}
};

// What variables and logs may know of TLS; empty text where there is nothing to tell. Views and
// strings in OpenSSL's words, as nginx's $ssl_* variables have them.
class TlsInfo {
 public:
  virtual ~TlsInfo() = default;
  virtual std::string Protocol() const = 0;  // "TLSv1.3"
  virtual std::string Cipher() const = 0;
  virtual std::string Ciphers() const = 0;  // offered by the client
  virtual std::string Curve() const = 0;
  virtual std::string Curves() const = 0;
  virtual std::string SessionId() const = 0;  // hex
  virtual bool SessionReused() const = 0;
  virtual std::string ServerName() const = 0;  // SNI
  virtual std::string Alpn() const = 0;
  virtual std::string EarlyData() const = 0;  // "1" or ""
  virtual bool HasPeerCertificate() const = 0;
  virtual long VerifyResult() const = 0;               // X509_V_OK == 0
  virtual std::string VerifyText() const = 0;          // "SUCCESS", "NONE", "FAILED:reason"
  virtual std::string PeerCertificatePem() const = 0;  // $ssl_client_raw_cert
  virtual std::string PeerSubject() const = 0;         // RFC 2253
  virtual std::string PeerIssuer() const = 0;
  virtual std::string PeerSubjectLegacy() const = 0;
  virtual std::string PeerIssuerLegacy() const = 0;
  virtual std::string PeerSerial() const = 0;
  virtual std::string PeerFingerprint() const = 0;  // SHA-1, hex
  virtual std::string PeerNotBefore() const = 0;    // "Nov 20 19:00:00 2026 GMT"
  virtual std::string PeerNotAfter() const = 0;
  virtual std::string PeerDaysRemaining() const = 0;
};

class Stream;

// While it lives, its stream does not read. Pauses are counted: reading goes on when the last is
// gone. Requires: the stream outlives it, or Release was called.
class ReadPause {
 public:
  ReadPause() = default;
  explicit ReadPause(Stream* stream);
  ReadPause(ReadPause&& other) noexcept : stream_(std::exchange(other.stream_, nullptr)) {}
  ReadPause& operator=(ReadPause&& other) noexcept {
    Release();
    stream_ = std::exchange(other.stream_, nullptr);
    return *this;
  }
  ~ReadPause() { Release(); }
  void Release();
  bool active() const { return stream_ != nullptr; }

 private:
  Stream* stream_ = nullptr;
};

class Stream {
 public:
  static constexpr size_t kHighMark = 65536;  // pending_output above it: stop producing
  static constexpr size_t kLowMark = 16384;   // OnDrained at or below it

  virtual ~Stream() = default;

  // Who gets the events; may be replaced at any time (a pooled connection changes hands).
  virtual void SetHandler(StreamHandler* handler) = 0;

  // Queues bytes; they leave when the running callback returns, or at once when they are many.
  virtual void Write(std::span<const ByteView> pieces) = 0;
  void Write(ByteView bytes) { Write(std::span<const ByteView>(&bytes, 1)); }
  // Octets queued that the kernel has not taken.
  virtual size_t pending_output() const = 0;
  bool congested() const { return pending_output() > kHighMark; }

  [[nodiscard]] ReadPause PauseReading() { return ReadPause(this); }

  // Calls OnAllSent once, from the loop, when nothing is queued any more.
  virtual void NotifyWhenSent() = 0;
  // Sends our end (FIN, close_notify) after everything queued; reading goes on.
  virtual void ShutdownWrite() = 0;
  // Closes at once; unsent output is lost. No event follows. `reset`: with a RST.
  enum class CloseKind { kNormal, kReset };
  virtual void Close(CloseKind kind = CloseKind::kNormal) = 0;
  virtual bool closed() const = 0;

  virtual const SocketAddress& local_address() const = 0;
  virtual const SocketAddress& peer_address() const = 0;
  virtual uint64_t bytes_received() const = 0;  // of the layer above TLS
  virtual uint64_t bytes_sent() const = 0;
  virtual int fd() const = 0;
  // Null for plain text. Valid as long as the stream.
  virtual const TlsInfo* tls() const { return nullptr; }

 protected:
  friend class ReadPause;
  virtual void AddReadPause() = 0;
  virtual void RemoveReadPause() = 0;
};

inline ReadPause::ReadPause(Stream* stream) : stream_(stream) { stream_->AddReadPause(); }
inline void ReadPause::Release() {
  if (stream_ != nullptr) std::exchange(stream_, nullptr)->RemoveReadPause();
}

}  // namespace framewall::event
