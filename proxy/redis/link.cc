// Link: the connection's life; what is said on it stands in link_replies.cc.
#include "proxy/redis/link.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "proxy/base/check.h"
#include "proxy/base/log.h"
#include "proxy/tls/tls_stream.h"

namespace framewall::redis {
namespace {

// Without commands for so long a server that is not there is left alone.
constexpr std::chrono::seconds kForgotten{30};

}  // namespace

Link::Link(event::EventLoop& loop, const Settings& settings, Counters& counters, Endpoint endpoint,
           Greeting greeting, Owner& owner)
    : loop_(loop),
      settings_(settings),
      counters_(counters),
      endpoint_(std::move(endpoint)),
      greeting_(std::move(greeting)),
      owner_(owner),
      addresses_(endpoint_.addresses),
      back_off_(settings.reconnect_min, settings.reconnect_max),
      attempt_timer_(loop, [this] { OnWaitOver(); }),
      stall_timer_(loop, [this] { OnStall(); }) {}

Link::~Link() {
  state_ = State::kClosed;
  LetGo();
}

Error Link::Describe(ErrorKind kind, std::string_view what, int system_errno) const {
  return Error{kind, ErrorSource::kUpstream,
               fmt::format("redis \"{}\", {}: {}", settings_.name, endpoint_.ToText(), what),
               system_errno};
}

// --- commands in ---

Status Link::Send(RequestPtr request) {
  wanted_ = CachedNow().steady;
  if (state_ == State::kClosed) return Describe(ErrorKind::kUnavailable, "it is not used any more");
  if (suspect_) return last_failure_;
  // Those whose time ran out before they could leave make room.
  while (!unsent_.empty() && unsent_.front()->over()) unsent_.pop_front();
  if (sent_.size() + unsent_.size() >= settings_.max_outstanding) {
    return Describe(ErrorKind::kLimit, "too many commands without an answer");
  }
  Enqueue(std::move(request));
  return OkStatus();
}

void Link::TryNow() {
  wanted_ = CachedNow().steady;
  if (state_ == State::kIdle || state_ == State::kWaiting) StartAttempt();
}

void Link::TryNowAndSend(RequestPtr request) {
  TryNow();
  if (state_ != State::kClosed) Enqueue(std::move(request));
}

void Link::Enqueue(RequestPtr request) {
  unsent_.push_back(std::move(request));
  if (state_ == State::kIdle) {
    StartAttempt();
  } else if (state_ == State::kReady) {
    FlushSoon();
  }
}

void Link::FlushSoon() {
  if (std::exchange(flush_posted_, true)) return;
  loop_.Post([this, watch = std::weak_ptr<int>(alive_)] {
    if (watch.expired()) return;
    flush_posted_ = false;
    if (state_ == State::kReady) Flush();
  });
}

// --- the attempt: a name, an address, a connection, TLS, the greeting ---

void Link::StartAttempt() {
  state_ = State::kConnecting;
  attempt_timer_.Set(settings_.connect_timeout);
  if (endpoint_.is_unix()) {
    auto address = SocketAddress::FromUnixPath(endpoint_.unix_path);
    if (address.ok()) addresses_ = {*address};
    UseAddress();
  } else if (const auto ip = IpAddress::Parse(endpoint_.host)) {
    addresses_ = {SocketAddress::FromIp(*ip, endpoint_.port)};
    UseAddress();
  } else if (!addresses_.empty() && !was_tried_) {
    UseAddress();
  } else {
    Resolve();
  }
  was_tried_ = true;
}

void Link::Resolve() {
  // One under way is from an attempt that did not wait for it any longer.
  if (query_ != nullptr) return;
  query_ = std::make_unique<event::SystemQuery>(
      loop_, endpoint_.host,
      [this](Result<std::vector<IpAddress>> answer) { OnAddresses(std::move(answer)); });
}

void Link::OnAddresses(Result<std::vector<IpAddress>> answer) {
  loop_.Retire(std::move(query_));
  if (answer.ok() && !answer->empty()) {
    addresses_.clear();
    for (const IpAddress& ip : *answer) {
      addresses_.push_back(SocketAddress::FromIp(ip, endpoint_.port));
    }
  }
  if (state_ != State::kConnecting || connector_ != nullptr || stream_ != nullptr) return;
  if (addresses_.empty()) {
    Lose(ErrorKind::kNotFound, answer.ok() ? "host not found" : answer.error().message, 0,
         Loss::kSuspect);
    return;
  }
  UseAddress();
}

void Link::UseAddress() {
  // An attempt of Send must not fail within Send: the connector reports later, so does this.
  if (addresses_.empty()) {
    loop_.Post([this, watch = std::weak_ptr<int>(alive_)] {
      if (watch.expired() || state_ != State::kConnecting) return;
      Lose(ErrorKind::kSystem, "no address", 0, Loss::kSuspect);
    });
    return;
  }
  connector_ = std::make_unique<event::Connector>(
      loop_, addresses_[next_address_++ % addresses_.size()],
      event::ConnectOptions{.timeout = settings_.connect_timeout, .keepalive = true},
      [this](Result<std::unique_ptr<event::Stream>> connected) {
        OnConnected(std::move(connected));
      });
}

std::string Link::TlsName() const {
  if (!settings_.tls_name.empty()) return settings_.tls_name;
  // In brackets, or the rest would be taken for a port.
  return endpoint_.host.find(':') == endpoint_.host.npos ? endpoint_.host
                                                         : "[" + endpoint_.host + "]";
}

void Link::OnConnected(Result<std::unique_ptr<event::Stream>> connected) {
  loop_.Retire(std::move(connector_));
  if (!connected.ok()) {
    const Error& error = connected.error();
    Lose(error.kind, error.message, error.system_errno, Loss::kSuspect);
    return;
  }
  stream_ = std::move(connected).value();
  if (greeting_.tls != nullptr) {
    auto secured = tls::MakeTlsClientStream(loop_, std::move(stream_), *greeting_.tls,
                                            {.name = TlsName(), .session = &session_});
    if (!secured.ok()) {
      Lose(secured.error().kind, secured.error().message, 0, Loss::kSuspect);
      return;
    }
    stream_ = std::move(secured).value();
  }
  stream_->SetHandler(this);
  reader_ = std::make_unique<ReplyReader>(ReplyLimits{.max_size = settings_.max_reply_size});
  Greet();
}

void Link::BecomeReady() {
  state_ = State::kReady;
  attempt_timer_.Cancel();
  answers_ = 0;
  ++counters_.connects;
  if (std::exchange(suspect_, false)) {
    MainLog().Write(LogLevel::kNotice, fmt::format("redis \"{}\", {}: connected again",
                                                   settings_.name, endpoint_.ToText()));
  }
  owner_.OnReady(*this);
  // Not now: what the server has said beyond the greeting must not answer our first command.
  if (state_ == State::kReady) FlushSoon();
}

void Link::OnWaitOver() {
  if (state_ == State::kConnecting) {
    Lose(ErrorKind::kTimeout, "not ready in time", 0, Loss::kSuspect);
  } else if (state_ == State::kWaiting) {
    if (CachedNow().steady - wanted_ > kForgotten) {
      state_ = State::kIdle;
      suspect_ = false;
    } else {
      StartAttempt();
    }
  }
}

// --- the end ---

void Link::OnEnd() {
  OnBroken(Error{ErrorKind::kClosed, ErrorSource::kUpstream, "the server closed the connection"});
}

void Link::OnBroken(const Error& error) {
  // A server that takes connections and lets them go again is as good as not there.
  const bool worked = state_ == State::kReady && answers_ > 0;
  Lose(error.kind, error.message, error.system_errno, worked ? Loss::kClean : Loss::kSuspect);
}

void Link::Abandon(std::string why) {
  if (state_ != State::kClosed) Lose(ErrorKind::kUnavailable, std::move(why), 0, Loss::kForEver);
}

void Link::LetGo() {
  stall_timer_.Cancel();
  attempt_timer_.Cancel();
  steps_.clear();
  loading_.clear();
  // We may be in the callback of any of them.
  loop_.Retire(std::move(connector_));
  loop_.Retire(std::move(reader_));
  if (stream_ != nullptr) {
    stream_->SetHandler(nullptr);
    stream_->Close();
    loop_.Retire(std::move(stream_));
  }
}

void Link::Lose(ErrorKind kind, std::string why, int system_errno, Loss loss) {
  const Error error = Describe(kind, why, system_errno);
  if (state_ == State::kReady) ++counters_.disconnects;
  LetGo();
  std::deque<Sent> sent;
  sent.swap(sent_);
  std::deque<RequestPtr> unsent;
  switch (loss) {
    case Loss::kClean:
      // What had not left goes with a new connection.
      state_ = State::kIdle;
      break;
    case Loss::kSuspect:
      state_ = State::kWaiting;
      attempt_timer_.Set(back_off_.Next());
      unsent.swap(unsent_);
      last_failure_ = error;
      last_failure_.kind = ErrorKind::kUnavailable;
      if (!std::exchange(suspect_, true)) {
        MainLog().Write(LogLevel::kWarn, error.message, nullptr, error.system_errno);
      }
      break;
    case Loss::kForEver:
      state_ = State::kClosed;
      query_.reset();
      unsent.swap(unsent_);
      break;
  }
  if (loss != Loss::kForEver) owner_.OnDown(*this, error);
  for (Sent& one : sent) {
    if (one.request != nullptr && !one.request->over()) {
      owner_.OnUnanswered(*this, std::move(one.request), true, error);
    }
  }
  for (RequestPtr& request : unsent) {
    if (!request->over()) owner_.OnUnanswered(*this, std::move(request), false, error);
  }
  if (state_ == State::kIdle && !unsent_.empty()) StartAttempt();
}

}  // namespace framewall::redis
