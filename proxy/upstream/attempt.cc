#include "proxy/upstream/attempt.h"

#include <cerrno>
#include <utility>

#include "proxy/base/check.h"
#include "proxy/tls/tls_stream.h"

namespace framewall::upstream {
namespace {

// Hears what a codec still says when its connection was given up from inside of it.
class NobodyListens final : public http::ClientCodecEvents {
  void OnInterimResponse(const http::ResponseHead&) override {}
  void OnResponseHead(http::BodyFraming) override {}
  void OnResponseBody(ByteView) override {}
  void OnResponseEnd(const http::HeaderMap*) override {}
  void OnResponseError(http::MessageError) override {}
};
NobodyListens nobody_listens;

}  // namespace

Attempt::Attempt(event::EventLoop& loop, AttemptEvents& events) : loop_(loop), events_(events) {}

Attempt::~Attempt() {
  pause_.Release();
  if (connection_ != nullptr) CloseConnection(loop_, std::move(connection_));
}

Connection::Identity Attempt::MakeIdentity() const {
  return {address_, options_.tls.context, options_.tls.name, options_.local, options_.head_limit};
}

Attempt::Start Attempt::Begin(const Peer& peer, PeerPool* pool, AttemptOptions options) {
  FW_CHECK(connection_ == nullptr);
  options_ = std::move(options);
  address_ = peer.address;
  pool_ = pool;
  reused_ = false;
  request_begun_ = false;
  request_sent_ = false;
  ended_ = false;
  peer_ended_ = false;
  released_ = false;
  error_.reset();
  leftover_.clear();
  sent_before_ = received_before_ = sent_at_end_ = received_at_end_ = 0;

  if (pool_ != nullptr) {
    if (std::unique_ptr<Connection> idle = pool_->Take(MakeIdentity())) {
      reused_ = true;
      Adopt(std::move(idle));
      state_ = State::kSending;
      return Start::kReady;
    }
  }
  state_ = State::kConnecting;
  options_.connect.timeout = options_.connect_timeout;
  connector_ = std::make_unique<event::Connector>(
      loop_, address_, options_.connect,
      [this](Result<std::unique_ptr<event::Stream>> result) { Connected(std::move(result)); });
  return Start::kPending;
}

void Attempt::Adopt(std::unique_ptr<Connection> connection) {
  connection_ = std::move(connection);
  connection_->SetOwner(this);
  connection_->codec.SetEvents(this);
  ++connection_->requests;
  sent_before_ = connection_->stream->bytes_sent();
  received_before_ = connection_->stream->bytes_received();
}

void Attempt::Connected(Result<std::unique_ptr<event::Stream>> result) {
  // It runs right now: freed when it has returned.
  loop_.Retire(std::move(connector_));
  if (!result.ok()) {
    FailWith(result.error());
    return;
  }
  http::HeadLimits limits;
  limits.first_buffer_size = options_.head_limit;
  limits.line_size = options_.head_limit;
  std::unique_ptr<event::Stream> stream = std::move(result).value();
  if (options_.tls.context == nullptr) {
    Adopt(std::make_unique<Connection>(loop_, std::move(stream), MakeIdentity(), limits,
                                       &nobody_listens));
    Ready();
    return;
  }

  events_.OnAttemptConnected();
  tls::ClientTlsPeer peer;
  peer.name = options_.tls.name;
  peer.session = options_.tls.session;
  if (!options_.tls.certificate.certificate.empty()) peer.certificate = &options_.tls.certificate;
  auto secured = tls::MakeTlsClientStream(loop_, std::move(stream), *options_.tls.context, peer);
  if (!secured.ok()) {
    Fail({AttemptFailure::Kind::kInternal, secured.error().message, secured.error().system_errno});
    return;
  }
  Adopt(std::make_unique<Connection>(loop_, std::move(secured).value(), MakeIdentity(), limits,
                                     &nobody_listens));
  state_ = State::kHandshake;
  connection_->timer.Set(options_.connect_timeout);
}

void Attempt::OnSecured(Connection&) {
  if (state_ == State::kHandshake) Ready();
}

void Attempt::Ready() {
  state_ = State::kSending;
  events_.OnAttemptReady();
}

void Attempt::ExpectResponse(http::Method method, http::ResponseHead* head) {
  head_ = head;
  connection_->codec.BeginResponse(method, head);
}

void Attempt::Send(std::span<const ByteView> pieces) {
  request_begun_ = true;
  if (connection_ == nullptr) return;
  connection_->stream->Write(pieces);
  if (state_ != State::kSending) return;
  pending_at_timer_ = connection_->stream->pending_output();
  connection_->timer.Set(options_.send_timeout);
}

void Attempt::RequestSent() {
  request_sent_ = true;
  if (state_ != State::kSending) return;
  state_ = State::kWaiting;
  if (connection_ != nullptr) connection_->timer.Set(options_.read_timeout);
}

void Attempt::PauseReading() {
  if (pause_.active() || connection_ == nullptr || connection_->stream->closed()) return;
  pause_ = connection_->stream->PauseReading();
  connection_->timer.Cancel();
}

void Attempt::ResumeReading() {
  if (!pause_.active()) return;
  pause_.Release();
  if (connection_ != nullptr) connection_->timer.Set(options_.read_timeout);
}

uint64_t Attempt::bytes_sent() const {
  return connection_ == nullptr ? sent_at_end_ : connection_->stream->bytes_sent() - sent_before_;
}

uint64_t Attempt::bytes_received() const {
  return connection_ == nullptr ? received_at_end_
                                : connection_->stream->bytes_received() - received_before_;
}

void Attempt::DropConnection(bool keep) {
  pause_.Release();
  if (connection_ == nullptr) return;
  sent_at_end_ = bytes_sent();
  received_at_end_ = bytes_received();
  std::unique_ptr<Connection> connection = std::move(connection_);
  connection->codec.SetEvents(&nobody_listens);
  if (keep) {
    pool_->Give(std::move(connection));
  } else {
    CloseConnection(loop_, std::move(connection));
  }
}

void Attempt::Release(Keep keep) {
  connector_.reset();
  if (receiving_ && keep == Keep::kIfClean && connection_ != nullptr) {
    // The codec may be about to see the clean end; what comes of it is known when it returns.
    released_ = true;
    return;
  }
  const bool clean = keep == Keep::kIfClean && pool_ != nullptr && connection_ != nullptr &&
                     ended_ && request_sent_ && !peer_ended_ && connection_->codec.keeps_alive();
  DropConnection(clean);
  state_ = State::kIdle;
}

std::unique_ptr<Connection> Attempt::TakeUpgraded(std::string* leftover) {
  FW_CHECK(state_ == State::kUpgraded && !receiving_);
  sent_at_end_ = bytes_sent();
  received_at_end_ = bytes_received();
  pause_.Release();
  connection_->SetOwner(nullptr);
  connection_->timer.Cancel();
  *leftover = std::move(leftover_);
  state_ = State::kIdle;
  return std::move(connection_);
}

void Attempt::Fail(AttemptFailure failure) {
  DropConnection(false);
  state_ = State::kIdle;
  events_.OnAttemptFailed(failure);
}

void Attempt::FailWith(const Error& error) {
  if (error.kind == ErrorKind::kTimeout && state_ == State::kConnecting) {
    Fail({AttemptFailure::Kind::kTimeout, "upstream timed out", error.system_errno});
    return;
  }
  Fail({AttemptFailure::Kind::kError, error.message, error.system_errno});
}

// --- the connection's events ---

void Attempt::OnBytes(Connection& connection, ByteView bytes) {
  if (state_ == State::kDone) return;
  if (state_ != State::kSending) connection.timer.Set(options_.read_timeout);
  receiving_ = true;
  const size_t used = connection.codec.Receive(bytes);
  receiving_ = false;
  if (connection_.get() != &connection) return;
  if (state_ == State::kUpgraded) leftover_.assign(bytes.substr(used));
  AfterReceive(used < bytes.size());
}

void Attempt::OnEnd(Connection& connection) {
  peer_ended_ = true;
  if (state_ == State::kDone) return;
  if (state_ == State::kHandshake) {
    Fail({AttemptFailure::Kind::kError, "peer closed connection in SSL handshake", 0});
    return;
  }
  receiving_ = true;
  connection.codec.ReceiveEnd();
  receiving_ = false;
  if (connection_.get() != &connection) return;
  AfterReceive(false);
}

// What the codec said is acted upon when it has left the stack: its connection may change hands
// now.
void Attempt::AfterReceive(bool extra) {
  if (released_) {
    Release(Keep::kIfClean);
    return;
  }
  if (error_.has_value()) {
    Fail({peer_ended_ ? AttemptFailure::Kind::kError : AttemptFailure::Kind::kInvalidHeader,
          std::string(error_->reason), 0});
    return;
  }
  if (state_ == State::kUpgraded) {
    connection_->timer.Cancel();
    events_.OnAttemptHead({});
    return;
  }
  if (ended_) {
    state_ = State::kDone;
    events_.OnAttemptDone(extra);
  }
}

void Attempt::OnBroken(Connection&, const Error& error) {
  peer_ended_ = true;
  if (state_ != State::kDone) FailWith(error);
}

void Attempt::OnDrained(Connection&) {
  if (state_ == State::kSending) {
    pending_at_timer_ = connection_->stream->pending_output();
    events_.OnAttemptDrained();
  }
}

void Attempt::OnTimer(Connection& connection) {
  const size_t pending = connection.stream->pending_output();
  if (state_ == State::kSending && pending == 0) return;  // it is the client that we wait for
  if (pending > 0 && pending < pending_at_timer_) {
    // The peer takes the request, slowly.
    pending_at_timer_ = pending;
    connection.timer.Set(state_ == State::kSending ? options_.send_timeout : options_.read_timeout);
    return;
  }
  if (pause_.active()) return;
  Fail({AttemptFailure::Kind::kTimeout, "upstream timed out", ETIMEDOUT});
}

// --- the codec's events ---

void Attempt::OnInterimResponse(const http::ResponseHead& head) {
  if (!released_) events_.OnAttemptInterim(head);
}

void Attempt::OnResponseHead(http::BodyFraming framing) {
  if (head_->status == 101) {
    // Announced when the codec has returned, so that its connection can be taken at once.
    state_ = State::kUpgraded;
    return;
  }
  state_ = State::kBody;
  connection_->timer.Set(options_.read_timeout);
  if (!released_) events_.OnAttemptHead(framing);
}

void Attempt::OnResponseBody(ByteView piece) {
  if (!released_) events_.OnAttemptBody(piece);
}

void Attempt::OnResponseEnd(const http::HeaderMap* trailers) {
  ended_ = true;
  if (trailers != nullptr && !released_) events_.OnAttemptTrailers(*trailers);
}

void Attempt::OnResponseError(http::MessageError error) { error_ = error; }

}  // namespace framewall::upstream
