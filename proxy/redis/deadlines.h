// The deadlines of all commands under way: one timer, the soonest first.
#pragma once

#include <chrono>
#include <functional>
#include <list>

#include "proxy/event/loop.h"
#include "proxy/event/timer.h"
#include "proxy/redis/request.h"

namespace framewall::redis {

class Deadlines {
 public:
  // `expired` is called from the loop for each request that was not removed in time; the request is
  // removed by then.
  Deadlines(event::EventLoop& loop, std::function<void(RequestPtr)> expired);
  ~Deadlines();  // requests are told that they are in no list

  void Add(RequestPtr request, std::chrono::milliseconds after);
  // Without effect for one that is not there.
  void Remove(Request& request);
  // A command's owner does not want it any more.
  void Cancel(Request& request);
  uint64_t cancelled() const { return cancelled_; }

  // Called after a request of the client's users was cancelled.
  std::function<void(Request&)> on_cancelled;

 private:
  void Expire();
  void Watch();

  std::list<RequestPtr> soonest_first_;
  const std::function<void(RequestPtr)> expired_;
  uint64_t cancelled_ = 0;
  event::Timer timer_;
};

}  // namespace framewall::redis
