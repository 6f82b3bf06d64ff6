// proxy_pass: asks an upstream, again where that is safe, and streams both ways.
//
//   proxy_handler.cc   which upstream; tries, and what follows one that failed
//   proxy_request.cc   the request and its body towards the upstream
//   proxy_response.cc  the response from its head to its end
//   proxy_upgrade.cc   101: a WebSocket goes to the relay, another protocol through a tunnel
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/content/handler.h"
#include "proxy/content/proxy_plan.h"
#include "proxy/content/request_rewrite.h"
#include "proxy/content/tunnel.h"
#include "proxy/content/websocket_handshake.h"
#include "proxy/event/resolver.h"
#include "proxy/event/timer.h"
#include "proxy/upstream/attempt.h"
#include "proxy/upstream/group.h"
#include "proxy/upstream/runtime.h"

namespace framewall::content {

// From the first octet to the last:
//
//   Start ─ Prepare ─ (resolve) ─ Try ─► SendRequest ─► response head ─► body ─► done
//              │                   ▲ └── failed before the head: again, or 502/504
//              └ collects a body   └──── the status asks for the next server
//                of unknown length for an HTTP/1.0 upstream
//
// The response's pieces go to the driver as they come. A client that is slower than the upstream
// pauses it, so that memory is bounded with proxy_buffering on and off alike; the sizes of nginx's
// buffers and temporary files are accepted and have no meaning here.
class ProxyHandler final : public ContentHandler,
                           private upstream::AttemptEvents,
                           private event::Flushable {
 public:
  ProxyHandler(exchange::Exchange& exchange, upstream::Runtime& runtime);
  ~ProxyHandler() override;

  void Start() override;
  void OnRequestBody(ByteView piece) override;
  void OnRequestEnd(const http::HeaderMap* trailers) override;
  void OnClientDrained() override;
  bool OnClientGone() override;
  std::unique_ptr<ContentHandler> KeepForSocket() override;
  void Abandon() override { Stop(); }

 private:
  enum class BodySource : uint8_t { kNone, kText, kCollected, kStreamed };

  // --- proxy_handler.cc ---
  void Prepare();
  void ChooseBody();
  void ChooseGroup();
  void Resolve(std::string_view name, uint16_t port);
  void UseAddresses(std::vector<SocketAddress> addresses);
  void BeginWith(upstream::Group& group);
  void Try();
  upstream::AttemptOptions MakeOptions(const upstream::Peer& peer);
  void NextOrFinish(uint32_t condition, int status, upstream::Group::Outcome outcome);
  void EndTry(upstream::Group::Outcome outcome, upstream::Attempt::Keep keep);
  void Fail(int status);
  void Stop();
  exchange::UpstreamRecord& record() { return exchange_.upstream.back(); }
  // In milliseconds.
  static int64_t Elapsed(SteadyTime since);

  // --- proxy_request.cc ---
  void SendRequest();
  void PumpBody();
  void RequestSent();
  void Remember(ByteView piece);
  void SendChunk(ByteView piece);
  void AskFlush();
  void Flush() override;

  // --- proxy_response.cc ---
  bool InterceptError();
  bool FollowAccelRedirect();
  void PassHead(http::BodyFraming framing);
  void PassAsRateAllows();
  void FinishResponse();

  // --- proxy_upgrade.cc ---
  void BeginUpgraded();
  void RefuseUpgraded(std::string_view why);
  void BeginSocket();
  void BeginTunnel();
  void OnTunnelDone();

  // --- upstream::AttemptEvents ---
  void OnAttemptConnected() override {
    exchange_.action = exchange::Action::kTlsHandshakeToUpstream;
  }
  void OnAttemptReady() override;
  void OnAttemptFailed(const upstream::AttemptFailure& failure) override;
  void OnAttemptInterim(const http::ResponseHead& head) override;
  void OnAttemptHead(http::BodyFraming framing) override;
  void OnAttemptBody(ByteView piece) override;
  void OnAttemptTrailers(const http::HeaderMap& trailers) override;
  void OnAttemptDone(bool extra) override;
  void OnAttemptDrained() override;

  exchange::Exchange& exchange_;
  upstream::Runtime& runtime_;
  // As it was when we began: a redirect moves the exchange elsewhere.
  const config::LocationConfig& location_;
  const config::ProxySettings& settings_;
  const ProxyPlan& plan_;
  ProxyDestination destination_;
  http::RequestHead request_;
  http::ResponseHead head_;
  RewrittenRequest rewritten_;
  http::RequestFraming framing_;
  std::string head_text_;

  std::unique_ptr<event::Resolver::Query> query_;
  std::unique_ptr<upstream::Group> own_group_;  // of addresses found for this request alone
  upstream::Group* group_ = nullptr;
  upstream::Selection selection_;
  const upstream::Peer* peer_ = nullptr;
  upstream::Attempt attempt_;
  SteadyTime first_started_{};
  SteadyTime try_started_{};

  BodySource body_ = BodySource::kNone;
  std::string_view body_text_;
  std::string piece_;  // of a body that lies in a file
  std::string chunk_frame_;
  std::string small_pieces_;
  bool flush_asked_ = false;
  uint64_t body_offset_ = 0;  // of a collected body: what was sent
  bool collecting_ = false;   // for an HTTP/1.0 upstream
  bool sending_ = false;      // the request is on its way and not whole
  bool body_taken_ = false;   // a streamed piece is gone: no second try
  bool body_ended_ = false;
  bool forgotten_ = false;         // a streamed body was too long to be remembered
  bool keeps_connection_ = false;  // what we sent does not ask to close
  bool head_passed_ = false;
  bool over_ = false;  // the driver must not be called any more
  // proxy_limit_rate; 0: none
  uint64_t rate_ = 0;
  uint64_t passed_ = 0;
  std::string held_;  // read, and not yet allowed to pass
  SteadyTime body_started_{};
  std::unique_ptr<event::Timer> rate_timer_;
  bool response_whole_ = false;
  std::optional<http::HeaderMap> trailers_;
  std::unique_ptr<WebSocketHandshake> handshake_;  // of a WebSocket
  std::unique_ptr<Tunnel> tunnel_;                 // of another protocol
  uint64_t tunnel_early_ = 0;  // octets that came with the 101, counted as the attempt's already
};

// `exchange` and `runtime` outlive the handler. The handler lives until the exchange has been
// logged: $upstream_http_* are views of its response head.
std::unique_ptr<ContentHandler> MakeProxyHandler(exchange::Exchange& exchange,
                                                 upstream::Runtime& runtime);

}  // namespace framewall::content
