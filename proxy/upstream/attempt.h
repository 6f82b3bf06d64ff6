// Attempt: one try to get an answer from one peer: connect (or take an idle connection), shake
// hands, send, receive. It decides nothing: whether to try again is its owner's business.
//
//   kIdle ─ Begin ─► kConnecting ─► kHandshake ─► kSending ─ RequestSent ─► kWaiting ─► kBody ─►
//   kDone
//                        └─────────── an idle connection ───┘                    (or kUpgraded)
//   From any state: OnAttemptFailed, once; the connection is then closed. Release ends everything.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/parse.h"
#include "proxy/event/connector.h"
#include "proxy/http/http1/client_codec.h"
#include "proxy/tls/context.h"
#include "proxy/upstream/connection.h"
#include "proxy/upstream/peer.h"
#include "proxy/upstream/peer_pool.h"

namespace framewall::upstream {

// TLS of one connection.
struct TlsHop {
  const tls::ClientTlsContext* context = nullptr;  // null: plain text
  std::string name;                     // sent as SNI and compared with the certificate; no port
  tls::SessionSlot* session = nullptr;  // outlives the connection; null: no resumption
  tls::CertificatePair certificate;     // where the context has none of its own
};

struct AttemptOptions {
  Milliseconds connect_timeout{60000};
  Milliseconds send_timeout{60000};
  Milliseconds read_timeout{60000};
  size_t head_limit = 4096;
  event::ConnectOptions connect;  // its timeout is ours
  std::string local;              // proxy_bind's text: connections are told apart by it
  TlsHop tls;
};

struct AttemptFailure {
  enum class Kind : uint8_t {
    kError,          // refused, reset, closed too early, handshake failed
    kTimeout,        // connecting, sending or waiting took too long
    kInvalidHeader,  // an answer that is no acceptable response
    kInternal,       // our own fault: a certificate that does not load; no peer can help
  };
  Kind kind = Kind::kError;
  std::string message;  // nginx's words, for the error log; empty: nothing to add
  int system_errno = 0;
};

class AttemptEvents {
 public:
  virtual ~AttemptEvents() = default;
  // The TCP connection stands; TLS begins. For the log's action only.
  virtual void OnAttemptConnected() {}
  // The request may be sent. Not called where Begin said kReady.
  virtual void OnAttemptReady() = 0;
  virtual void OnAttemptFailed(const AttemptFailure& failure) = 0;
  virtual void OnAttemptInterim(const http::ResponseHead& head) = 0;
  // The head given to ExpectResponse is complete. Release may be called from inside.
  virtual void OnAttemptHead(http::BodyFraming framing) = 0;
  virtual void OnAttemptBody(ByteView piece) = 0;
  // The trailers, before OnAttemptDone, where there are any; valid for the call.
  virtual void OnAttemptTrailers(const http::HeaderMap& trailers) = 0;
  // The response is whole. `extra`: the peer sent more than that.
  virtual void OnAttemptDone(bool extra) = 0;
  // Not congested any more: more of the request may be sent.
  virtual void OnAttemptDrained() = 0;
};

class Attempt final : private Connection::Owner, private http::ClientCodecEvents {
 public:
  // Both outlive the attempt.
  Attempt(event::EventLoop& loop, AttemptEvents& events);
  ~Attempt() override;

  enum class Start { kReady, kPending };
  // `pool` may be null. The peer's address is copied. kReady: an idle connection was at hand.
  Start Begin(const Peer& peer, PeerPool* pool, AttemptOptions options);

  // --- Requires: ready. ---
  // Says what answer is expected. Before the first Send.
  void ExpectResponse(http::Method method, http::ResponseHead* head);
  // Queues a part of the request.
  void Send(std::span<const ByteView> pieces);
  // Everything was sent: from now on the peer is waited for.
  void RequestSent();
  bool congested() const { return connection_ != nullptr && connection_->stream->congested(); }

  // More body than the client takes; the read timeout rests meanwhile.
  void PauseReading();
  void ResumeReading();

  // The end, whatever happened: the connection goes back to the pool where it is clean and `keep`
  // says so, else it is closed.
  enum class Keep { kNo, kIfClean };
  void Release(Keep keep);

  // After a head with 101: the connection, and what the peer sent after the head. The attempt is
  // then at its end.
  std::unique_ptr<Connection> TakeUpgraded(std::string* leftover);

  bool active() const { return state_ != State::kIdle; }
  bool reused() const { return reused_; }
  // A byte of the request may have left.
  bool request_begun() const { return request_begun_; }
  // Of this attempt alone, also on a connection that served others before.
  uint64_t bytes_sent() const;
  uint64_t bytes_received() const;

 private:
  enum class State : uint8_t {
    kIdle,
    kConnecting,
    kHandshake,
    kSending,
    kWaiting,
    kBody,
    kUpgraded,
    kDone,
  };

  void Connected(Result<std::unique_ptr<event::Stream>> result);
  void Adopt(std::unique_ptr<Connection> connection);
  void Ready();
  void Fail(AttemptFailure failure);
  void FailWith(const Error& error);
  void AfterReceive(bool extra);
  Connection::Identity MakeIdentity() const;
  void DropConnection(bool keep);

  // Connection::Owner
  void OnBytes(Connection& connection, ByteView bytes) override;
  void OnEnd(Connection& connection) override;
  void OnBroken(Connection& connection, const Error& error) override;
  void OnDrained(Connection& connection) override;
  void OnSecured(Connection& connection) override;
  void OnTimer(Connection& connection) override;
  // http::ClientCodecEvents
  void OnInterimResponse(const http::ResponseHead& head) override;
  void OnResponseHead(http::BodyFraming framing) override;
  void OnResponseBody(ByteView piece) override;
  void OnResponseEnd(const http::HeaderMap* trailers) override;
  void OnResponseError(http::MessageError error) override;

  event::EventLoop& loop_;
  AttemptEvents& events_;
  AttemptOptions options_;
  SocketAddress address_;
  PeerPool* pool_ = nullptr;
  std::unique_ptr<event::Connector> connector_;
  std::unique_ptr<Connection> connection_;
  event::ReadPause pause_;
  http::ResponseHead* head_ = nullptr;
  State state_ = State::kIdle;
  bool reused_ = false;
  bool request_begun_ = false;
  bool request_sent_ = false;
  bool receiving_ = false;  // the codec is on the stack
  bool ended_ = false;      // it said that the response is whole
  bool peer_ended_ = false;
  bool released_ = false;  // Release was called while the codec was on the stack
  std::optional<http::MessageError> error_;
  std::string leftover_;
  size_t pending_at_timer_ = 0;
  uint64_t sent_before_ = 0;
  uint64_t received_before_ = 0;
  uint64_t sent_at_end_ = 0;
  uint64_t received_at_end_ = 0;
};

}  // namespace framewall::upstream
