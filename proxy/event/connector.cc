#include "proxy/event/connector.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "proxy/base/unique_fd.h"
#include "proxy/event/tcp_stream.h"

namespace framewall::event {
namespace {

Error ConnectError(std::string_view what, int system_errno) {
  ErrorKind kind = ErrorKind::kSystem;
  if (system_errno == ECONNREFUSED || system_errno == ENOENT) kind = ErrorKind::kRefused;
  if (system_errno == ETIMEDOUT) kind = ErrorKind::kTimeout;
  return Error{kind, ErrorSource::kUpstream, std::string(what), system_errno};
}

void SetOption(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

// Opens, prepares and starts; the errno of connect (0: connected) or an error before it.
Result<int> Start(const SocketAddress& address, const ConnectOptions& options, UniqueFd* out) {
  UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return ConnectError("socket() failed", errno);
  if (!address.is_unix()) SetOption(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  if (options.keepalive) SetOption(fd.get(), SOL_SOCKET, SO_KEEPALIVE, 1);
  if (options.receive_buffer > 0) {
    SetOption(fd.get(), SOL_SOCKET, SO_RCVBUF, options.receive_buffer);
  }
  if (options.send_buffer > 0) SetOption(fd.get(), SOL_SOCKET, SO_SNDBUF, options.send_buffer);
  if (!options.bind.empty()) {
    if (options.transparent) {
      const bool v6 = options.bind.family() == AF_INET6;
      SetOption(fd.get(), v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT,
                1);
    }
    // The port is chosen by connect: then it need only be unique for this destination.
    if (options.bind.port() == 0) SetOption(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    if (::bind(fd.get(), options.bind.get(), options.bind.length()) != 0) {
      return ConnectError("bind(" + options.bind.ToText() + ") failed", errno);
    }
  }
  int code = 0;
  if (::connect(fd.get(), address.get(), address.length()) != 0) code = errno;
  *out = std::move(fd);
  return code;
}

}  // namespace

struct Connector::Attempt {
  EventLoop& loop;
  OnDone done;
  UniqueFd fd;
  ::event event{};
  bool waiting = false;
  // Expires with the attempt: a posted outcome then does nothing.
  std::shared_ptr<int> alive = std::make_shared<int>(0);

  ~Attempt() {
    if (waiting) event_del(&event);
  }

  // The last thing done with this attempt: the callee may destroy it.
  void Finish(std::optional<Error> error) {
    OnDone callback = std::move(done);
    if (error.has_value()) {
      callback(std::move(*error));
      return;
    }
    callback(MakeTcpStream(loop, fd.Release(), SocketAddress(), SocketAddress(),
                           ErrorSource::kUpstream));
  }

  void PostFinish(std::optional<Error> error) {
    loop.Post([this, watch = std::weak_ptr<int>(alive), error = std::move(error)]() mutable {
      if (!watch.expired()) Finish(std::move(error));
    });
  }

  void Wait(std::chrono::milliseconds timeout) {
    event_assign(&event, loop.base(), fd.get(), EV_WRITE, OnReady, this);
    timeval limit{timeout.count() / 1000, static_cast<suseconds_t>(timeout.count() % 1000) * 1000};
    event_add(&event, &limit);
    waiting = true;
  }

  static void OnReady(evutil_socket_t, short what, void* argument) {
    auto& attempt = *static_cast<Attempt*>(argument);
    EventLoop& loop = attempt.loop;
    loop.EnterCallback();
    attempt.waiting = false;
    if ((what & EV_WRITE) == 0) {
      attempt.Finish(ConnectError("upstream timed out", ETIMEDOUT));
    } else {
      int code = 0;
      socklen_t length = sizeof code;
      if (::getsockopt(attempt.fd.get(), SOL_SOCKET, SO_ERROR, &code, &length) != 0) code = errno;
      if (code != 0) {
        attempt.Finish(ConnectError("connect() failed", code));
      } else {
        attempt.Finish(std::nullopt);
      }
    }
    loop.LeaveCallback();
  }
};

Connector::Connector(EventLoop& loop, const SocketAddress& address, const ConnectOptions& options,
                     OnDone done)
    : attempt_(new Attempt{loop, std::move(done), UniqueFd()}) {
  Result<int> started = Start(address, options, &attempt_->fd);
  if (!started.ok()) {
    attempt_->PostFinish(started.error());
  } else if (*started == 0) {
    attempt_->PostFinish(std::nullopt);
  } else if (*started == EINPROGRESS) {
    attempt_->Wait(options.timeout);
  } else {
    // A Unix socket with a full backlog says EAGAIN: as good as refused.
    attempt_->PostFinish(ConnectError("connect() to " + address.ToText() + " failed", *started));
  }
}

Connector::~Connector() = default;

}  // namespace framewall::event
