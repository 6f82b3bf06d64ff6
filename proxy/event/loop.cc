#include "proxy/event/loop.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/time.h>

#include <algorithm>
#include <utility>

#include "proxy/base/check.h"

namespace framewall::event {
namespace {

constexpr std::chrono::milliseconds kForever{-1};
constexpr size_t kSpareBuffers = 32;
constexpr size_t kSpareCapacity = 131072;

event_base* MakeBase() {
  event_config* config = event_config_new();
  FW_CHECK(config != nullptr);
  // One thread: no locks. The environment must not choose the back end.
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
  event_base* base = event_base_new_with_config(config);
  event_config_free(config);
  FW_CHECK(base != nullptr);
  return base;
}

void Nothing(evutil_socket_t, short, void*) {}

}  // namespace

// Ends a wait that nothing else ends.
struct EventLoop::WaitLimit {
  ::event event;
};

EventLoop::EventLoop()
    : base_(MakeBase()),
      wait_limit_(std::make_unique<WaitLimit>()),
      read_buffer_(new char[kReadBufferSize]) {
  event_assign(&wait_limit_->event, base_, -1, 0, Nothing, nullptr);
  UpdateCachedNow();
}

EventLoop::~EventLoop() {
  // What waits may own streams and timers, which need the base.
  posted_.clear();
  while (!retired_.empty()) std::exchange(retired_, {}).clear();
  posted_.clear();
  event_del(&wait_limit_->event);
  event_base_free(base_);
}

void EventLoop::Run() {
  while (!stopping_) Turn(kForever);
  stopping_ = false;
}

void EventLoop::Stop() {
  stopping_ = true;
  event_base_loopbreak(base_);
}

void EventLoop::RunOnce(std::chrono::milliseconds wait) { Turn(wait); }

void EventLoop::Turn(std::chrono::milliseconds wait) {
  if (HasWork()) {
    // Asked for between two turns.
    RunEndOfTurn();
    if (stopping_) return;
    if (HasWork()) wait = std::chrono::milliseconds{0};
  }
  int flags = EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY;
  if (wait.count() == 0) {
    flags |= EVLOOP_NONBLOCK;
  } else if (wait.count() > 0) {
    timeval limit{wait.count() / 1000, static_cast<suseconds_t>(wait.count() % 1000) * 1000};
    event_add(&wait_limit_->event, &limit);
  }
  clock_is_fresh_ = false;
  in_turn_ = true;
  event_base_loop(base_, flags);
  in_turn_ = false;
  if (wait.count() > 0) event_del(&wait_limit_->event);
  if (HasWork()) RunEndOfTurn();
  clock_is_fresh_ = false;
}

void EventLoop::RunEndOfTurn() {
  EnterCallback();
  // Tasks posted by these tasks run at the end of the next turn, which then does not wait.
  for (std::function<void()>& task : std::exchange(posted_, {})) task();
  LeaveCallback();
  while (!retired_.empty()) {
    EnterCallback();
    std::exchange(retired_, {}).clear();
    LeaveCallback();
  }
}

void EventLoop::Post(std::function<void()> task) { posted_.push_back(std::move(task)); }

void EventLoop::Retire(std::shared_ptr<void> object) {
  if (object) retired_.push_back(std::move(object));
}

void EventLoop::RequestFlush(Flushable* flushable) { flush_.push_back(flushable); }

void EventLoop::ForgetFlush(Flushable* flushable) {
  // The list is being walked perhaps: entries are emptied, not removed.
  std::replace(flush_.begin(), flush_.end(), flushable, static_cast<Flushable*>(nullptr));
}

void EventLoop::EnterCallback() {
  ++depth_;
  if (!clock_is_fresh_) {
    UpdateCachedNow();
    clock_is_fresh_ = true;
  }
}

void EventLoop::LeaveCallback() {
  if (depth_ == 1 && !flush_.empty() && IsFlushDue()) Flush();
  --depth_;
}

bool EventLoop::IsFlushDue() {
  if (!in_turn_) return true;
  const auto now = std::chrono::steady_clock::now();
  if (!has_waiting_flush_) {
    has_waiting_flush_ = true;
    flush_asked_ = now;
    return false;
  }
  return now - flush_asked_ >= kLongestHold;
}

void EventLoop::Flush() {
  // A flush may make its stream's owner write more, here or elsewhere.
  for (size_t i = 0; i < flush_.size(); ++i) {
    if (Flushable* next = std::exchange(flush_[i], nullptr)) next->Flush();
  }
  flush_.clear();
  has_waiting_flush_ = false;
}

std::string EventLoop::TakeBuffer() {
  if (spare_.empty()) return {};
  std::string buffer = std::move(spare_.back());
  spare_.pop_back();
  return buffer;
}

void EventLoop::GiveBuffer(std::string&& buffer) {
  if (spare_.size() >= kSpareBuffers || buffer.capacity() > kSpareCapacity) {
    std::string().swap(buffer);
    return;
  }
  buffer.clear();
  spare_.push_back(std::move(buffer));
  buffer = std::string();
}

void EventLoop::ReinitAfterFork() { FW_CHECK(event_reinit(base_) == 0); }

}  // namespace framewall::event
