// TlsStream: reading and writing.
#include <openssl/err.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "proxy/tls/openssl_error.h"
#include "proxy/tls/tls_stream_class.h"

namespace framewall::tls {

using event::EventLoop;
using event::SocketStream;

namespace {

// Reads of one readiness, so that a fast sender does not starve the others.
constexpr int kReadsPerEvent = 4;
// Ciphertext that is sent before the callback returns.
constexpr size_t kSendNow = 65536;

}  // namespace

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

}  // namespace framewall::tls
