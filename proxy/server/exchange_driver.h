// Walks one exchange through the phases of docs/life-of-a-request.md; the only caller of filters.
//
//   exchange_driver.cc  the walk from step to step, and the end with its log phase
//   driver_location.cc  host, server, rewriting, location
//   driver_body.cc      the request body: collected, shown to filters, streamed, discarded
//   driver_answers.cc   what handlers say, redirects, error_page, built-in pages
//   driver_access.cc    the access phase: satisfy, checks that wait, auth_delay
//
// Internal redirects (error_page, try_files, X-Accel-Redirect, index) go back to find-location.
#pragma once

#include <array>
#include <bitset>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "proxy/content/handler.h"
#include "proxy/event/stream.h"
#include "proxy/event/timer.h"
#include "proxy/exchange/driver.h"
#include "proxy/exchange/exchange.h"
#include "proxy/filter/filter.h"
#include "proxy/filter/pipeline.h"
#include "proxy/http/codec.h"
#include "proxy/route/server_select.h"
#include "proxy/server/relay.h"
#include "proxy/server/response_path.h"
#include "proxy/server/services.h"

namespace framewall::server {

// The connection, as its exchange's driver needs it.
class ClientSide {
 public:
  virtual ~ClientSide() = default;
  virtual http::ServerCodec& codec() = 0;
  virtual http::StreamId stream_id() const = 0;
  virtual event::Stream* stream() = 0;
  virtual const route::AddressServers& servers() const = 0;
  // Bytes may come again, or must not, until the other is asked.
  virtual void PauseBody(bool pause) = 0;
  // The body of this request is awaited; arms client_body_timeout until it is whole.
  virtual void AwaitBody(Milliseconds timeout) = 0;
  virtual bool congested() const = 0;
  // Response bytes were produced; arms send_timeout while they do not leave.
  virtual void AwaitSend(Milliseconds timeout) = 0;
  // The exchange is over and logged. Not called from inside a codec's Receive: then the driver's
  // `complete()` says so.
  virtual void ExchangeDone() = 0;
  // Ends the connection without an answer.
  virtual void CloseNow(event::Stream::CloseKind kind) = 0;
  virtual event::Stream* TakeStreamForTunnel(std::string* leftover) = 0;
};

class ExchangeDriver final : public exchange::Driver, private ResponseOwner {
 public:
  ExchangeDriver(Services& services, exchange::Exchange& exchange, ClientSide& client);
  ~ExchangeDriver() override;

  // --- From the connection ---
  void Begin(http::BodyFraming framing);
  // Instead of Begin: the exchange has become a subrequest (Exchange::BeginAsSubrequest).
  void BeginSubrequest();
  // The read that brought the last events is used up.
  void OnReceived();
  void OnRequestBody(ByteView piece);
  void OnRequestEnd(const http::HeaderMap* trailers);
  // The request is unacceptable: an answer with `error.status`, or a close without one.
  void OnRequestError(const http::MessageError& error);
  void OnClientDrained();
  // The client closed (FIN seen while we work, or reset).
  void OnClientGone(bool reset);
  // A deadline of the client passed; `status` 408 while the body is awaited.
  void OnBodyTimeout();
  void OnSendTimeout();
  // The connection is going: the log phase runs now, if it has not.
  void OnConnectionClosed();
  bool complete() const { return complete_; }
  bool in_tunnel() const { return in_tunnel_; }
  // The WebSocket that the exchange has become; null where it has not.
  Relay* relay() { return relay_.get(); }
  bool request_ended() const { return request_ended_; }

  // --- exchange::Driver ---
  void Resume() override;
  void SendInterim(const http::ResponseHead& head) override;
  void SendHead() override;
  void SendBody(ByteView piece) override;
  void SendEnd(const http::HeaderMap* trailers) override;
  bool congested() const override;
  void Finish(int status) override;
  void AbortResponse() override;
  void SendWhole(int status, std::string_view content_type, std::string_view body) override;
  void Redirect(int status, std::string_view location) override;
  void InternalRedirect(std::string_view uri, std::string_view args) override;
  void NamedRedirect(std::string_view name) override;
  void WantRequestBody(bool want) override;
  event::Stream* TakeStreamForTunnel(std::string* client_leftover) override;
  void TunnelDone(uint64_t client_bytes_sent) override;
  bool StartRelay(exchange::SocketHandover handover) override;
  std::unique_ptr<exchange::Subrequest> StartSubrequest(
      const exchange::SubrequestOptions& options, exchange::SubrequestCallback callback) override;
  event::EventLoop& loop() override { return *services_.loop; }

