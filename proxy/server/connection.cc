#include "proxy/server/connection.h"

#include <sys/socket.h>

#include <algorithm>

#include "proxy/event/tcp_stream.h"
#include "proxy/server/proxy_protocol.h"
#include "proxy/tls/tls_stream.h"

namespace framewall::server {
namespace {

using exchange::Action;

http::HeadLimits LimitsOf(const config::ServerSettings& settings) {
  http::HeadLimits limits;
  limits.first_buffer_size = settings.client_header_buffer_size;
  limits.buffer_count = settings.large_client_header_buffers_count;
  limits.line_size = settings.large_client_header_buffers_size;
  return limits;
}

http::HeadPolicy PolicyOf(const config::ServerSettings& settings) {
  http::HeadPolicy policy;
  policy.ignore_invalid_headers = settings.ignore_invalid_headers;
  policy.underscores_in_headers = settings.underscores_in_headers;
  return policy;
}

}  // namespace

Connection::Connection(Services& services, const AcceptContext& accept, int fd,
                       const SocketAddress& local, const SocketAddress& peer, uint64_t number)
    : services_(services),
      accept_(accept),
      exchange_(*services.config, *services.variables, info_),
      codec_(LimitsOf(accept.servers->default_server().settings),
             PolicyOf(accept.servers->default_server().settings), this, this),
      timer_(std::in_place, *services.loop, [this] { OnTimer(); }),
      send_timer_(std::in_place, *services.loop, [this] { OnSendTimer(); }) {
  info_.number = number;
  info_.peer = peer;
  info_.local = local;
  info_.accepted = CachedNow().steady;
  exchange_.client_address = peer;
  exchange_.server = &accept.servers->default_server();
  exchange_.location = &exchange_.server->root;
  exchange_.action = Action::kWaitingForRequest;
  proxy_protocol_pending_ = accept.servers->proxy_protocol();
  if (accept.tls != nullptr && !proxy_protocol_pending_) {
    stream_ =
        tls::MakeTlsServerStream(*services.loop, fd, *accept.tls, *accept.tls_hooks, local, peer);
    exchange_.action = Action::kHandshaking;
  } else {
    stream_ = event::MakeTcpStream(*services.loop, fd, SocketAddress(), SocketAddress());
  }
  stream_->SetHandler(this);
  services_.metrics->Move(WorkerMetrics::State::kNone, WorkerMetrics::State::kWaiting);
  timer_->Set(default_server_settings().client_header_timeout);
}

Connection::~Connection() {
  // The driver logs, and asks the codec and the stream for sizes.
  pause_.Release();
  driver_.reset();
}

const config::CoreSettings& Connection::core() const { return exchange_.settings().core; }

const config::ServerSettings& Connection::default_server_settings() const {
  return accept_.servers->default_server().settings;
}

void Connection::SetState(State state) {
  const auto shown = [](State one) {
    switch (one) {
      case State::kPreface:
      case State::kIdle:
        return WorkerMetrics::State::kWaiting;
      case State::kHead:
        return WorkerMetrics::State::kReading;
      case State::kClosed:
        return WorkerMetrics::State::kNone;
      default:
        return WorkerMetrics::State::kWriting;
    }
  };
  if (shown(state_) != shown(state)) services_.metrics->Move(shown(state_), shown(state));
  state_ = state;
}

// --- Bytes in -----------------------------------------------------------------------------------

void Connection::OnBytes(ByteView bytes) {
  if (proxy_protocol_pending_) return ReadPreface(bytes);
  switch (state_) {
    case State::kDiscard:
    case State::kLingering: {
      const auto left =
          std::chrono::duration_cast<Milliseconds>(lingering_until_ - CachedNow().steady);
      if (left.count() <= 0) return CloseNow(event::Stream::CloseKind::kNormal);
      timer_->Set(std::min(core().lingering_timeout, left));
      if (state_ == State::kLingering) return;
      break;
    }
    case State::kClosing:
    case State::kTunnel:
    case State::kClosed:
      return;
    default:
      break;
  }
  if (input_.empty()) return Feed(bytes);
  input_.append(bytes);
  const std::string waiting = std::move(input_);
  input_.clear();
  Feed(waiting);
}

void Connection::ReadPreface(ByteView bytes) {
  input_.append(bytes);
  ProxyProtocolHeader header;
  const ProxyProtocolResult result = ParseProxyProtocol(input_, &header);
  if (result.outcome == ProxyProtocolResult::Outcome::kMore) return;
  if (result.outcome == ProxyProtocolResult::Outcome::kBroken) {
    exchange_.LogError(LogLevel::kError, "broken header: \"" + PrintableStart(input_) + "\"");
    return CloseNow(event::Stream::CloseKind::kNormal);
  }
  proxy_protocol_pending_ = false;
  if (header.has_addresses) {
    info_.proxy_protocol.present = true;
    info_.proxy_protocol.source = header.source;
    info_.proxy_protocol.destination = header.destination;
  }
  std::string rest = input_.substr(result.size);
  input_.clear();
  if (accept_.tls != nullptr) {
    exchange_.action = Action::kHandshaking;
    stream_->SetHandler(nullptr);
    stream_ = tls::MakeTlsServerStream(*services_.loop, std::move(stream_), *accept_.tls,
                                       *accept_.tls_hooks, std::move(rest));
    stream_->SetHandler(this);
    return;
  }
  if (!rest.empty()) Feed(rest);
}

void Connection::Feed(ByteView bytes) {
  while (!bytes.empty()) {
    if (state_ == State::kExchange && codec_.request_complete()) break;
    receiving_ = true;
    const size_t used = codec_.Receive(bytes);
    if (state_ == State::kExchange && driver_.has_value()) driver_->OnReceived();
    receiving_ = false;
    bytes.remove_prefix(used);
    if (state_ == State::kClosed) return;
    if (state_ == State::kTunnel) break;
    if (state_ == State::kPreface || state_ == State::kIdle) {
      if (codec_.in_head()) {
        SetState(State::kHead);
        timer_->Set(exchange_.server->settings.client_header_timeout);
      }
    }
    if ((state_ == State::kExchange || state_ == State::kDiscard) && driver_.has_value() &&
        driver_->complete()) {
      FinishExchange();
      if (state_ == State::kClosed || state_ == State::kClosing || state_ == State::kLingering) {
        return;
      }
      continue;
    }
    if (used == 0) break;
  }
  if (!bytes.empty()) {
    input_.append(bytes);
    // One read at most waits here: the rest waits in the kernel.
    if (!pause_.active()) pause_ = stream_->PauseReading();
  }
}

void Connection::OnEnd() {
  client_ended_ = true;
  switch (state_) {
    case State::kPreface:
    case State::kIdle:
    case State::kLingering:
    case State::kHead:
      if (state_ == State::kHead) {
        exchange_.LogError(LogLevel::kInfo, "client prematurely closed connection");
      }
      return CloseNow(event::Stream::CloseKind::kNormal);
    case State::kDiscard:
      return CloseNow(event::Stream::CloseKind::kNormal);
    case State::kExchange:
      if (!codec_.request_complete()) {
        exchange_.LogError(LogLevel::kInfo, "client prematurely closed connection");
        exchange_.client_aborted = true;
        return driver_->OnClientGone(true);
      }
      // Requests that wait behind this one are still to be served (half-close).
      exchange_.keep_alive = exchange_.keep_alive && !input_.empty();
      return driver_->OnClientGone(false);
    case State::kClosing:
    case State::kTunnel:
    case State::kClosed:
      return;
  }
}

void Connection::OnBroken(const Error& error) {
  if (state_ == State::kClosed) return;
  if (state_ == State::kExchange && driver_.has_value() && !driver_->complete()) {
    exchange_.LogError(LogLevel::kInfo, error.message, error.system_errno);
    driver_->OnClientGone(true);
    if (state_ == State::kClosed) return;
    // proxy_ignore_client_abort: the upstream's answer is awaited and thrown away.
    client_ended_ = true;
    return;
  }
  if (exchange_.action == Action::kHandshaking) {
    exchange_.LogError(error.source == ErrorSource::kClient ? LogLevel::kInfo : LogLevel::kCrit,
                       error.message, error.system_errno);
  }
  CloseNow(event::Stream::CloseKind::kNormal);
}

void Connection::OnSecured() {
  info_.tls = stream_->tls();
  exchange_.action = Action::kWaitingForRequest;
  timer_->Set(default_server_settings().client_header_timeout);
}

void Connection::OnDrained() {
  if (driver_.has_value()) driver_->OnClientDrained();
}

void Connection::OnAllSent() {
  if (state_ == State::kClosing) CloseNow(event::Stream::CloseKind::kNormal);
}

// --- The codec's events -------------------------------------------------------------------------

http::RequestHead& Connection::NewRequestHead(http::StreamId) {
  driver_.reset();
  exchange_.Reset();
  exchange_.server = &accept_.servers->default_server();
  exchange_.location = &exchange_.server->root;
  exchange_.action = Action::kReadingRequestLine;
  exchange_.started = CachedNow().steady;
  ++info_.requests;
  return exchange_.request;
}

void Connection::OnRequestHead(http::StreamId, http::BodyFraming framing) {
  SetState(State::kExchange);
  body_timeout_ = Milliseconds(0);
  exchange_.keep_alive = !services_.draining;
  driver_.emplace(services_, exchange_, *this);
  driver_->Begin(framing);
}

void Connection::OnRequestBody(http::StreamId, ByteView piece) {
  if (state_ == State::kExchange && body_timeout_.count() > 0) timer_->Set(body_timeout_);
  if (driver_.has_value()) driver_->OnRequestBody(piece);
}

void Connection::OnRequestEnd(http::StreamId, const http::HeaderMap* trailers) {
  if (driver_.has_value()) driver_->OnRequestEnd(trailers);
}

void Connection::OnRequestError(http::StreamId, http::MessageError error) {
  if (!driver_.has_value()) {
    exchange_.action =
        error.status == 414 ? Action::kReadingRequestLine : Action::kReadingRequestHeaders;
    SetState(State::kExchange);
    driver_.emplace(services_, exchange_, *this);
  }
  driver_->OnRequestError(error);
}

// --- What the driver asks -----------------------------------------------------------------------

void Connection::PauseBody(bool pause) {
  // client_body_timeout is for the client: while we do not read he cannot be late.
  if (pause) {
    if (!pause_.active() && state_ != State::kClosed) pause_ = stream_->PauseReading();
    if (state_ == State::kExchange) timer_->Cancel();
    return;
  }
  if (input_.empty()) pause_.Release();
  if (state_ == State::kExchange && body_timeout_.count() > 0) timer_->Set(body_timeout_);
}

void Connection::AwaitBody(Milliseconds timeout) {
  body_timeout_ = timeout;
  if (!timer_) return;
  if (timeout.count() == 0) {
    timer_->Cancel();
  } else {
    timer_->Set(timeout);
  }
}

void Connection::AwaitSend(Milliseconds timeout) {
  send_timeout_ = timeout;
  if (!send_timer_ || send_timer_->active()) return;
  sent_at_last_check_ = SentOctets();
  send_timer_->Set(timeout);
}

// Looks now and then whether the client takes anything, so that sending costs no timer work.
void Connection::OnSendTimer() {
  if (state_ == State::kClosed || stream_->pending_output() == 0) return;
  if (SentOctets() != sent_at_last_check_) {
    sent_at_last_check_ = SentOctets();
    return send_timer_->Set(send_timeout_);
  }
  if (state_ == State::kExchange && driver_.has_value() && !driver_->complete()) {
    return driver_->OnSendTimeout();
  }
  CloseNow(event::Stream::CloseKind::kNormal);
}

void Connection::ExchangeDone() {
  if (!receiving_) FinishExchange();
}

event::Stream* Connection::TakeStreamForTunnel(std::string* leftover) {
  SetState(State::kTunnel);
  // A tunnel may live long: what only HTTP needs goes.
  timer_.reset();
  send_timer_.reset();
  if (!receiving_) codec_.LeaveStream();
  *leftover = std::move(input_);
  input_.clear();
  pause_.Release();
  return stream_.get();
}

// --- From one exchange to the next --------------------------------------------------------------

void Connection::FinishExchange() {
  if (state_ == State::kClosed) return;
  const bool stays = exchange_.keep_alive && codec_.keeps_alive() && !services_.draining;
  if (exchange_.response_aborted) {
    // Where the close is the end of the body only a reset tells that something is missing.
    const bool until_close = !exchange_.response_chunked && exchange_.content_length < 0;
    return CloseNow(until_close ? event::Stream::CloseKind::kReset
                                : event::Stream::CloseKind::kNormal);
  }
  if (!stays) return CloseGracefully();
  if (!codec_.request_complete()) {
    // Each read comes by here.
    if (state_ == State::kDiscard) return;
    SetState(State::kDiscard);
    exchange_.action = Action::kReadingRequestBody;
    lingering_until_ = CachedNow().steady + core().lingering_time;
    timer_->Set(core().lingering_timeout);
    PauseBody(false);
    return;
  }
  if (client_ended_ && input_.empty()) return CloseGracefully();
  BeginIdle();
  if (receiving_ || input_.empty()) return;
  const std::string waiting = std::move(input_);
  input_.clear();
  Feed(waiting);
}

void Connection::BeginIdle() {
  codec_.BeginNext();
  const Milliseconds timeout = core().keepalive_timeout;
  SetState(State::kIdle);
  exchange_.action = Action::kKeepAlive;
  timer_->Set(timeout);
  if (input_.empty()) pause_.Release();
}

void Connection::CloseGracefully() {
  if (state_ == State::kClosed || state_ == State::kClosing || state_ == State::kLingering) return;
  const config::LingeringClose mode = core().lingering_close;
  const bool unread = !codec_.request_complete() || !input_.empty();
  exchange_.action = Action::kClosing;
  if (!client_ended_ && (mode == config::LingeringClose::kAlways ||
                         (mode == config::LingeringClose::kOn && unread))) {
    SetState(State::kLingering);
    input_.clear();
    lingering_until_ = CachedNow().steady + core().lingering_time;
    timer_->Set(core().lingering_timeout);
    stream_->ShutdownWrite();
    pause_.Release();
    return;
  }
  SetState(State::kClosing);
  AwaitSend(core().send_timeout);
  stream_->NotifyWhenSent();
}

void Connection::OnTimer() {
  switch (state_) {
    case State::kPreface:
    case State::kHead:
      if (state_ == State::kHead) {
        exchange_.LogError(LogLevel::kInfo, "client timed out (110: Connection timed out)");
        exchange_.error_status = 408;
        // The request that never became whole has its line in the access log, as in nginx.
        if (services_.access_logs != nullptr) services_.access_logs->Write(exchange_);
      }
      return CloseNow(event::Stream::CloseKind::kNormal);
    case State::kIdle:
    case State::kDiscard:
    case State::kLingering:
      return CloseNow(event::Stream::CloseKind::kNormal);
    case State::kExchange:
      // Not a deadline of this exchange, unless its body is awaited.
      if (body_timeout_.count() > 0 && driver_.has_value() && !driver_->request_ended())
        driver_->OnBodyTimeout();
      return;
    case State::kClosing:
    case State::kTunnel:
    case State::kClosed:
      return;
  }
}

void Connection::CancelTimers() {
  if (timer_) timer_->Cancel();
  if (send_timer_) send_timer_->Cancel();
}

void Connection::CloseNow(event::Stream::CloseKind kind) {
  if (state_ == State::kClosed) return;
  SetState(State::kClosed);
  CancelTimers();
  pause_.Release();
  stream_->SetHandler(nullptr);
  // The log phase asks the codec for what was sent: run it before everything is gone.
  if (driver_.has_value()) driver_->OnConnectionClosed();
  stream_->Close(kind);
  services_.on_closed(this);
}

void Connection::Drain() {
  if (state_ != State::kIdle) {
    exchange_.keep_alive = false;
    return;
  }
  // A request may be on its way already: what the kernel has is served.
  char octet;
  if (::recv(stream_->fd(), &octet, 1, MSG_PEEK | MSG_DONTWAIT) > 0) return;
  CloseNow(event::Stream::CloseKind::kNormal);
}

void Connection::ForceClose(bool at_once) {
  if (!at_once && state_ == State::kTunnel && driver_.has_value() && driver_->relay() != nullptr) {
    return driver_->relay()->GoAway();
  }
  CloseNow(event::Stream::CloseKind::kNormal);
}

}  // namespace framewall::server
