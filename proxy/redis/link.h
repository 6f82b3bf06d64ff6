// Link: one server and the one connection to it, opened when it is first needed, kept, and opened
// again after a loss.
//
//   idle ──Send──► connecting (name, connect, TLS, greeting) ──► ready ──lost after answers──► idle
//                      ▲  │ failed                                 │ lost without any, or stalled
//                      │  ▼                                        ▼
//                      └─ waiting (a pause that grows, with jitter) ◄
//
// Until an attempt after a failure has succeeded, Send fails at once: nobody waits for a server
// that was not there a moment ago. Replies are matched to requests by their order alone; a request
// that is over keeps its place, and its late reply is dropped.
#pragma once

#include <deque>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "proxy/event/connector.h"
#include "proxy/event/loop.h"
#include "proxy/event/stream.h"
#include "proxy/event/system_resolver.h"
#include "proxy/event/timer.h"
#include "proxy/redis/back_off.h"
#include "proxy/redis/client.h"
#include "proxy/redis/reply_reader.h"
#include "proxy/redis/request.h"
#include "proxy/tls/context.h"

namespace framewall::redis {

// What is said first on every connection.
struct Greeting {
  std::string user;
  std::string password;
  int database = 0;
  bool must_be_master = false;  // ROLE
  const tls::ClientTlsContext* tls = nullptr;
};

class Link final : private event::StreamHandler {
 public:
  // Whoever implements it may Send and Abandon from within, but destroys the link only with
  // EventLoop::Retire.
  class Owner {
   public:
    virtual ~Owner() = default;
    // The reply to `request`, which is not over.
    virtual void OnReply(Link& link, RequestPtr request, Reply reply) = 0;
    // There will be no reply to `request`, which is not over; where it `was_sent`, the server may
    // have run it.
    virtual void OnUnanswered(Link& link, RequestPtr request, bool was_sent,
                              const Error& error) = 0;
    virtual void OnReady(Link& /*link*/) {}
    // An attempt failed or the connection is lost; OnUnanswered follows for what it held.
    virtual void OnDown(Link& /*link*/, const Error& /*error*/) {}
  };

  // All references outlive it. `settings` for its limits and times.
  Link(event::EventLoop& loop, const Settings& settings, Counters& counters, Endpoint endpoint,
       Greeting greeting, Owner& owner);
  ~Link() override;

  // Queues a request; it leaves at the end of this turn of the loop, or when the link is ready.
  // Fails at once where the server is down or too much is outstanding: then the owner keeps the
  // request.
  Status Send(RequestPtr request);
  // Connects now, if it waits for its next attempt or was never asked for; for the breaker's
  // question.
  void TryNow();
  // The same, and `request` waits for the outcome even after a failure.
  void TryNowAndSend(RequestPtr request);
  // For ever: what it holds is unanswered, then no call comes any more.
  void Abandon(std::string why);

  const Endpoint& endpoint() const { return endpoint_; }
  bool ready() const { return state_ == State::kReady; }
  // The last thing known of it is that it was not there.
  bool down() const { return suspect_; }
  bool idle() const { return sent_.empty() && unsent_.empty(); }

  // A script that the server does not know: true for the first who then sends it whole, false while
  // that is under way.
  bool BeginLoading(const Script* script);
  void EndLoading(const Script* script);

 private:
  enum class State { kIdle, kConnecting, kReady, kWaiting, kClosed };
  enum class Step { kAuth, kName, kSelect, kRole, kPing };
  struct Sent {
    RequestPtr request;  // null: the answer to ASKING
    SteadyTime at;
  };

  void OnBytes(ByteView bytes) override;
  void OnEnd() override;
  void OnBroken(const Error& error) override;

  void Enqueue(RequestPtr request);
  void StartAttempt();
  void UseAddress();
  void Resolve();
  void OnAddresses(Result<std::vector<IpAddress>> answer);
  void OnConnected(Result<std::unique_ptr<event::Stream>> connected);
  void Greet();
  void SayStep(Step step, std::initializer_list<std::string_view> words);
  void OnGreetingReply(const Reply& reply);
  void BecomeReady();
  void Flush();
  void FlushSoon();
  void TakeReply(Reply reply);
  SteadyTime StallsAt() const;
  void WatchForStall();
  void OnStall();
  void OnWaitOver();
  enum class Loss { kClean, kSuspect, kForEver };
  void Lose(ErrorKind kind, std::string why, int system_errno, Loss loss);
  void LetGo();
  std::string TlsName() const;
  Error Describe(ErrorKind kind, std::string_view what, int system_errno = 0) const;

  event::EventLoop& loop_;
  const Settings& settings_;
  Counters& counters_;
  Endpoint endpoint_;
  const Greeting greeting_;
  Owner& owner_;
  const std::shared_ptr<int> alive_ = std::make_shared<int>(0);

  State state_ = State::kIdle;
  bool suspect_ = false;
  bool was_tried_ = false;
  bool flush_posted_ = false;
  uint64_t answers_ = 0;  // to requests, since it became ready
  Error last_failure_;
  SteadyTime wanted_{};

  std::vector<SocketAddress> addresses_;
  size_t next_address_ = 0;
  std::unique_ptr<event::SystemQuery> query_;
  std::unique_ptr<event::Connector> connector_;
  tls::SessionSlot session_;
  std::unique_ptr<event::Stream> stream_;
  std::unique_ptr<ReplyReader> reader_;
  std::deque<Step> steps_;
  std::deque<Sent> sent_;
  std::deque<RequestPtr> unsent_;
  std::vector<const Script*> loading_;

  BackOff back_off_;
  event::Timer attempt_timer_;  // the end of an attempt, or of the pause between two
  event::Timer stall_timer_;
};

}  // namespace framewall::redis
