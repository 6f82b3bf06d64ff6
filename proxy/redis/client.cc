#include "proxy/redis/client.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "proxy/base/check.h"
#include "proxy/base/log.h"
#include "proxy/event/timer.h"
#include "proxy/redis/breaker.h"
#include "proxy/redis/deadlines.h"
#include "proxy/redis/key_slot.h"
#include "proxy/redis/request.h"
#include "proxy/redis/router.h"

namespace framewall::redis {
namespace {

// Codes of errors that say nothing of the command: nobody gets anything done there now.
constexpr std::string_view kCannotServe[] = {
    "BUSY",   "CLUSTERDOWN", "LOADING",    "MASTERDOWN", "MISCONF",  "MOVED",    "ASK",
    "NOAUTH", "NOPERM",      "NOREPLICAS", "OOM",        "READONLY", "TRYAGAIN", "WRONGPASS",
};

bool CannotServe(std::string_view code) {
  for (const std::string_view one : kCannotServe) {
    if (one == code) return true;
  }
  return false;
}

std::unique_ptr<Router> MakeRouter(const RouterContext& context) {
  switch (context.settings.mode) {
    case Mode::kSingle:
      return MakeSingleRouter(context);
    case Mode::kSentinel:
      return MakeSentinelRouter(context);
    case Mode::kCluster:
      return MakeClusterRouter(context);
  }
  FW_UNREACHABLE();
}

}  // namespace

class ClientCore {
 public:
  ClientCore(event::EventLoop& loop, Settings new_settings)
      : settings(std::move(new_settings)),
        breaker(settings.breaker_failures),
        loop_(loop),
        deadlines_(loop, [this](RequestPtr request) { OnDeadline(std::move(request)); }),
        probe_timer_(loop, [this] { Probe(); }),
        router_(MakeRouter(
            {loop, settings, counters, deadlines_, [this](RequestPtr request, Result<Reply> reply) {
               Finish(std::move(request), std::move(reply));
             }})) {
    deadlines_.on_cancelled = [this](Request& request) {
      if (request.internal) return;
      ++counters.cancelled;
      breaker.Undecided(request.is_trial);
    };
  }

  Pending Start(RequestPtr request, std::string_view key, Request::OnReply on_reply,
                std::optional<std::chrono::milliseconds> deadline) {
    ++counters.commands;
    request->on_reply = std::move(on_reply);
    if (settings.mode == Mode::kCluster) request->slot = KeySlot(key);
    deadlines_.Add(request, deadline.value_or(settings.deadline));
    const Breaker::Admission admission = breaker.Admit();
    if (admission == Breaker::Admission::kNo) {
      request->is_rejected = true;
      FinishSoon(request, Describe(ErrorKind::kUnavailable, "out of service"));
      return Pending(std::move(request));
    }
    request->is_trial = admission == Breaker::Admission::kTrial;
    if (Status status = router_->Route(request); !status.ok()) {
      request->is_rejected = status.error().kind == ErrorKind::kLimit;
      FinishSoon(request, std::move(status).error());
    }
    return Pending(std::move(request));
  }

  const Settings settings;
  Counters counters;
  Breaker breaker;
  std::function<void(BreakerState)> on_breaker_change;

 private:
  Error Describe(ErrorKind kind, std::string_view what) const {
    return Error{kind, ErrorSource::kUpstream, fmt::format("redis \"{}\": {}", settings.name, what),
                 0};
  }

  void OnDeadline(RequestPtr request) {
    Finish(request, Describe(ErrorKind::kTimeout,
                             fmt::format("no answer within {} ms", request->patience.count())));
  }

  // Not from within the call that asked.
  void FinishSoon(RequestPtr request, Error error) {
    loop_.Post([this, watch = std::weak_ptr<int>(alive_), request = std::move(request),
                error = std::move(error)]() mutable {
      if (!watch.expired() && !request->over()) Finish(std::move(request), std::move(error));
    });
  }

  // Requires: it is not over.
  void Finish(RequestPtr request, Result<Reply> reply) {
    deadlines_.Remove(*request);
    const Request::OnReply on_reply = std::exchange(request->on_reply, nullptr);
    if (!request->internal) {
      reply = Judge(*request, std::move(reply));
    } else if (reply.ok() && reply->is_error()) {
      reply = Describe(ErrorKind::kOther, reply->text);
    }
    on_reply(std::move(reply));
  }

