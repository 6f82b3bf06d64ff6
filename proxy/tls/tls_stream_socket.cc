// TlsStream: the socket, as OpenSSL sees it.
#include <openssl/bio.h>

#include <algorithm>
#include <cerrno>

#include "proxy/base/check.h"
#include "proxy/tls/tls_stream_class.h"

namespace framewall::tls {

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

}  // namespace framewall::tls