 private:
  // Where the walk is; each Advance step either moves on or waits.
  enum class Step : uint8_t {
    kHost,
    kPostRead,
    kServerRewrite,
    kFindLocation,
    kBeforeRewrite,
    kRewrite,
    kPostRewrite,
    kEarlyBody,
    kPreAccess,
    kAccess,
    kPreContent,
    kLateBody,
    kTryFiles,
    kHandlerBody,
    kContent,
    kDone,
  };
  enum class Flow : uint8_t { kNext, kWait, kOver };

  void Walk();
  void Advance();
  Flow RunStep();
  Flow RunPhase(filter::Phase phase);
  Flow RunAccessPhase();
  filter::Verdict AskAccessRow(size_t index);
  Flow RefuseAccess(int status);
  // What a verdict means outside the access phase.
  Flow Apply(const filter::Verdict& verdict);
  Flow ResolveHost();
  Flow CheckClientCertificate();
  Flow EnterLocation(const config::LocationConfig& location);
  void GoTo(Step step);
  Flow RunRewrite(const config::RewriteProgram& program);
  Flow FindLocation();
  // Waits until the body is whole where a filter wants it, then shows it to those filters.
  Flow BodyForFilters();
  Flow RunBodyFilters();
  Flow StartContent();
  bool NeedsWholeBody() const;
  void StartCollecting();
  void ConfigureBody();
  void SendContinueIfAwaited();
  bool RefuseLargeBody();
  bool StoreBody(ByteView piece);
  bool TakeEarlyBody();
  void PassEarlyBody();
  void TellHandlerEnd();
  void DiscardRequestBody();
  void DropHandler();
  void ResetForRedirect();
  void RespondWith(int status);
  bool ApplyErrorPage(int status);
  void SendBuiltin(int status);
  void ApplyLateVerdict();
  void CloseClient(event::Stream::CloseKind kind);
  void Complete();
  void LogPhase();
  void OnRelayDone();
  void CountRelay();

  // --- ResponseOwner ---
  std::span<const std::unique_ptr<filter::Filter>> filters() override { return filter_list_; }
  http::ServerCodec& codec() override { return client_.codec(); }
  http::StreamId stream_id() const override { return client_.stream_id(); }
  void OnResponseVerdict(const filter::Verdict& verdict) override;
  void OnResponseComplete() override;
  void OnRateAllows() override {
    if (!complete_ && !client_.congested() && handler_ != nullptr) handler_->OnClientDrained();
  }
  event::EventLoop& event_loop() override { return *services_.loop; }

  Services& services_;
  exchange::Exchange& exchange_;
  ClientSide& client_;
  ResponsePath response_;
  std::unique_ptr<content::ContentHandler> handler_;
  std::unique_ptr<Relay> relay_;
  // By row of the pipeline; null where a row is off or has no state.
  static constexpr size_t kMaxRows = 16;
  std::array<std::unique_ptr<filter::Filter>, kMaxRows> filter_list_;
  std::bitset<kMaxRows> filter_made_;
  std::bitset<kMaxRows> filter_saw_body_;
  size_t row_ = 0;
  // The row that paused, to be asked what has come of it.
  std::optional<size_t> paused_row_;
  Step step_ = Step::kHost;
  bool advancing_ = false;
  bool waiting_ = false;
  bool resume_asked_ = false;
  bool restarted_ = false;  // a redirect set step_ while the walk was running
  int access_status_ = 0;
  std::unique_ptr<event::Timer> auth_delay_;

  bool collecting_ = false;
  bool streaming_body_ = false;  // pieces go to the handler
  bool handler_wants_body_ = false;
  bool request_ended_ = false;
  bool handler_told_end_ = false;
  uint64_t body_received_ = 0;
  bool sent_continue_ = false;
  // Body that came before anybody asked for it; at most one read.
  std::string early_body_;
  Arena trailer_arena_{512};  // takes no memory until there are trailers
  http::HeaderMap request_trailers_{&trailer_arena_};

  std::unique_ptr<event::Timer> late_verdict_;
  std::optional<filter::Verdict> pending_verdict_;

  bool started_ = false;
  bool walking_ = false;
  bool complete_ = false;
  uint64_t tunnel_bytes_ = 0;
  bool in_tunnel_ = false;
  bool logged_ = false;
  bool client_gone_ = false;
};

}  // namespace framewall::server
