#include "backend/server/connection.h"

#include <sys/socket.h>

#include <utility>

#include "backend/server/access.h"
#include "backend/server/server_socket.h"
#include "proxy/base/clock.h"
#include "proxy/base/log.h"
#include "proxy/base/text.h"
#include "proxy/event/tcp_stream.h"
#include "proxy/http/status.h"

namespace framewall::backend::server {
namespace {

// What may wait behind a request that is being answered; then we stop reading.
constexpr size_t kMostPipelined = 65536;
// A body that nobody wants is read up to this, so that the connection can be kept.
constexpr uint64_t kMostDiscarded = 1024 * 1024;
constexpr Milliseconds kLingering{5000};
// For the request of somebody who is turned away.
constexpr Milliseconds kOverloadTimeout{2000};
constexpr http::StreamId kStream = 1;

std::string_view ErrorCode(int status) {
  switch (status) {
    case 408:
      return "timeout";
    case 413:
      return "too_large";
    case 414:
    case 431:
    case 494:
      return "head_too_large";
    default:
      return "bad_request";
  }
}

}  // namespace

Connection::Connection(Services& services, int fd, const SocketAddress& peer, bool overloaded)
    : services_(services),
      peer_(peer),
      overloaded_(overloaded),
      stream_(event::MakeTcpStream(*services.loop, fd, SocketAddress(), SocketAddress())),
      codec_(services.limits.head, http::HeadPolicy(), this, this),
      timer_(*services.loop, [this] { OnTimer(); }),
      send_timer_(*services.loop, [this] { OnSendTimer(); }) {
  stream_->SetHandler(this);
  timer_.Set(overloaded ? kOverloadTimeout : services_.limits.idle_timeout);
}

Connection::~Connection() {
  pause_.Release();
  if (call_ != nullptr) call_->Detach(!call_->over());
}

// --- Octets in ----------------------------------------------------------------------------------

void Connection::OnBytes(ByteView bytes) {
  if (state_ == State::kLingering || state_ == State::kClosing || state_ == State::kOver) return;
  if (!MayFeed() || feeding_ || !input_.empty()) {
    input_.append(bytes);
    if (MayFeed() && !feeding_) return Proceed();
    if (input_.size() > kMostPipelined && !pause_.active()) pause_ = stream_->PauseReading();
    return;
  }
  Feed(bytes);
}

// One request at a time, and no next one while the client does not take the last answer.
bool Connection::MayFeed() const {
  switch (state_) {
    case State::kIdle:
      return !stream_->congested();
    case State::kHead:
    case State::kDiscard:
      return true;
    case State::kBody:
      return !request_ended_;
    default:
      return false;
  }
}

void Connection::Feed(ByteView bytes) {
  feeding_ = true;
  while (!bytes.empty() && MayFeed()) {
    const size_t used = codec_.Receive(bytes);
    bytes.remove_prefix(used);
    if (state_ == State::kIdle && codec_.in_head()) {
      state_ = State::kHead;
      timer_.Set(services_.limits.head_timeout);
    }
    if (state_ == State::kDiscard) {
      if (codec_.request_complete()) BeginIdle();
    } else if (state_ == State::kBody) {
      rest_ = bytes;
      Advance();
      if (state_ == State::kOver) return;
      bytes = std::exchange(rest_, {});
    }
    if (used == 0) break;
  }
  feeding_ = false;
  if (!bytes.empty() && state_ != State::kLingering && state_ != State::kClosing) {
    input_.append(bytes);
  }
}

// An answer went out, or there is room for one: goes on with what waits.
void Connection::Proceed() {
  if (feeding_ || state_ == State::kOver) return;
  if (input_.empty() || !MayFeed()) return;
  const std::string waiting = std::exchange(input_, {});
  pause_.Release();
  Feed(waiting);
}

void Connection::OnEnd() {
  if (state_ == State::kClosing) return;
  if (state_ == State::kIdle && stream_->pending_output() > 0) return CloseGracefully();
  // A client that closes its half while we work takes no answer either: gateways close both.
  CloseNow(event::Stream::CloseKind::kNormal);
}

void Connection::OnBroken(const Error&) { CloseNow(event::Stream::CloseKind::kNormal); }

void Connection::OnDrained() {
  if (call_ != nullptr && call_->answered()) {
    const std::shared_ptr<HttpCall> call = call_;
    call->OnStreamDrained();
  }
  Proceed();
}

void Connection::OnAllSent() {
  if (state_ == State::kClosing) CloseNow(event::Stream::CloseKind::kNormal);
}

// --- The codec's events; answers wait until it has returned -------------------------------------

http::RequestHead& Connection::NewRequestHead(http::StreamId) {
  call_ = std::make_shared<HttpCall>(services_, this, peer_);
  refusal_.reset();
  identified_ = Identified::kNotYet;
  request_ended_ = expects_continue_ = must_close_ = false;
  return call_->mutable_head();
}

void Connection::OnRequestHead(http::StreamId, http::BodyFraming framing) {
  state_ = State::kBody;
  const bool has_body = framing.kind != http::BodyFraming::Kind::kNone;
  if (has_body) timer_.Set(services_.limits.body_timeout);
  expects_continue_ = has_body && EqualsIgnoreCase(call_->head().fields.Get(http::FieldId::kExpect),
                                                   "100-continue");
  // Where the rest is not worth reading, or its end not known.
  must_close_ = expects_continue_ || framing.kind == http::BodyFraming::Kind::kChunked ||
                framing.length > kMostDiscarded;
  refusal_ = call_->Begin();
  if (refusal_) return;
  if (overloaded_) {
    refusal_ = Problem{.status = 503,
                       .code = "busy",
                       .detail = "There are too many connections; try again.",
                       .fields = {},
                       .retry_after = 1};
    return;
  }
  if (framing.length > call_->route()->body_limit) {
    refusal_ = Problem{.status = 413,
                       .code = "too_large",
                       .detail = "The body may have at most " +
                                 std::to_string(call_->route()->body_limit) + " octets.",
                       .fields = {}};
  }
}

void Connection::OnRequestBody(http::StreamId, ByteView piece) {
  if (refusal_ || call_->answered()) return;
  if (call_->body().size() + piece.size() > call_->route()->body_limit) {
    refusal_ = Problem{.status = 413,
                       .code = "too_large",
                       .detail = "The body may have at most " +
                                 std::to_string(call_->route()->body_limit) + " octets.",
                       .fields = {}};
    return;
  }
  call_->mutable_body().append(piece);
}

void Connection::OnRequestEnd(http::StreamId, const http::HeaderMap*) { request_ended_ = true; }

void Connection::OnRequestError(http::StreamId, http::MessageError error) {
  state_ = State::kBody;
  must_close_ = true;
  const int status = error.status == 494 ? 431 : error.status;
  refusal_ = Problem{.status = status,
                     .code = std::string(ErrorCode(error.status)),
                     .detail = std::string(error.reason) + ".",
                     .fields = {}};
}

// --- From head to answer ------------------------------------------------------------------------

void Connection::Advance() {
  if (state_ != State::kBody || call_ == nullptr || call_->answered()) return;
  if (refusal_) return Refuse(*refusal_);
  if (identified_ == Identified::kNotYet) Identify();
  if (state_ == State::kBody && request_ended_ && identified_ == Identified::kYes) Dispatch();
}

void Connection::Refuse(const Problem& problem) {
  const std::shared_ptr<HttpCall> call = call_;
  // A copy: the answer may be the end of what it stands in.
  call->Fail(Problem(problem));
}

void Connection::Identify() {
  const Access& access = call_->route()->access;
  identified_ = Identified::kAsked;
  if (access.who == Access::Who::kInside) {
    if (!call_->inside()) return Refuse(NotFound());
    return OnIdentified(Identity(), nullptr);
  }
  if (services_.authenticator == nullptr) return OnIdentified(Identity(), nullptr);
  call_->SetAwaited(true);
  CallRef reference = call_->MakeRef();
  services_.authenticator->Authenticate(
      reference, [call = call_, reference, this](Identity identity, const Problem* problem) {
        // The connection is there as long as the call is its.
        if (call->gone() || call->over()) return;
        OnIdentified(std::move(identity), problem);
        Advance();
      });
}

void Connection::OnIdentified(Identity identity, const Problem* problem) {
  if (identified_ != Identified::kAsked) return;
  identified_ = Identified::kYes;
  call_->SetAwaited(false);
  if (problem != nullptr) return Refuse(*problem);
  const std::optional<Problem> refusal = call_->route()->access.who == Access::Who::kInside
                                             ? std::nullopt
                                             : CheckAccess(call_->route()->access, identity);
  call_->SetIdentity(std::move(identity));
  if (refusal) return Refuse(*refusal);
  if (expects_continue_ && !request_ended_) {
    http::ResponseHead interim(&call_->arena());
    interim.status = 100;
    codec_.SendInterim(kStream, interim);
    must_close_ = false;
  }
}

void Connection::Dispatch() {
  state_ = State::kAnswering;
  timer_.Cancel();
  const std::shared_ptr<HttpCall> call = call_;
  call->SetAwaited(true);
  call->route()->handler(call->MakeRef());
}

// --- Answers out --------------------------------------------------------------------------------

void Connection::SendHead(HttpCall& call, int status, std::string_view content_type,
                          const Fields& fields, const std::string* length, Afterwards afterwards) {
  http::ResponseHead head(&call.arena());
  head.status = status;
  const bool has_body = !http::StatusForbidsBody(status);
  if (has_body && !content_type.empty()) {
    head.fields.AddView("Content-Type", content_type, http::FieldId::kContentType);
  }
  if (has_body && length != nullptr) {
    head.fields.AddView("Content-Length", *length, http::FieldId::kContentLength);
  }
  bool has_cache_control = status == 101;
  for (const auto& [name, value] : fields) {
    has_cache_control = has_cache_control || EqualsIgnoreCase(name, "cache-control");
    head.fields.Add(name, value);
  }
  if (!has_cache_control) {
    head.fields.AddView("Cache-Control", "no-store", http::FieldId::kCacheControl);
  }
  const std::string date = "Date: " + std::string(CachedHttpDate()) + "\r\n";
  http::ResponseOptions options;
  options.head_request = call.head().method == http::Method::kHead;
  options.keep_alive = afterwards == Afterwards::kMayStay && !services_.draining && !overloaded_ &&
                       !(must_close_ && !codec_.request_complete());
  options.preamble = date;
  codec_.SendHead(kStream, head, options);
}

void Connection::SendWhole(HttpCall& call, const Reply& reply) {
  const std::string length = std::to_string(reply.body.size());
  SendHead(call, reply.status, reply.content_type, reply.fields, &length);
  codec_.SendBody(kStream, reply.body);
  codec_.SendEnd(kStream, nullptr);
  FinishCall();
}

void Connection::BeginPieces(HttpCall& call, int status, std::string_view content_type,
                             const Fields& fields, Afterwards afterwards) {
  SendHead(call, status, content_type, fields, nullptr, afterwards);
  until_close_ = call.head().version == http::Version::kHttp10;
}

void Connection::SendPiece(std::string_view piece) {
  codec_.SendBody(kStream, piece);
  AwaitSend();
}

void Connection::EndPieces() {
  codec_.SendEnd(kStream, nullptr);
  FinishCall();
}

void Connection::AbortPieces() {
  codec_.Abort(kStream);
  aborted_ = true;
  FinishCall();
}

std::unique_ptr<Socket> Connection::SwitchToSocket(HttpCall& call, const SocketOptions& options,
                                                   const Fields& fields) {
  SendHead(call, 101, {}, fields, nullptr);
  timer_.Cancel();
  send_timer_.Cancel();
  pause_.Release();
  stream_->SetHandler(nullptr);
  std::string early(rest_);
  early += input_;
  std::unique_ptr<Socket> socket =
      MakeServerSocket(services_, std::move(stream_), options, std::move(early));
  state_ = State::kOver;
  if (services_.observer != nullptr) {
    const auto took = std::chrono::steady_clock::now() - call.started();
    services_.observer->OnCall(call, call.route(), 101, false,
                               std::chrono::duration_cast<std::chrono::microseconds>(took).count());
  }
  std::exchange(call_, nullptr)->Detach(false);
  services_.on_connection_over(this);
  return socket;
}

// --- From one request to the next ---------------------------------------------------------------

void Connection::FinishCall() {
  const std::shared_ptr<HttpCall> call = std::exchange(call_, nullptr);
  if (services_.observer != nullptr) {
    const auto took = std::chrono::steady_clock::now() - call->started();
    services_.observer->OnCall(*call, call->route(), call->status(), false,
                               std::chrono::duration_cast<std::chrono::microseconds>(took).count());
  }
  call->Detach(false);
  if (aborted_) {
    // Where the close is the end of the body only a reset tells that something is missing.
    return CloseNow(until_close_ ? event::Stream::CloseKind::kReset
                                 : event::Stream::CloseKind::kNormal);
  }
  AwaitSend();
  if (!codec_.keeps_alive()) return CloseGracefully();
  if (!codec_.request_complete()) {
    state_ = State::kDiscard;
    timer_.Set(services_.limits.body_timeout);
    return;
  }
  BeginIdle();
  // From the loop, so that a handler that answers at once does not answer a hundred requests deep.
  if (!feeding_ && !input_.empty()) Proceed();
}

void Connection::BeginIdle() {
  codec_.BeginNext();
  state_ = State::kIdle;
  timer_.Set(services_.limits.idle_timeout);
  if (services_.draining) return CloseGracefully();
  if (input_.empty()) pause_.Release();
}

void Connection::CloseGracefully() {
  input_.clear();
  rest_ = {};
  if (codec_.request_complete() || state_ == State::kIdle) {
    state_ = State::kClosing;
    timer_.Cancel();
    AwaitSend();
    stream_->NotifyWhenSent();
    return;
  }
  state_ = State::kLingering;
  timer_.Set(kLingering);
  stream_->ShutdownWrite();
  pause_.Release();
}

void Connection::CloseNow(event::Stream::CloseKind kind) {
  if (state_ == State::kOver) return;
  state_ = State::kOver;
  timer_.Cancel();
  send_timer_.Cancel();
  pause_.Release();
  stream_->SetHandler(nullptr);
  stream_->Close(kind);
  if (const std::shared_ptr<HttpCall> call = std::exchange(call_, nullptr)) {
    // Nothing to tell of a head that never came whole.
    if (services_.observer != nullptr && identified_ != Identified::kNotYet) {
      const auto took = std::chrono::steady_clock::now() - call->started();
      services_.observer->OnCall(
          *call, call->route(), call->status(), true,
          std::chrono::duration_cast<std::chrono::microseconds>(took).count());
    }
    call->Detach(true);
  }
  services_.on_connection_over(this);
}

// --- Time ---------------------------------------------------------------------------------------

void Connection::OnTimer() {
  if (state_ == State::kHead || (state_ == State::kBody && !request_ended_)) {
    if (call_ == nullptr || call_->answered()) return;
    must_close_ = true;
    return Refuse(Problem{.status = 408,
                          .code = "timeout",
                          .detail = "The request did not come in time.",
                          .fields = {}});
  }
  if (state_ == State::kBody || state_ == State::kAnswering || state_ == State::kOver) return;
  // He still takes the last answer, and has another timer for that.
  if (state_ == State::kIdle && stream_->pending_output() > 0) {
    return timer_.Set(services_.limits.idle_timeout);
  }
  CloseNow(event::Stream::CloseKind::kNormal);
}

// Looks now and then whether the client takes anything, so that sending costs no timer work.
void Connection::AwaitSend() {
  if (send_timer_.active() || stream_->pending_output() == 0) return;
  sent_at_last_check_ = SentOctets();
  send_timer_.Set(services_.limits.send_timeout);
}

void Connection::OnSendTimer() {
  if (state_ == State::kOver || stream_->pending_output() == 0) return;
  if (SentOctets() == sent_at_last_check_) return CloseNow(event::Stream::CloseKind::kReset);
  AwaitSend();
}

void Connection::Drain() {
  if (state_ != State::kIdle) return;
  // A request may be on its way already: what the kernel has is served.
  char octet;
  if (::recv(stream_->fd(), &octet, 1, MSG_PEEK | MSG_DONTWAIT) > 0) return;
  CloseGracefully();
}

}  // namespace framewall::backend::server
