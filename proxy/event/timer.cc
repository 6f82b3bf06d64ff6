#include "proxy/event/timer.h"

#include <event2/event.h>
#include <event2/event_struct.h>

#include <algorithm>
#include <utility>

namespace framewall::event {

// The event may stay set after Cancel or a later Set: it then finds out when it fires. Requests end
// long before their timeouts, so nearly all deadlines are only ever stored.
struct Timer::Handle {
  ::event event;
  SteadyTime armed_for{};
  bool armed = false;

  void Arm(SteadyTime deadline, std::chrono::steady_clock::duration after) {
    // Up to the next millisecond: the kernel waits in milliseconds.
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(
        std::max(after, std::chrono::steady_clock::duration::zero()));
    timeval timeout{wait.count() / 1000, static_cast<suseconds_t>(wait.count() % 1000) * 1000};
    armed = true;
    armed_for = deadline;
    event_add(&event, &timeout);
  }

  static void OnFire(evutil_socket_t, short, void* argument) {
    Timer& timer = *static_cast<Timer*>(argument);
    EventLoop& loop = timer.loop_;
    loop.EnterCallback();
    timer.handle_->armed = false;
    if (timer.active_) {
      const auto left = timer.deadline_ - CachedNow().steady;
      // libevent's clock is coarse: it may be early by a tick.
      if (left > std::chrono::steady_clock::duration::zero()) {
        timer.handle_->Arm(timer.deadline_, left);
      } else {
        timer.active_ = false;
        timer.callback_();  // may set the timer again, or retire its owner
      }
    }
    loop.LeaveCallback();
  }
};

Timer::Timer(EventLoop& loop, std::function<void()> callback)
    : loop_(loop), callback_(std::move(callback)), handle_(std::make_unique<Handle>()) {
  event_assign(&handle_->event, loop_.base(), -1, 0, Handle::OnFire, this);
}

Timer::~Timer() {
  if (handle_->armed) event_del(&handle_->event);
}

void Timer::Set(std::chrono::milliseconds after) {
  active_ = true;
  // Beyond ten years is never, and must not overflow the clock.
  constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24 * 3650);
  after = std::min(after, kLongest);
  deadline_ = CachedNow().steady + after;
  if (!handle_->armed || deadline_ < handle_->armed_for) handle_->Arm(deadline_, after);
}

void Timer::Cancel() { active_ = false; }

}  // namespace framewall::event
