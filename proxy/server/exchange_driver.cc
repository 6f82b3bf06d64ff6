#include "proxy/server/exchange_driver.h"

#include "proxy/base/check.h"
#include "proxy/base/text.h"
#include "proxy/content/static_file.h"
#include "proxy/event/stream.h"
#include "proxy/server/subrequest.h"

namespace framewall::server {

using config::LocationConfig;
using exchange::Action;
using filter::Phase;
using filter::Verdict;
using http::BodyFraming;
using http::FieldId;

ExchangeDriver::ExchangeDriver(Services& services, exchange::Exchange& exchange, ClientSide& client)
    : services_(services), exchange_(exchange), client_(client), response_(exchange, *this) {
  FW_CHECK(filter::Pipeline().size() <= kMaxRows);
  exchange_.driver = this;
}

ExchangeDriver::~ExchangeDriver() {
  if (!logged_ && started_) LogPhase();
  exchange_.driver = nullptr;
}

// --- The walk -----------------------------------------------------------------------------------

void ExchangeDriver::Begin(BodyFraming framing) {
  started_ = true;
  exchange_.framing = framing;
  exchange_.header_only = exchange_.request.method == http::Method::kHead;
  exchange_.expects_continue =
      exchange_.request.version != http::Version::kHttp10 &&
      EqualsIgnoreCase(exchange_.request.fields.Get(FieldId::kExpect), "100-continue");
  exchange_.server = &client_.servers().default_server();
  exchange_.location = &exchange_.server->root;
  exchange_.action = Action::kProcessingRequest;
  step_ = Step::kHost;
  // With a body on its way the walk begins when the read that brought the head is used up: a body
  // that is broken at its start is refused as a whole, and one that came along is there at once.
  if (framing.kind == BodyFraming::Kind::kNone) Walk();
}

void ExchangeDriver::BeginSubrequest() {
  started_ = true;
  request_ended_ = true;
  step_ = Step::kServerRewrite;
  Walk();
}

void ExchangeDriver::OnReceived() {
  if (!walking_ && started_ && !complete_) Walk();
}

void ExchangeDriver::Walk() {
  walking_ = true;
  Advance();
}

void ExchangeDriver::Advance() {
  if (advancing_) return;
  advancing_ = true;
  while (!complete_ && step_ != Step::kDone) {
    const Flow flow = RunStep();
    if (flow == Flow::kOver) {
      if (!std::exchange(restarted_, false)) break;
      continue;
    }
    if (flow == Flow::kWait) {
      if (resume_asked_) {
        resume_asked_ = false;
        continue;
      }
      waiting_ = true;
      break;
    }
  }
  advancing_ = false;
}

void ExchangeDriver::Resume() {
  if (complete_) return;
  if (advancing_) {
    resume_asked_ = true;
    return;
  }
  if (!waiting_) return;
  waiting_ = false;
  Advance();
}

ExchangeDriver::Flow ExchangeDriver::RunStep() {
  const Step step = step_;
  const auto next = [&](Flow flow) {
    // A step that redirected has set step_ itself.
    if (flow == Flow::kNext && step_ == step) {
      step_ = static_cast<Step>(static_cast<uint8_t>(step) + 1);
      row_ = 0;
      paused_row_.reset();
    }
    return flow;
  };
  switch (step) {
    case Step::kHost:
      return next(ResolveHost());
    case Step::kPostRead:
      return next(RunPhase(Phase::kPostRead));
    case Step::kServerRewrite:
      return next(RunRewrite(exchange_.server->root.rewrite));
    case Step::kFindLocation:
      return next(FindLocation());
    case Step::kBeforeRewrite:
      return next(RunPhase(Phase::kBeforeRewrite));
    case Step::kRewrite:
      // The server as a location of last resort has run its program already.
      if (exchange_.location->match == LocationConfig::Match::kServer) return next(Flow::kNext);
      return next(RunRewrite(exchange_.location->rewrite));
    case Step::kPostRewrite:
      if (!exchange_.uri_changed) return next(Flow::kNext);
      exchange_.uri_changed = false;
      if (--exchange_.uri_changes_left <= 0) {
        exchange_.LogError(LogLevel::kError,
                           "rewrite or internal redirection cycle while processing \"" +
                               std::string(exchange_.uri) + "\"");
        RespondWith(500);
        return Flow::kOver;
      }
      exchange_.location = &exchange_.server->root;
      step_ = Step::kFindLocation;
      row_ = 0;
      paused_row_.reset();
      return Flow::kNext;
    case Step::kEarlyBody:
    case Step::kLateBody:
      return next(BodyForFilters());
    case Step::kPreAccess:
      return next(RunPhase(Phase::kPreAccess));
    case Step::kAccess:
      // Whoever asks has been let in, or is being asked about.
      return next(exchange_.is_subrequest() ? Flow::kNext : RunAccessPhase());
    case Step::kPreContent:
      return next(RunPhase(Phase::kPreContent));
    case Step::kTryFiles:
      if (!exchange_.location->try_files.has_value()) return next(Flow::kNext);
      return next(content::RunTryFiles(exchange_) ? Flow::kOver : Flow::kNext);
    case Step::kHandlerBody:
      if (request_ended_) return next(TakeEarlyBody() ? Flow::kNext : Flow::kOver);
      if (!NeedsWholeBody()) return next(Flow::kNext);
      StartCollecting();
      return complete_ || step_ != step ? Flow::kOver : Flow::kWait;
    case Step::kContent:
      return next(StartContent());
    case Step::kDone:
      return Flow::kOver;
  }
  return Flow::kOver;
}

ExchangeDriver::Flow ExchangeDriver::Apply(const Verdict& verdict) {
  switch (verdict.kind) {
    case Verdict::Kind::kContinue:
    case Verdict::Kind::kSatisfied:
      return Flow::kNext;
    case Verdict::Kind::kPause:
      return Flow::kWait;
    case Verdict::Kind::kRespond:
      if (!exchange_.redirect_location.empty()) {
        exchange_.response.fields.Set(FieldId::kLocation,
                                      std::exchange(exchange_.redirect_location, {}));
      }
      RespondWith(verdict.status);
      return Flow::kOver;
    case Verdict::Kind::kAbort:
      CloseClient(event::Stream::CloseKind::kNormal);
      return Flow::kOver;
    case Verdict::Kind::kDone:
      return Flow::kOver;
  }
  return Flow::kOver;
}

// Rows of one phase, from row_ on: after a Pause the walk comes back to the row that paused.
ExchangeDriver::Flow ExchangeDriver::RunPhase(Phase phase) {
  const auto pipeline = filter::Pipeline();
  while (row_ < pipeline.size()) {
    const bool resumed = paused_row_ == row_;
    paused_row_.reset();
    const size_t index = row_++;
    const filter::PipelineRow& row = pipeline[index];
    if (row.phase != phase || (exchange_.is_subrequest() && !row.in_subrequests)) continue;
    const Step step = step_;
    Verdict verdict;
    if (resumed) {
      if (filter_list_[index] == nullptr) continue;
      verdict = filter_list_[index]->OnResumed(exchange_);
    } else if (row.check != nullptr) {
      verdict = row.check(exchange_);
    } else {
      if (filter_made_[index]) continue;
      filter_list_[index] = row.make(exchange_, services_.filters);
      if (filter_list_[index] == nullptr) continue;
      filter_made_[index] = true;
      verdict = filter_list_[index]->OnRequestHead(exchange_);
    }
    const Flow flow = Apply(verdict);
    if (flow == Flow::kWait) paused_row_ = row_ = index;
    if (flow != Flow::kNext || step_ != step) return flow;
  }
  return Flow::kNext;
}

// --- The end ------------------------------------------------------------------------------------

void ExchangeDriver::OnClientGone(bool reset) {
  if (complete_ || client_gone_) return;
  client_gone_ = true;
  if (!reset && handler_ != nullptr && handler_->OnClientGone()) return;
  if (!reset && handler_ == nullptr && exchange_.head_sent) return;
  if (reset && handler_ != nullptr && handler_->OnClientGone()) {
    // proxy_ignore_client_abort: the upstream's work goes on, what it answers is lost.
    return;
  }
  exchange_.client_aborted = true;
  exchange_.keep_alive = false;
  // nginx's: a request that broke off was a bad one, another's client has left.
  if (!exchange_.head_sent) exchange_.error_status = request_ended_ ? 499 : 400;
  CloseClient(event::Stream::CloseKind::kNormal);
}

void ExchangeDriver::OnBodyTimeout() {
  if (complete_) return;
  exchange_.LogError(LogLevel::kInfo, "client timed out (110: Connection timed out)");
  exchange_.keep_alive = false;
  exchange_.body_discarded = true;
  if (exchange_.head_sent) return AbortResponse();
  exchange_.error_status = 408;
  RespondWith(408);
}

void ExchangeDriver::OnSendTimeout() {
  if (complete_) return;
  exchange_.LogError(LogLevel::kInfo, "client timed out (110: Connection timed out)");
  exchange_.client_aborted = true;
  CloseClient(exchange_.settings().core.reset_timedout_connection
                  ? event::Stream::CloseKind::kReset
                  : event::Stream::CloseKind::kNormal);
}

void ExchangeDriver::OnConnectionClosed() {
  complete_ = true;
  if (relay_ != nullptr && !logged_) {
    relay_->Stop();
    CountRelay();
  }
  if (handler_ != nullptr) handler_->Abandon();
  if (started_) LogPhase();
  DropHandler();
}

std::unique_ptr<exchange::Subrequest> ExchangeDriver::StartSubrequest(
    const exchange::SubrequestOptions& options, exchange::SubrequestCallback callback) {
  return server::StartSubrequest(services_, exchange_, options, std::move(callback));
}

event::Stream* ExchangeDriver::TakeStreamForTunnel(std::string* client_leftover) {
  in_tunnel_ = true;
  return client_.TakeStreamForTunnel(client_leftover);
}

void ExchangeDriver::TunnelDone(uint64_t client_bytes_sent) {
  if (complete_) return;
  tunnel_bytes_ = client_bytes_sent;
  exchange_.keep_alive = false;
  in_tunnel_ = false;
  complete_ = true;
  LogPhase();
  DropHandler();
  CloseClient(event::Stream::CloseKind::kNormal);
}

bool ExchangeDriver::StartRelay(exchange::SocketHandover handover) {
  std::string from_client;
  const std::string from_upstream = std::move(handover.from_upstream);
  event::Stream* client = TakeStreamForTunnel(&from_client);
  if (client == nullptr) return false;
  for (std::unique_ptr<filter::Filter>& one : filter_list_) {
    if (one != nullptr && !one->OnUpgraded(exchange_)) services_.loop->Retire(std::move(one));
  }
  relay_ = std::make_unique<Relay>(services_, exchange_, *client, std::move(handover),
                                   [this] { OnRelayDone(); });
  if (auto kept = handler_->KeepForSocket()) {
    services_.loop->Retire(std::exchange(handler_, std::move(kept)));
  }
  // No more fields come: the copies take no more room than they need.
  exchange_.request.fields = http::HeaderMap(exchange_.request.fields);
  exchange_.response.fields = http::HeaderMap(exchange_.response.fields);
  relay_->Start(from_client, from_upstream);
  return true;
}

void ExchangeDriver::CountRelay() {
  if (handler_ != nullptr) {
    handler_->OnSocketDone(relay_->sent_to_upstream(), relay_->received_from_upstream());
  }
  tunnel_bytes_ = relay_->sent_to_client();
}

void ExchangeDriver::OnRelayDone() {
  CountRelay();
  TunnelDone(tunnel_bytes_);
}

// Nothing more is heard or said in this exchange; its log phase runs when the connection goes.
void ExchangeDriver::CloseClient(event::Stream::CloseKind kind) {
  complete_ = true;
  client_.CloseNow(kind);
}

void ExchangeDriver::OnResponseComplete() {
  DiscardRequestBody();
  Complete();
}

void ExchangeDriver::Complete() {
  if (complete_) return;
  complete_ = true;
  if (handler_ != nullptr) handler_->Abandon();
  LogPhase();
  DropHandler();
  client_.ExchangeDone();
}

void ExchangeDriver::LogPhase() {
  if (logged_) return;
  logged_ = true;
  exchange_.action = Action::kLogging;
  http::ServerCodec& codec = client_.codec();
  exchange_.bytes_sent = codec.bytes_sent(client_.stream_id()) + tunnel_bytes_;
  exchange_.body_bytes_sent = codec.body_bytes_sent(client_.stream_id()) + tunnel_bytes_;
  exchange_.request_length = codec.bytes_received(client_.stream_id());
  for (const auto& one : filter_list_) {
    if (one != nullptr) one->OnLog(exchange_);
  }
  const bool is_shown = !exchange_.is_subrequest() || exchange_.settings().log.log_subrequest;
  if (is_shown && services_.access_logs != nullptr && exchange_.location != nullptr) {
    services_.access_logs->Write(exchange_);
  }
  if (exchange_.is_subrequest()) return;
  services_.metrics->RequestDone(exchange_);
  if (exchange_.settings().core.client_body_in_file_only == config::BodyInFile::kClean) {
    exchange_.body.RemoveFile();
  }
}

}  // namespace framewall::server
