// Relay, as far as websocket_limit_message has it: a client's message that waits for its limit is
// held here, and with it everything behind it.
#include <fmt/format.h>

#include <utility>

#include "proxy/server/relay.h"
#include "proxy/ws/close_code.h"

namespace framewall::server {

using filter::LimitOutcome;

bool Relay::PassesLimit(std::string& payload) {
  const bool decided = limit_->Ask();
  const LimitOutcome::Kind kind = decided ? limit_->outcome().kind : LimitOutcome::Kind::kDelay;
  if (kind == LimitOutcome::Kind::kPass) return true;
  if (kind == LimitOutcome::Kind::kRefuse) {
    RefuseByLimit();
    return false;
  }
  HeldMessage& held = held_.emplace();
  held.opcode = client_.reader().message_opcode();
  held.payload = std::exchange(payload, {});
  held.wire_size = client_.reader().wire_size();
  if (decided) {
    held.due = CachedNow().steady + limit_->outcome().delay;
    ArmBy(held.due);
  }
  return false;
}

void Relay::OnLimitDecided() {
  if (state_ == State::kOver || !held_) return;
  switch (limit_->outcome().kind) {
    case LimitOutcome::Kind::kPass:
      ReleaseHeld();
      break;
    case LimitOutcome::Kind::kDelay:
      held_->due = CachedNow().steady + limit_->outcome().delay;
      return ArmBy(held_->due);
    case LimitOutcome::Kind::kRefuse:
      held_.reset();
      CountHeld(client_);
      RefuseByLimit();
      break;
  }
  if (state_ != State::kOver) client_.Continue();
}

void Relay::RefuseByLimit() {
  const LimitOutcome& outcome = limit_->outcome();
  ++record_.refused;
  services_.metrics->SocketRefused(true);
  limit_->LogRefusal();
  const config::MessageLimitUse& use = limit_->UseOf(*outcome.bucket);
  switch (use.over) {
    case config::OverMessageLimit::kDrop:
      return;
    case config::OverMessageLimit::kError: {
      std::string text = use.error;
      return client_.SendMessage(ws::Opcode::kText, text);
    }
    case config::OverMessageLimit::kClose: {
      const uint16_t code = ws::CodeOf(ws::CloseCode::kPolicyViolation);
      return Part(client_, code, code, "too many messages");
    }
  }
}

void Relay::ReleaseHeld() {
  HeldMessage held = std::move(*held_);
  held_.reset();
  CountHeld(client_);
  if (upstream_.close_sent() || upstream_.gone()) return;
  Pass(client_, held.opcode, held.payload, held.wire_size);
}

}  // namespace framewall::server
