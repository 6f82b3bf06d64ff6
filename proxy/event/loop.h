// The event loop of a process: libevent behind RAII. One thread, all callbacks run from Run().
//
// Rules: nothing is deleted inside its own callback (Retire); the cached clock is read once a turn;
// output written during the callbacks of a turn leaves at its end, all of it in a row: one system
// call for a head, a body and an end, and who waits for several answers is woken once. Where a turn
// takes longer, it leaves when the running callback has returned.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/base/clock.h"

struct event_base;

namespace framewall::event {

// Somebody with output to send once the running callback is over.
class Flushable {
 public:
  virtual ~Flushable() = default;
  virtual void Flush() = 0;
};

class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Runs until Stop.
  void Run();
  void Stop();
  // Runs what is ready, waiting at most `wait`; for tests and for the master.
  void RunOnce(std::chrono::milliseconds wait);

  // Calls `task` at the end of this turn (or at once in the next, from outside Run).
  void Post(std::function<void()> task);
  // Destroys `object` at the end of this turn.
  template <class T>
  void Retire(std::unique_ptr<T> object) {
    if (object) Retire(std::shared_ptr<void>(std::move(object)));
  }
  void Retire(std::shared_ptr<void> object);

  // Output of a turn waits so long at most while other callbacks of it run.
  static constexpr std::chrono::microseconds kLongestHold{200};

  // `flushable` is flushed at the end of this turn, or when the callback returns that runs when its
  // output has waited for kLongestHold.
  // It keeps a flag of its own: two requests are two calls. It must call ForgetFlush when it is
  // destroyed before that.
  void RequestFlush(Flushable* flushable);
  void ForgetFlush(Flushable* flushable);
  // Called by every trampoline in this room before and after a callback.
  void EnterCallback();
  void LeaveCallback();
  bool InCallback() const { return depth_ > 0; }

  // 64 KiB for reads within one callback; whoever reads into it owns it until it returns.
  char* read_buffer() { return read_buffer_.get(); }
  static constexpr size_t kReadBufferSize = 65536;

  // Output buffers in turn: empty, with memory from their last use. So an idle stream holds none
  // and a busy one allocates none.
  std::string TakeBuffer();
  void GiveBuffer(std::string&& buffer);

  // After a fork in the child: the kernel's side must not be shared.
  void ReinitAfterFork();
  event_base* base() { return base_; }

 private:
  void Turn(std::chrono::milliseconds wait);
  void RunEndOfTurn();
  bool IsFlushDue();
  void Flush();
  bool HasWork() const { return !posted_.empty() || !retired_.empty() || !flush_.empty(); }

  struct WaitLimit;
  event_base* base_;
  std::unique_ptr<WaitLimit> wait_limit_;
  std::unique_ptr<char[]> read_buffer_;
  std::vector<Flushable*> flush_;
  std::vector<std::function<void()>> posted_;
  std::vector<std::shared_ptr<void>> retired_;
  std::vector<std::string> spare_;
  int depth_ = 0;
  bool clock_is_fresh_ = false;
  bool stopping_ = false;
  bool in_turn_ = false;
  bool has_waiting_flush_ = false;
  std::chrono::steady_clock::time_point flush_asked_{};
};

}  // namespace framewall::event
