#include "tests/support/wire.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

namespace framewall::test {

Wire::Wire(Wire&& other) noexcept { *this = std::move(other); }

Wire& Wire::operator=(Wire&& other) noexcept {
  if (this == &other) return *this;
  Close();
  fd_ = std::exchange(other.fd_, -1);
  ssl_ = std::exchange(other.ssl_, nullptr);
  at_end_ = other.at_end_;
  was_reset_ = other.was_reset_;
  timed_out_ = other.timed_out_;
  return *this;
}

bool Wire::WaitFor(Direction direction, std::chrono::milliseconds wait) {
  const auto deadline = std::chrono::steady_clock::now() + wait;
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd poll_fd{fd_, static_cast<short>(direction == Direction::kRead ? POLLIN : POLLOUT), 0};
    const int ready = ::poll(&poll_fd, 1, left.count() < 0 ? 0 : static_cast<int>(left.count()));
    if (ready > 0) return true;
    if (ready == 0) {
      timed_out_ = true;
      return false;
    }
    if (errno != EINTR) return false;
  }
}

// True where the call is worth repeating.
bool Wire::AfterTlsError(int result, std::chrono::milliseconds wait) {
  const int reason = SSL_get_error(ssl_, result);
  if (reason == SSL_ERROR_WANT_READ) return WaitFor(Direction::kRead, wait);
  if (reason == SSL_ERROR_WANT_WRITE) return WaitFor(Direction::kWrite, wait);
  if (reason == SSL_ERROR_ZERO_RETURN) {
    at_end_ = true;
  } else {
    was_reset_ = true;
  }
  ERR_clear_error();
  return false;
}

bool Wire::StartTls(SSL_CTX* context, bool is_server, const std::string& server_name) {
  // OpenSSL writes without MSG_NOSIGNAL.
  ::signal(SIGPIPE, SIG_IGN);
  if (fd_ < 0) return false;
  ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
  ssl_ = SSL_new(context);
  SSL_set_fd(ssl_, fd_);
  if (!server_name.empty()) {
    // SSL_set_tlsext_host_name without its old-style casts.
    std::string name = server_name;
    SSL_ctrl(ssl_, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
  }
  for (;;) {
    const int result = is_server ? SSL_accept(ssl_) : SSL_connect(ssl_);
    if (result == 1) return true;
    if (!AfterTlsError(result, kPatience)) return false;
  }
}

bool Wire::Send(std::string_view bytes) {
  while (!bytes.empty() && fd_ >= 0) {
    if (ssl_ != nullptr) {
      const int sent = SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
      if (sent > 0) {
        bytes.remove_prefix(static_cast<size_t>(sent));
      } else if (!AfterTlsError(sent, kPatience)) {
        return false;
      }
      continue;
    }
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!WaitFor(Direction::kWrite, kPatience)) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return bytes.empty();
}

std::string Wire::ReadSome(size_t limit, std::chrono::milliseconds wait) {
  std::string piece(limit, '\0');
  timed_out_ = false;
  while (fd_ >= 0 && !at_end_ && !was_reset_) {
    if (ssl_ != nullptr) {
      const int got = SSL_read(ssl_, piece.data(), static_cast<int>(piece.size()));
      if (got > 0) {
        piece.resize(static_cast<size_t>(got));
        return piece;
      }
      if (!AfterTlsError(got, wait)) return {};
      continue;
    }
    if (!WaitFor(Direction::kRead, wait)) return {};
    const ssize_t got = ::recv(fd_, piece.data(), piece.size(), MSG_DONTWAIT);
    if (got > 0) {
      piece.resize(static_cast<size_t>(got));
      return piece;
    }
    if (got == 0) {
      at_end_ = true;
    } else if (errno != EAGAIN && errno != EINTR) {
      was_reset_ = true;
    }
  }
  return {};
}

void Wire::ShutdownWrite() {
  if (ssl_ != nullptr) SSL_shutdown(ssl_);
  if (fd_ >= 0) ::shutdown(fd_, SHUT_WR);
}

void Wire::Close() {
  if (ssl_ != nullptr) {
    if (!was_reset_) SSL_shutdown(ssl_);
    SSL_free(std::exchange(ssl_, nullptr));
    ERR_clear_error();
  }
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void Wire::Reset() {
  const linger hard{1, 0};
  if (fd_ >= 0) ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  if (ssl_ != nullptr) SSL_free(std::exchange(ssl_, nullptr));
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

}  // namespace framewall::test
