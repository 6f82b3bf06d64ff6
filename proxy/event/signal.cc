#include "proxy/event/signal.h"

#include <event2/event.h>
#include <event2/event_struct.h>

#include <utility>

namespace framewall::event {

struct Signal::Handle {
  ::event event;
  EventLoop& loop;
  std::function<void()> callback;

  static void OnFire(evutil_socket_t, short, void* argument) {
    Handle& handle = *static_cast<Handle*>(argument);
    EventLoop& loop = handle.loop;
    loop.EnterCallback();
    handle.callback();
    loop.LeaveCallback();
  }
};

Signal::Signal(EventLoop& loop, int signal_number, std::function<void()> callback)
    : handle_(new Handle{{}, loop, std::move(callback)}) {
  evsignal_assign(&handle_->event, loop.base(), signal_number, Handle::OnFire, handle_.get());
  event_add(&handle_->event, nullptr);
}

Signal::~Signal() { event_del(&handle_->event); }

}  // namespace framewall::event
