#include "proxy/event/listener.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace framewall::event {

struct Listener::Handle {
  ::event event;

  static void OnReadable(evutil_socket_t, short, void* argument) {
    Listener& listener = *static_cast<Listener*>(argument);
    EventLoop& loop = listener.loop_;
    loop.EnterCallback();
    while (!listener.paused_ && AcceptOne(listener) && listener.multi_accept_) {
    }
    loop.LeaveCallback();
  }

  // False where nobody waits any more.
  static bool AcceptOne(Listener& listener) {
    sockaddr_storage storage{};
    for (;;) {
      socklen_t length = sizeof storage;
      const int fd = ::accept4(listener.fd_, reinterpret_cast<sockaddr*>(&storage), &length,
                               SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        listener.on_accept_(
            fd, SocketAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&storage), length));
        return true;
      }
      switch (errno) {
        case EINTR:
        case ECONNABORTED:  // gone while it waited; the next may be there
        case EPROTO:
          continue;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
          if (listener.on_exhausted_) listener.on_exhausted_(errno);
          return false;
        default:  // EAGAIN: another worker was faster
          return false;
      }
    }
  }
};

Listener::Listener(EventLoop& loop, int listen_fd, bool multi_accept, OnAccept on_accept,
                   OnExhausted on_exhausted)
    : loop_(loop),
      fd_(listen_fd),
      multi_accept_(multi_accept),
      on_accept_(std::move(on_accept)),
      on_exhausted_(std::move(on_exhausted)),
      handle_(std::make_unique<Handle>()) {
  event_assign(&handle_->event, loop_.base(), fd_, EV_READ | EV_PERSIST, Handle::OnReadable, this);
  event_add(&handle_->event, nullptr);
}

Listener::~Listener() { event_del(&handle_->event); }

void Listener::Pause() {
  if (paused_) return;
  paused_ = true;
  event_del(&handle_->event);
}

void Listener::Resume() {
  if (!paused_) return;
  paused_ = false;
  event_add(&handle_->event, nullptr);
}

}  // namespace framewall::event
