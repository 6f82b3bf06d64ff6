#include "proxy/server/relay.h"

#include <algorithm>
#include <utility>

#include "proxy/filter/message/pipeline.h"
#include "proxy/ws/close_code.h"

namespace framewall::server {
namespace {

using filter::Message;
using filter::MessageVerdict;
using ws::CloseCode;
using ws::CodeOf;

ws::ReaderOptions ReaderFor(const config::WebSocketSettings& settings, ws::Role role,
                            const std::optional<ws::DeflateParams>& deflate) {
  ws::ReaderOptions options;
  options.role = role;
  options.max_message = settings.max_message_size;
  options.max_frame =
      settings.max_frame_size != 0 ? settings.max_frame_size : settings.max_message_size;
  options.max_fragments =
      static_cast<uint32_t>(std::min<uint64_t>(settings.max_fragments, UINT32_MAX));
  options.max_control = settings.max_control_size;
  options.deflate = deflate;
  options.max_inflate_ratio =
      static_cast<uint32_t>(std::min<uint64_t>(settings.max_inflate_ratio, UINT32_MAX));
  if (role == ws::Role::kServer) {
    options.text_allowed = settings.allow_text;
    options.binary_allowed = settings.allow_binary;
    options.allow_text_null = settings.allow_null;
  }
  return options;
}

ws::WriterOptions WriterFor(ws::Role role, const std::optional<ws::DeflateParams>& deflate) {
  ws::WriterOptions options;
  options.role = role;
  options.deflate = deflate;
  return options;
}

}  // namespace

Relay::Relay(Services& services, exchange::Exchange& exchange, event::Stream& client,
             exchange::SocketHandover handover, std::function<void()> done)
    : services_(services),
      exchange_(exchange),
      settings_(exchange.settings().websocket),
      upstream_stream_(std::move(handover.upstream)),
      done_(std::move(done)),
      shared_(services.sockets.Enter(exchange.client_address)),
      record_(*(exchange.socket = std::make_unique<exchange::SocketRecord>())),
      client_(*this, client, ReaderFor(settings_, ws::Role::kServer, handover.client_deflate),
              WriterFor(ws::Role::kServer, handover.client_deflate), &services.deflate),
      upstream_(*this, *upstream_stream_,
                ReaderFor(settings_, ws::Role::kClient, handover.upstream_deflate),
                WriterFor(ws::Role::kClient, handover.upstream_deflate), &services.deflate),
      filters_(filter::MakeMessageFilters(exchange, services.filters, handover.subprotocol)),
      limit_(filter::MessageLimit::Make(exchange, services.filters, [this] { OnLimitDecided(); })),
      timer_(*services.loop, [this] { OnTimer(); }),
      began_(CachedNow().steady),
      last_activity_(began_),
      last_message_(began_) {
  services_.metrics->SocketOpened();
}

Relay::~Relay() { Stop(); }

uint64_t Relay::sent_to_client() const {
  return const_cast<Relay*>(this)->client_.stream().bytes_sent() - client_.sent_before;
}
uint64_t Relay::sent_to_upstream() const {
  return upstream_stream_->bytes_sent() - upstream_.sent_before;
}
uint64_t Relay::received_from_upstream() const {
  return upstream_stream_->bytes_received() - upstream_.received_before;
}

void Relay::Start(ByteView from_client, ByteView from_upstream) {
  exchange_.action = exchange::Action::kProxyingUpgraded;
  if (settings_.ping_interval.count() > 0) next_ping_ = began_ + settings_.ping_interval;
  Rearm(began_);
  upstream_.Start(from_upstream);
  if (state_ != State::kOver) client_.Start(from_client);
}

void Relay::Stop() {
  if (state_ == State::kOver && done_ == nullptr) return;
  state_ = State::kOver;
  done_ = nullptr;
  timer_.Cancel();
  if (limit_ != nullptr) limit_->Cancel();
  held_.reset();
  client_.Detach();
  upstream_.Detach();
  if (!upstream_stream_->closed()) upstream_stream_->Close();
  for (RelayHop* hop : {&client_, &upstream_}) {
    shared_.held -= hop->held;
    services_.sockets.held -= std::exchange(hop->held, 0);
  }
  services_.sockets.Leave(exchange_.client_address, CachedNow().steady);
  services_.metrics->SocketClosed();
}

void Relay::Finish() {
  if (state_ == State::kOver) return;
  const std::function<void()> done = std::move(done_);
  Stop();
  done();
}

// --- Messages -----------------------------------------------------------------------------------

void Relay::OnActivity(RelayHop& hop) {
  last_activity_ = CachedNow().steady;
  hop.heard = last_activity_;
}

Milliseconds Relay::RateWait(RelayHop& hop, SteadyTime now) {
  if (!IsClient(hop)) return Milliseconds(0);
  Milliseconds wait{0};
  const auto consider = [&](const config::SocketRate& rate, TokenBucket& bucket) {
    if (!rate.close) wait = std::max(wait, bucket.Wait(rate, now));
  };
  consider(settings_.message_rate, message_rate_);
  consider(settings_.byte_rate, byte_rate_);
  consider(settings_.client_message_rate, shared_.messages);
  return wait;
}

bool Relay::MayRead(RelayHop& hop) {
  RelayHop& to = Other(hop);
  if (to.close_sent() || to.gone()) return true;  // thrown away
  const SteadyTime now = CachedNow().steady;
  if (IsClient(hop) && held_) return false;
  if (to.stream().congested()) {
    if (to.stalled_since == SteadyTime{}) {
      to.stalled_since = now;
      to.sent_at_check = to.stream().bytes_sent() - to.stream().pending_output();
      ArmBy(now + exchange_.settings().core.send_timeout);
    }
    return false;
  }
  const Milliseconds wait = RateWait(hop, now);
  if (wait.count() == 0) return true;
  ArmBy(now + wait);
  return false;
}

void Relay::OnControl(RelayHop& hop) {
  if (!IsClient(hop)) return;
  const SteadyTime now = CachedNow().steady;
  message_rate_.Take(settings_.message_rate, 1, now);
  shared_.messages.Take(settings_.client_message_rate, 1, now);
}

void Relay::OnMessage(RelayHop& hop) {
  hop.message_since = {};
  RelayHop& to = Other(hop);
  if (state_ == State::kOver || to.close_sent() || to.gone()) return;
  std::string& payload = hop.reader().payload();
  const SteadyTime now = CachedNow().steady;
  last_message_ = now;
  if (IsClient(hop)) {
    bool within = message_rate_.Take(settings_.message_rate, 1, now);
    within = shared_.messages.Take(settings_.client_message_rate, 1, now) && within;
    within = byte_rate_.Take(settings_.byte_rate, payload.size(), now) && within;
    if (!within) {
      ++record_.refused;
      services_.metrics->SocketRefused(true);
      exchange_.LogError(LogLevel::kError, "client sends messages faster than its rate allows");
      const uint16_t code = CodeOf(CloseCode::kPolicyViolation);
      return Part(hop, code, code, "too many messages");
    }
  }

  if (IsClient(hop) && limit_ != nullptr && !PassesLimit(payload)) return;
  Pass(hop, hop.reader().message_opcode(), payload, hop.reader().wire_size());
}

// Judged and sent on.
void Relay::Pass(RelayHop& hop, ws::Opcode opcode, std::string& payload, uint64_t wire_size) {
  RelayHop& to = Other(hop);
  Message message;
  message.kind = opcode == ws::Opcode::kText ? Message::Kind::kText : Message::Kind::kBinary;
  message.payload = payload;
  message.wire_size = wire_size;
  const MessageVerdict verdict = Judge(hop, message);
  if (IsClient(hop)) ArmByToken(CachedNow().steady);  // a fresh one may end earlier
  if (verdict.kind != MessageVerdict::Kind::kPass) return Refuse(hop, verdict);

  exchange::SocketRecord::Flow& flow = IsClient(hop) ? record_.from_client : record_.from_upstream;
  ++flow.messages;
  flow.octets += payload.size();
  flow.wire_octets += message.wire_size;
  services_.metrics->SocketMessage(IsClient(hop), payload.size(), message.wire_size);
  to.SendMessage(opcode, payload);
}

MessageVerdict Relay::Judge(const RelayHop& hop, Message& message) {
  message.direction =
      IsClient(hop) ? Message::Direction::kClientToUpstream : Message::Direction::kUpstreamToClient;
  message.number = hop.messages;
  for (const auto& one : filters_) {
    const MessageVerdict verdict = one->OnMessage(exchange_, message);
    if (verdict.kind == MessageVerdict::Kind::kTaken) return verdict;
    if (verdict.kind != MessageVerdict::Kind::kPass) {
      ++record_.refused;
      services_.metrics->SocketRefused(IsClient(hop));
      return verdict;
    }
  }
  return MessageVerdict::Pass();
}

void Relay::Refuse(RelayHop& hop, const MessageVerdict& verdict) {
  switch (verdict.kind) {
    case MessageVerdict::Kind::kPass:
    case MessageVerdict::Kind::kDrop:
    case MessageVerdict::Kind::kTaken:
      return;
    case MessageVerdict::Kind::kClose:
      return Part(hop, verdict.code, verdict.code, verdict.reason);
    case MessageVerdict::Kind::kReset:
      return Reset();
  }
}

void Relay::OnProgress(RelayHop& hop) {
  if (state_ == State::kOver) return;
  CountHeld(hop);
  if (hop.reader().between_messages() || hop.reader().ended()) {
    hop.message_since = {};
  } else if (hop.message_since == SteadyTime{}) {
    hop.message_since = CachedNow().steady;
    if (settings_.message_timeout.count() > 0) {
      ArmBy(hop.message_since + settings_.message_timeout);
    }
  }
}

void Relay::CountHeld(RelayHop& hop) {
  const uint64_t held =
      hop.reader().held() + (IsClient(hop) && held_ ? held_->payload.capacity() : 0);
  if (held == hop.held) return;
  const bool grows = held > hop.held;
  shared_.held += held - hop.held;
  services_.sockets.held += held - hop.held;
  hop.held = held;
  if (!grows) return;
  const bool client_over = shared_.held > settings_.client_memory;
  if (!client_over && services_.sockets.held <= settings_.worker_memory) return;
  // Also while a Close is on its way: the peer may go on sending until it has answered.
  hop.StopListening();
  if (state_ != State::kOpen) return FlushWhenOver();
  exchange_.LogError(LogLevel::kError, client_over
                                           ? "unfinished messages exceed websocket_client_memory"
                                           : "unfinished messages exceed websocket_worker_memory");
  CloseBoth(CodeOf(CloseCode::kTryAgainLater), "out of memory for messages");
}

void Relay::OnHopDrained(RelayHop& hop) {
  if (state_ == State::kOver) return;
  hop.stalled_since = {};
  Other(hop).Continue();
}

}  // namespace framewall::server
