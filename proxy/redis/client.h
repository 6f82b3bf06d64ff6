// A Redis as one worker sees it: commands out, answers in, each within its deadline.
//
//   static const redis::Script kTake("return redis.call('INCR', KEYS[1])");
//   redis::Client client(loop, settings);            // per worker and `redis` block; lazy
//   if (!client.available()) return DecideLocally();
//   pending_ = client.Evaluate(kTake, key, {"1", "2"}, [this](Result<redis::Reply> reply) {
//     if (!reply.ok()) ...                            // kTimeout, kUnavailable, kClosed, kOther,
//     ...
//   });                                               // destroying pending_ cancels
//
// Commands are pipelined: what is asked within one turn of the loop leaves in one send per server.
// A command is never sent twice unless the server said that it had not run it (MOVED, ASK,
// TRYAGAIN, CLUSTERDOWN, LOADING, MASTERDOWN, READONLY, NOSCRIPT), so a connection that breaks
// fails what it had been sent.
//
// The breaker:
//
//   closed ── breaker_failures in a row ──► open: every command fails at once
//     ▲                                      │ after each breaker_pause the client itself asks
//     │                                      ▼ (PING, or the Cluster for its topology)
//     └── one command was answered ── half-open: one command at a time is let through
//                                            └── it failed: open again
//
// Failures: deadlines, lost and refused connections, answers that say that it cannot serve
// (LOADING, OOM, READONLY, NOAUTH, ...); not max_outstanding. Open and closed are each said once in
// the main log.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "proxy/base/result.h"
#include "proxy/event/loop.h"
#include "proxy/redis/reply.h"
#include "proxy/redis/script.h"
#include "proxy/redis/settings.h"

namespace framewall::redis {

// Since the client was made; they only grow.
struct Counters {
  uint64_t commands = 0;  // asked for; the sum of the next five and of those under way
  uint64_t answered = 0;
  uint64_t errors = 0;     // an error reply, or a connection lost or not to be had
  uint64_t timeouts = 0;   // deadlines
  uint64_t rejected = 0;   // failed at once: the breaker was open, or too many outstanding
  uint64_t cancelled = 0;  // by their owner
  uint64_t late = 0;       // replies that nobody waited for any more
  uint64_t connects = 0;   // connections that became ready
  uint64_t disconnects = 0;
  uint64_t script_loads = 0;  // EVAL after NOSCRIPT
  uint64_t moved = 0;
  uint64_t asked = 0;  // ASK followed
  uint64_t topology_refreshes = 0;
  uint64_t master_changes = 0;  // kSentinel
  uint64_t breaker_opened = 0;
  uint64_t breaker_closed = 0;
};

enum class BreakerState { kClosed, kOpen, kHalfOpen };

class Request;
class ClientCore;

// A command under way. Destroying it (or Cancel) means that its callback is never called; the
// command itself may run all the same. May outlive the client.
class Pending {
 public:
  Pending() = default;
  explicit Pending(std::shared_ptr<Request> request) : request_(std::move(request)) {}
  Pending(Pending&&) noexcept = default;
  Pending& operator=(Pending&& other) noexcept;
  ~Pending() { Cancel(); }
  void Cancel();
  // Its callback is still to come.
  bool active() const;

 private:
  std::shared_ptr<Request> request_;
};

class Client {
 public:
  // Called once, from the loop, never from within the call that asked; not after `Pending` is gone
  // and not after the client is. An error reply comes as an Error (kind kOther, source kUpstream)
  // with its text. Within it, anything may be done but destroying the client.
  using OnReply = std::function<void(Result<Reply>)>;

  // Opens nothing before the first command. Requires: Validate(settings) is ok; `loop` outlives it.
  Client(event::EventLoop& loop, Settings settings);
  ~Client();  // callbacks of what is under way are not called
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Runs `script` with one key (the prefix is put before it) and `arguments`. `script` outlives the
  // client. Without `deadline` that of the settings.
  [[nodiscard]] Pending Evaluate(const Script& script, std::string_view key,
                                 std::span<const std::string_view> arguments, OnReply on_reply,
                                 std::optional<std::chrono::milliseconds> deadline = {});
  [[nodiscard]] Pending Evaluate(const Script& script, std::string_view key,
                                 std::initializer_list<std::string_view> arguments,
                                 OnReply on_reply) {
    return Evaluate(script, key, std::span(arguments.begin(), arguments.size()),
                    std::move(on_reply));
  }

  // Any other command with one key: `name`, prefix and `key`, `arguments` ("INCRBY", "a", {"2"}).
  [[nodiscard]] Pending Execute(std::string_view name, std::string_view key,
                                std::span<const std::string_view> arguments, OnReply on_reply,
                                std::optional<std::chrono::milliseconds> deadline = {});
  [[nodiscard]] Pending Execute(std::string_view name, std::string_view key,
                                std::initializer_list<std::string_view> arguments,
                                OnReply on_reply) {
    return Execute(name, key, std::span(arguments.begin(), arguments.size()), std::move(on_reply));
  }

  // Would a command be tried now? False while the breaker is open (and in half-open while another
  // command tries). Asking changes nothing; a command asked for in spite of it fails at once.
  bool available() const;
  BreakerState breaker() const;
  const Counters& counters() const;
  const Settings& settings() const;

  // For metrics: called after each change of the breaker. At most one.
  void OnBreakerChange(std::function<void(BreakerState)> callback);

 private:
  std::unique_ptr<ClientCore> core_;
};

}  // namespace framewall::redis
