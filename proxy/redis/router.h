// Router: which server a command goes to, and what is done when that server says that it was the
// wrong one. One for each Mode; SingleRouter, SentinelRouter, ClusterRouter.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string_view>

#include "proxy/event/loop.h"
#include "proxy/event/timer.h"
#include "proxy/redis/deadlines.h"
#include "proxy/redis/link.h"

namespace framewall::redis {

// What routers work with; all of it outlives them.
struct RouterContext {
  event::EventLoop& loop;
  const Settings& settings;
  Counters& counters;
  Deadlines& deadlines;
  // The end of a request that is not over: counts, and calls its owner.
  std::function<void(RequestPtr, Result<Reply>)> finish;
};

class Router : public Link::Owner {
 public:
  explicit Router(const RouterContext& context);

  // Sends it on its way. Where that fails the caller ends it.
  virtual Status Route(RequestPtr request) = 0;
  // Asks whether the Redis can be used again, for the breaker; `done` is called once, not from
  // here. Not asked again before that.
  virtual void Probe(std::function<void(Status)> done) = 0;

 protected:
  // A refusal that names another server or time. True: `request` is on its way again.
  virtual bool TakeError(Link& /*link*/, const RequestPtr& /*request*/, const Reply& /*reply*/) {
    return false;
  }
  void OnReply(Link& link, RequestPtr request, Reply reply) final;
  // Ends it.
  void OnUnanswered(Link& link, RequestPtr request, bool was_sent, const Error& error) override;

  // A question of our own; it waits for the link even after a failure.
  void Ask(Link& link, std::initializer_list<std::string_view> words,
           std::function<void(Result<Reply>)> done);
  // Tries again, now or after a short pause; false after too many detours.
  bool CountDetour(Request& request) const;
  void RouteAgain(RequestPtr request);
  void RouteAfterPause(RequestPtr request);
  // Ends it, or all of them.
  void Fail(RequestPtr request, const Error& error);
  void FailAll(std::deque<RequestPtr>& requests, const Error& error);
  Greeting MakeGreeting() const;
  Error Unavailable(std::string_view what) const;

  const RouterContext context_;

 private:
  void SendWithScript(Link& link, const RequestPtr& request);

  std::deque<RequestPtr> paused_;
  event::Timer pause_timer_;
};

std::unique_ptr<Router> MakeSingleRouter(const RouterContext& context);
std::unique_ptr<Router> MakeSentinelRouter(const RouterContext& context);
std::unique_ptr<Router> MakeClusterRouter(const RouterContext& context);

}  // namespace framewall::redis
