#include "proxy/event/wakeup.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

namespace framewall::event {

struct Wakeup::Handle {
  ::event event;

  static void OnFire(evutil_socket_t fd, short, void* argument) {
    Wakeup& wakeup = *static_cast<Wakeup*>(argument);
    EventLoop& loop = wakeup.loop_;
    loop.EnterCallback();
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(fd, &count, sizeof count);
    wakeup.callback_();
    loop.LeaveCallback();
  }
};

void Wakeup::Notifier::Notify() const {
  if (!fd_) return;
  const uint64_t one = 1;
  // It can only fail where it is awaited already.
  [[maybe_unused]] const ssize_t written = ::write(fd_->get(), &one, sizeof one);
}

std::unique_ptr<Wakeup> Wakeup::Make(EventLoop& loop, std::function<void()> callback) {
  UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd.valid()) return nullptr;
  return std::unique_ptr<Wakeup>(new Wakeup(loop, std::move(callback), std::move(fd)));
}

Wakeup::Wakeup(EventLoop& loop, std::function<void()> callback, UniqueFd fd)
    : loop_(loop),
      callback_(std::move(callback)),
      fd_(std::make_shared<const UniqueFd>(std::move(fd))),
      handle_(std::make_unique<Handle>()) {
  event_assign(&handle_->event, loop_.base(), fd_->get(), EV_READ | EV_PERSIST, Handle::OnFire,
               this);
  event_add(&handle_->event, nullptr);
}

Wakeup::~Wakeup() { event_del(&handle_->event); }

}  // namespace framewall::event
