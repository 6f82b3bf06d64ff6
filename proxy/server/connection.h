// One client connection: its stream, its codec and its exchanges, one after the other.
//
//   kPreface   reading a PROXY protocol header, shaking hands (TLS), or nothing has come yet
//   kIdle      waiting for a request (keep-alive)
//   kHead      a part of a request head is here
//   kExchange  a request is being served
//   kDiscard   answered; the rest of the request's body is read and thrown away
//   kLingering answered and our end is sent; reading until the client closes, so that no RST
//   destroys
//              the answer on its way
//   kClosing   everything is said; waits until the kernel has taken it
//   kTunnel    the stream belongs to a tunnel
//   kClosed    gone; destroyed at the end of the turn
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "proxy/event/stream.h"
#include "proxy/event/timer.h"
#include "proxy/http/http1/server_codec.h"
#include "proxy/server/exchange_driver.h"
#include "proxy/server/services.h"
#include "proxy/tls/context.h"

namespace framewall::server {

// Where a connection was accepted.
struct AcceptContext {
  const route::AddressServers* servers = nullptr;
  // Null for plain text.
  const tls::ServerTlsContext* tls = nullptr;
  const tls::ServerTlsHooks* tls_hooks = nullptr;
};

class Connection final : public event::StreamHandler,
                         public http::CodecOutput,
                         public http::ServerCodecEvents,
                         public ClientSide {
 public:
  // Takes over `fd`. Services and what `accept` names outlive it. `number`: $connection.
  Connection(Services& services, const AcceptContext& accept, int fd, const SocketAddress& local,
             const SocketAddress& peer, uint64_t number);
  ~Connection() override;

  // The worker drains: an idle connection closes, another after its exchange.
  void Drain();
  // worker_shutdown_timeout has passed. A WebSocket is told so first, and gone a second later at
  // most, unless it must be `at_once`.
  void ForceClose(bool at_once);

  // --- StreamHandler ---
  void OnBytes(ByteView bytes) override;
  void OnEnd() override;
  void OnBroken(const Error& error) override;
  void OnDrained() override;
  void OnAllSent() override;
  void OnSecured() override;

  // --- CodecOutput ---
  void WriteBytes(std::span<const ByteView> pieces) override { stream_->Write(pieces); }

  // --- ServerCodecEvents ---
  http::RequestHead& NewRequestHead(http::StreamId stream) override;
  void OnRequestHead(http::StreamId stream, http::BodyFraming framing) override;
  void OnRequestBody(http::StreamId stream, ByteView piece) override;
  void OnRequestEnd(http::StreamId stream, const http::HeaderMap* trailers) override;
  void OnRequestError(http::StreamId stream, http::MessageError error) override;
  void OnStreamReset(http::StreamId) override {}

  // --- ClientSide ---
  http::ServerCodec& codec() override { return codec_; }
  http::StreamId stream_id() const override { return 1; }
  event::Stream* stream() override { return stream_.get(); }
  const route::AddressServers& servers() const override { return *accept_.servers; }
  void PauseBody(bool pause) override;
  void AwaitBody(Milliseconds timeout) override;
  bool congested() const override { return stream_->congested(); }
  void AwaitSend(Milliseconds timeout) override;
  void ExchangeDone() override;
  void CloseNow(event::Stream::CloseKind kind) override;
  event::Stream* TakeStreamForTunnel(std::string* leftover) override;

 private:
  enum class State : uint8_t {
    kPreface,
    kIdle,
    kHead,
    kExchange,
    kDiscard,
    kLingering,
    kClosing,
    kTunnel,
    kClosed,
  };

  void ReadPreface(ByteView bytes);
  void Feed(ByteView bytes);
  // After each Receive and each asynchronous end of an exchange: what comes next.
  void FinishExchange();
  void BeginIdle();
  void CloseGracefully();
  void SetState(State state);
  void OnTimer();
  void OnSendTimer();
  void CancelTimers();
  // What the kernel has taken so far.
  uint64_t SentOctets() const { return stream_->bytes_sent() - stream_->pending_output(); }
  const config::CoreSettings& core() const;
  const config::ServerSettings& default_server_settings() const;

  Services& services_;
  const AcceptContext accept_;
  State state_ = State::kPreface;
  exchange::ConnectionInfo info_;
  std::unique_ptr<event::Stream> stream_;
  exchange::Exchange exchange_;
  http::Http1ServerCodec codec_;
  std::optional<ExchangeDriver> driver_;
  // Bytes of requests behind the current one, and of an unfinished PROXY protocol header.
  std::string input_;
  event::ReadPause pause_;
  // None once the stream belongs to a tunnel.
  std::optional<event::Timer> timer_;
  std::optional<event::Timer> send_timer_;
  uint64_t sent_at_last_check_ = 0;
  Milliseconds send_timeout_{0};
  Milliseconds body_timeout_{0};  // while a body is awaited; 0: none is
  SteadyTime lingering_until_{};
  bool proxy_protocol_pending_ = false;
  bool receiving_ = false;
  bool body_pause_wanted_ = false;
  bool client_ended_ = false;
};

}  // namespace framewall::server