  // Counts, tells the breaker, and makes an Error of an error reply.
  Result<Reply> Judge(const Request& request, Result<Reply> reply) {
    bool failed = !reply.ok();
    if (reply.ok() && reply->is_error()) {
      failed = CannotServe(reply->error_code());
      reply = Describe(failed ? ErrorKind::kUnavailable : ErrorKind::kOther, reply->text);
    }
    if (request.is_rejected) {
      ++counters.rejected;
    } else if (reply.ok()) {
      ++counters.answered;
    } else if (reply.error().kind == ErrorKind::kTimeout) {
      ++counters.timeouts;
    } else {
      ++counters.errors;
    }
    // What was refused here says nothing of the server.
    if (request.is_rejected) {
      breaker.Undecided(request.is_trial);
    } else if (!failed) {
      if (breaker.Succeeded(request.is_trial)) OnClosed();
    } else if (breaker.Failed(request.is_trial)) {
      OnOpened(reply.error());
    }
    return reply;
  }

  void OnOpened(const Error& last) {
    probe_timer_.Set(settings.breaker_pause);
    // A trial that failed is no news.
    if (!out_since_.has_value()) {
      out_since_ = CachedNow().steady;
      rejected_before_ = counters.rejected;
      ++counters.breaker_opened;
      MainLog().Write(LogLevel::kError,
                      fmt::format("redis \"{}\" is out of service after {} failures in a row; the "
                                  "last: {}",
                                  settings.name, settings.breaker_failures, last.message),
                      nullptr, last.system_errno);
    }
    TellBreaker();
  }

  void OnClosed() {
    const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(
        CachedNow().steady - out_since_.value_or(CachedNow().steady));
    out_since_.reset();
    ++counters.breaker_closed;
    MainLog().Write(LogLevel::kNotice,
                    fmt::format("redis \"{}\" is back in service after {} ms; {} commands were "
                                "refused meanwhile",
                                settings.name, time.count(), counters.rejected - rejected_before_));
    TellBreaker();
  }

  void Probe() {
    router_->Probe([this](const Status& status) {
      if (status.ok()) {
        breaker.Answered();
        TellBreaker();
      } else {
        probe_timer_.Set(settings.breaker_pause);
      }
    });
  }

  void TellBreaker() {
    if (on_breaker_change) on_breaker_change(breaker.state());
  }

  event::EventLoop& loop_;
  const std::shared_ptr<int> alive_ = std::make_shared<int>(0);
  std::optional<SteadyTime> out_since_;
  uint64_t rejected_before_ = 0;
  Deadlines deadlines_;
  event::Timer probe_timer_;
  std::unique_ptr<Router> router_;
};

void Pending::Cancel() {
  if (request_ == nullptr) return;
  const std::shared_ptr<Request> request = std::move(request_);
  if (request->deadlines != nullptr) request->deadlines->Cancel(*request);
}

Pending& Pending::operator=(Pending&& other) noexcept {
  if (this != &other) {
    Cancel();
    request_ = std::move(other.request_);
  }
  return *this;
}

bool Pending::active() const { return request_ != nullptr && !request_->over(); }

Client::Client(event::EventLoop& loop, Settings settings)
    : core_(std::make_unique<ClientCore>(loop, std::move(settings))) {}

Client::~Client() = default;

Pending Client::Evaluate(const Script& script, std::string_view key,
                         std::span<const std::string_view> arguments, OnReply on_reply,
                         std::optional<std::chrono::milliseconds> deadline) {
  const std::string whole_key = core_->settings.key_prefix + std::string(key);
  return core_->Start(MakeRequest(script, whole_key, arguments), whole_key, std::move(on_reply),
                      deadline);
}

Pending Client::Execute(std::string_view name, std::string_view key,
                        std::span<const std::string_view> arguments, OnReply on_reply,
                        std::optional<std::chrono::milliseconds> deadline) {
  const std::string whole_key = core_->settings.key_prefix + std::string(key);
  return core_->Start(MakeRequest(name, whole_key, arguments), whole_key, std::move(on_reply),
                      deadline);
}

bool Client::available() const { return core_->breaker.available(); }
BreakerState Client::breaker() const { return core_->breaker.state(); }
const Counters& Client::counters() const { return core_->counters; }
const Settings& Client::settings() const { return core_->settings; }

void Client::OnBreakerChange(std::function<void(BreakerState)> callback) {
  core_->on_breaker_change = std::move(callback);
}

}  // namespace framewall::redis
