// How a relay ends, and its deadlines.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "proxy/filter/message/token.h"
#include "proxy/server/relay.h"
#include "proxy/ws/close_code.h"

namespace framewall::server {
namespace {

using filter::Message;
using filter::MessageVerdict;
using ws::CloseCode;
using ws::CodeOf;

// What is queued at the end has so long to leave.
constexpr Milliseconds kFlushTime{2000};
constexpr Milliseconds kGoAwayTime{1000};
// The end of a token is wall time, which may be set meanwhile: it is looked at so often.
constexpr Milliseconds kTokenCheck{600000};
// A side has so long to answer what it was sent before the other was refused.
constexpr Milliseconds kPartingTime{1000};

}  // namespace

// --- Ends ---------------------------------------------------------------------------------------

void Relay::NoteEnd(std::string_view by, uint16_t code, std::string_view reason) {
  if (record_.close_code != 0) return;
  record_.close_code = code;
  record_.closed_by = by;
  record_.reason = reason;
}

void Relay::OnClose(RelayHop& hop, uint16_t code, ByteView reason) {
  if (state_ == State::kOver) return;
  if (state_ == State::kParting) return FlushWhenOver();
  NoteEnd(NameOf(hop), code, reason);
  RelayHop& to = Other(hop);
  if (!to.close_sent() && !to.gone() && !reason.empty()) {
    Message message;
    message.kind = Message::Kind::kCloseReason;
    message.payload = reason;
    message.wire_size = reason.size();
    const MessageVerdict verdict = Judge(hop, message);
    if (verdict.kind == MessageVerdict::Kind::kReset) return Reset();
    if (verdict.kind != MessageVerdict::Kind::kPass) {
      code = CodeOf(CloseCode::kPolicyViolation);
      reason = {};
    }
  }
  to.SendClose(code, reason);
  // Nobody there to answer it: we do.
  if (to.over()) hop.SendClose(code, {});
  BeginClosing(settings_.close_timeout);
  FlushWhenOver();
}

void Relay::OnViolation(RelayHop& hop) {
  if (state_ == State::kOver) return;
  const ws::Violation& violation = hop.reader().violation();
  const uint16_t code = CodeOf(violation.close_code);
  std::string line(NameOf(hop));
  line.append(" breaks the WebSocket protocol or its limits: ").append(violation.text);
  exchange_.LogError(IsClient(hop) ? LogLevel::kInfo : LogLevel::kError, line);
  services_.metrics->SocketRefused(IsClient(hop));
  ++record_.refused;
  // Browsers know no 1014.
  Part(hop, code, IsClient(hop) ? code : CodeOf(CloseCode::kInternalError), violation.text);
}

// One side is refused. What it said before was good: the other is told of the end first, what that
// one still answers passes, and the Close for the refused side follows the other's.
void Relay::Part(RelayHop& refused, uint16_t code, uint16_t code_for_other,
                 std::string_view reason) {
  if (state_ != State::kOpen) return CloseBoth(code, reason);
  NoteEnd("gateway", code, reason);
  refused_ = &refused;
  Other(refused).SendClose(code_for_other, reason);
  state_ = State::kParting;
  deadline_ = CachedNow().steady + std::min(kPartingTime, settings_.close_timeout);
  ArmBy(deadline_);
  FlushWhenOver();
}

void Relay::FinishParting() {
  refused_->SendClose(record_.close_code, record_.reason);
  BeginClosing(settings_.close_timeout);
  FlushWhenOver();
}

void Relay::CloseBoth(uint16_t code, std::string_view reason) {
  if (state_ == State::kParting) return FinishParting();
  NoteEnd("gateway", code, reason);
  client_.SendClose(code, reason);
  upstream_.SendClose(code, reason);
  BeginClosing(settings_.close_timeout);
  FlushWhenOver();
}

void Relay::GoAway() {
  if (state_ == State::kOver) return;
  CloseBoth(CodeOf(CloseCode::kGoingAway), "going away");
  if (state_ == State::kOver) return;
  deadline_ = std::min(deadline_, CachedNow().steady + kGoAwayTime);
  ArmBy(deadline_);
}

void Relay::OnGone(RelayHop& hop, const Error* error) {
  if (state_ == State::kOver) return;
  if (state_ == State::kFlushing) {
    if (client_.gone() && upstream_.gone()) Finish();
    return;
  }
  if (state_ == State::kParting) return &hop == refused_ ? Flush() : FlushWhenOver();
  RelayHop& to = Other(hop);
  if (!hop.close_sent() || !hop.close_received()) {
    const bool is_client = IsClient(hop);
    NoteEnd(NameOf(hop), CodeOf(CloseCode::kAbnormal),
            error != nullptr ? std::string_view(error->message) : "no Close frame");
    exchange_.LogError(is_client ? LogLevel::kInfo : LogLevel::kError,
                       is_client ? "client prematurely closed connection"
                                 : "upstream prematurely closed connection",
                       error != nullptr ? error->system_errno : 0);
    if (is_client) return Flush();  // 1006 for the upstream: a connection that ends, no Close
    to.SendClose(CodeOf(CloseCode::kInternalError), "upstream connection lost");
  }
  if (to.close_received()) to.SendClose(CodeOf(CloseCode::kNormal), {});
  BeginClosing(settings_.close_timeout);
  FlushWhenOver();
}

void Relay::Reset() {
  NoteEnd("gateway", CodeOf(CloseCode::kAbnormal), "reset by a rule");
  client_.stream().Close(event::Stream::CloseKind::kReset);
  upstream_stream_->Close(event::Stream::CloseKind::kReset);
  Finish();
}

void Relay::BeginClosing(Milliseconds wait) {
  if (state_ != State::kOpen && state_ != State::kParting) return;
  state_ = State::kClosing;
  deadline_ = CachedNow().steady + wait;
  ArmBy(deadline_);
}

void Relay::FlushWhenOver() {
  if (state_ == State::kParting && Other(*refused_).over()) return FinishParting();
  if (state_ == State::kClosing && client_.over() && upstream_.over()) Flush();
}

// Our ends are sent behind what is queued; the peers' ends are awaited a little, so that no reset
// destroys what they have not read yet.
void Relay::Flush() {
  if (state_ == State::kOver || state_ == State::kFlushing) return;
  state_ = State::kFlushing;
  deadline_ = CachedNow().steady + kFlushTime;
  ArmBy(deadline_);
  bool waits = false;
  for (RelayHop* hop : {&client_, &upstream_}) {
    if (hop->gone()) continue;
    hop->stream().ShutdownWrite();
    hop->Continue();
    waits = true;
  }
  if (!waits) Finish();
}

void Relay::OnHopSent(RelayHop&) {}

// --- Deadlines ----------------------------------------------------------------------------------

void Relay::OnTimer() {
  if (state_ == State::kOver) return;
  armed_ = {};
  const SteadyTime now = CachedNow().steady;
  CheckDeadlines(now);
  if (state_ == State::kOver) return;
  if (held_ && held_->due != SteadyTime{} && now >= held_->due) ReleaseHeld();
  if (state_ == State::kOver) return;
  client_.Continue();
  if (state_ == State::kOver) return;
  Rearm(now);
}

void Relay::CheckDeadlines(SteadyTime now) {
  if (state_ == State::kFlushing) {
    if (now >= deadline_) Finish();
    return;
  }
  if (state_ == State::kParting) {
    if (now >= deadline_) FinishParting();
    return;
  }
  if (state_ == State::kClosing) {
    if (now < deadline_) return;
    // Who still waits for an answer gets ours.
    for (RelayHop* hop : {&client_, &upstream_}) {
      if (hop->close_received()) hop->SendClose(CodeOf(CloseCode::kNormal), {});
    }
    return Flush();
  }
  if (exchange_.identity_ends() && CachedNow().unix_milliseconds >= *exchange_.identity_ends()) {
    exchange_.LogError(LogLevel::kInfo, "the token has ended, and so does its socket");
    return CloseBoth(filter::kTokenCloseCode, "token expired");
  }
  if (held_) last_activity_ = last_message_ = now;  // we keep the client waiting, not it us
  const config::LocationSettings& location = exchange_.settings();
  if (now - last_activity_ >= location.proxy.read_timeout) {
    exchange_.LogError(LogLevel::kError, "upstream timed out", ETIMEDOUT);
    return CloseBoth(CodeOf(CloseCode::kGoingAway), "timed out");
  }
  if (settings_.session_lifetime.count() > 0 && now - began_ >= settings_.session_lifetime) {
    return CloseBoth(CodeOf(CloseCode::kGoingAway), "session lifetime is over");
  }
  if (settings_.idle_timeout.count() > 0 && now - last_message_ >= settings_.idle_timeout) {
    return CloseBoth(CodeOf(CloseCode::kGoingAway), "idle");
  }
  CheckHop(client_, location.core.send_timeout, now);
  if (state_ == State::kOpen) CheckHop(upstream_, location.proxy.send_timeout, now);
  if (state_ == State::kOpen) Ping(now);
}

void Relay::CheckHop(RelayHop& hop, Milliseconds send_timeout, SteadyTime now) {
  if (hop.message_since != SteadyTime{} && settings_.message_timeout.count() > 0) {
    if (hop.paused()) {
      hop.message_since = now;  // we keep it waiting, not it us
    } else if (now - hop.message_since >= settings_.message_timeout) {
      exchange_.LogError(LogLevel::kInfo,
                         std::string(NameOf(hop)) + " did not finish a message in time");
      return CloseBoth(CodeOf(CloseCode::kPolicyViolation), "message took too long");
    }
  }
  if (hop.stalled_since == SteadyTime{} || now - hop.stalled_since < send_timeout) return;
  const uint64_t taken = hop.stream().bytes_sent() - hop.stream().pending_output();
  if (taken != hop.sent_at_check) {
    hop.stalled_since = now;
    hop.sent_at_check = taken;
    return;
  }
  exchange_.LogError(LogLevel::kInfo, std::string(NameOf(hop)) + " timed out", ETIMEDOUT);
  NoteEnd("gateway", CodeOf(CloseCode::kAbnormal), "does not take what it is sent");
  Other(hop).SendClose(CodeOf(CloseCode::kGoingAway), "timed out");
  Flush();
}

void Relay::Ping(SteadyTime now) {
  if (next_ping_ == SteadyTime{} || now < next_ping_) return;
  next_ping_ = now + settings_.ping_interval;
  for (RelayHop* hop : {&client_, &upstream_}) {
    if (now - hop->heard <= 2 * settings_.ping_interval + settings_.close_timeout) {
      hop->SendPing();
      continue;
    }
    exchange_.LogError(LogLevel::kInfo, std::string(NameOf(*hop)) + " does not answer pings");
    NoteEnd("gateway", CodeOf(CloseCode::kAbnormal), "no answer to pings");
    Other(*hop).SendClose(CodeOf(CloseCode::kGoingAway), "timed out");
    return Flush();
  }
}

void Relay::Rearm(SteadyTime now) {
  if (state_ != State::kOpen) return ArmBy(deadline_);
  const config::LocationSettings& location = exchange_.settings();
  ArmBy(last_activity_ + location.proxy.read_timeout);
  if (settings_.session_lifetime.count() > 0) ArmBy(began_ + settings_.session_lifetime);
  if (settings_.idle_timeout.count() > 0) ArmBy(last_message_ + settings_.idle_timeout);
  if (next_ping_ != SteadyTime{}) ArmBy(next_ping_);
  ArmByToken(now);
  for (RelayHop* hop : {&client_, &upstream_}) {
    if (hop->message_since != SteadyTime{} && settings_.message_timeout.count() > 0) {
      ArmBy(hop->message_since + settings_.message_timeout);
    }
    if (hop->stalled_since != SteadyTime{}) {
      ArmBy(hop->stalled_since +
            (IsClient(*hop) ? location.core.send_timeout : location.proxy.send_timeout));
    }
  }
  if (held_ && held_->due != SteadyTime{}) ArmBy(held_->due);
  if (client_.paused()) {
    const Milliseconds wait = RateWait(client_, now);
    if (wait.count() > 0) ArmBy(now + wait);
  }
}

void Relay::ArmByToken(SteadyTime now) {
  if (state_ != State::kOpen || !exchange_.identity_ends()) return;
  const int64_t left = *exchange_.identity_ends() - CachedNow().unix_milliseconds;
  ArmBy(now + Milliseconds(std::clamp<int64_t>(left, 1, kTokenCheck.count())));
}

void Relay::ArmBy(SteadyTime when) {
  if (armed_ != SteadyTime{} && armed_ <= when) return;
  armed_ = when;
  const auto wait = std::chrono::ceil<Milliseconds>(when - CachedNow().steady);
  timer_.Set(std::max(wait, Milliseconds(1)));
}

}  // namespace framewall::server
