#include "proxy/server/exchange_driver.h"

#include "proxy/base/check.h"
#include "proxy/base/encoding.h"
#include "proxy/base/text.h"
#include "proxy/content/absolute_location.h"
#include "proxy/content/builtin_page.h"
#include "proxy/content/media_type.h"
#include "proxy/content/proxy_handler.h"
#include "proxy/content/static_file.h"
#include "proxy/content/status_page.h"
#include "proxy/event/stream.h"
#include "proxy/http/status.h"
#include "proxy/http/target.h"
#include "proxy/route/rewrite_program.h"
#include "proxy/server/small_answers.h"

namespace framewall::server {

using config::ContentKind;
using config::LocationConfig;
using exchange::Action;
using filter::Phase;
using filter::Verdict;
using http::BodyFraming;
using http::FieldId;

ExchangeDriver::ExchangeDriver(Services& services, exchange::Exchange& exchange, ClientSide& client)
    : services_(services),
      exchange_(exchange),
      client_(client),
      response_(exchange, *this) {
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
    }
    return flow;
  };
  switch (step) {
    case Step::kHost: return next(ResolveHost());
    case Step::kPostRead: return next(RunPhase(Phase::kPostRead));
    case Step::kServerRewrite: return next(RunRewrite(exchange_.server->root.rewrite));
    case Step::kFindLocation: return next(FindLocation());
    case Step::kBeforeRewrite: return next(RunPhase(Phase::kBeforeRewrite));
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
      return Flow::kNext;
    case Step::kEarlyBody:
    case Step::kLateBody: return next(BodyForFilters());
    case Step::kPreAccess: return next(RunPhase(Phase::kPreAccess));
    case Step::kAccess: return next(RunAccessPhase());
    case Step::kPreContent: return next(RunPhase(Phase::kPreContent));
    case Step::kTryFiles:
      if (!exchange_.location->try_files.has_value()) return next(Flow::kNext);
      return next(content::RunTryFiles(exchange_) ? Flow::kOver : Flow::kNext);
    case Step::kHandlerBody:
      if (request_ended_) return next(TakeEarlyBody() ? Flow::kNext : Flow::kOver);
      if (!NeedsWholeBody()) return next(Flow::kNext);
      StartCollecting();
      return complete_ || step_ != step ? Flow::kOver : Flow::kWait;
    case Step::kContent: return next(StartContent());
    case Step::kDone: return Flow::kOver;
  }
  return Flow::kOver;
}

ExchangeDriver::Flow ExchangeDriver::Apply(const Verdict& verdict) {
  switch (verdict.kind) {
    case Verdict::Kind::kContinue:
    case Verdict::Kind::kSatisfied: return Flow::kNext;
    case Verdict::Kind::kPause: return Flow::kWait;
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
    case Verdict::Kind::kDone: return Flow::kOver;
  }
  return Flow::kOver;
}

// Rows of one phase, from row_ on: after a Pause the walk comes back to the row behind it.
ExchangeDriver::Flow ExchangeDriver::RunPhase(Phase phase) {
  const auto pipeline = filter::Pipeline();
  while (row_ < pipeline.size()) {
    const size_t index = row_++;
    const filter::PipelineRow& row = pipeline[index];
    if (row.phase != phase) continue;
    const Step step = step_;
    Verdict verdict;
    if (row.check != nullptr) {
      verdict = row.check(exchange_);
    } else {
      if (filter_made_[index]) continue;
      filter_list_[index] = row.make(exchange_, services_.filters);
      if (filter_list_[index] == nullptr) continue;
      filter_made_[index] = true;
      verdict = filter_list_[index]->OnRequestHead(exchange_);
    }
    const Flow flow = Apply(verdict);
    if (flow != Flow::kNext || step_ != step) return flow;
  }
  return Flow::kNext;
}

ExchangeDriver::Flow ExchangeDriver::RunAccessPhase() {
  const bool any = exchange_.settings().core.satisfy == config::Satisfy::kAny;
  const auto pipeline = filter::Pipeline();
  while (row_ < pipeline.size()) {
    const filter::PipelineRow& row = pipeline[row_++];
    if (row.phase != Phase::kAccess) continue;
    const Verdict verdict = row.check(exchange_);
    if (verdict.kind == Verdict::Kind::kSatisfied && any) {
      access_status_ = 0;
      exchange_.response.fields.Remove(FieldId::kWwwAuthenticate);
      return Flow::kNext;
    }
    const bool refused = verdict.kind == Verdict::Kind::kRespond &&
                         (verdict.status == 401 || verdict.status == 403);
    if (refused && any) {
      if (access_status_ != 401) access_status_ = verdict.status;
      continue;
    }
    if (refused && verdict.status == 403) {
      exchange_.LogError(LogLevel::kError, "access forbidden by rule");
    }
    const Flow flow = Apply(verdict);
    if (flow != Flow::kNext) return flow;
  }
  if (access_status_ == 0) return Flow::kNext;
  if (access_status_ == 403) exchange_.LogError(LogLevel::kError, "access forbidden by rule");
  const int status = std::exchange(access_status_, 0);
  RespondWith(status);
  return Flow::kOver;
}

// --- Head to location ---------------------------------------------------------------------------

ExchangeDriver::Flow ExchangeDriver::ResolveHost() {
  const auto refuse = [this](int status, std::string_view reason) {
    exchange_.LogError(LogLevel::kInfo, reason);
    exchange_.keep_alive = false;
    RespondWith(status);
    return Flow::kOver;
  };
  const http::RequestHead& request = exchange_.request;
  if (request.method == http::Method::kConnect) return refuse(405, "client sent CONNECT method");
  auto target = http::ParseTarget(request.target, false);
  if (!target.ok()) return refuse(400, "client sent invalid request: " + target.error().message);
  exchange_.target = *target;
  if (exchange_.target.form == http::RequestTarget::Form::kAsterisk) {
    return refuse(400, "client sent invalid request: asterisk-form target");
  }

  // RFC 9112 3.2.2: the host of an absolute target takes the place of Host.
  const http::Field* host_field = request.fields.Find(FieldId::kHost);
  std::string_view authority = exchange_.target.authority;
  if (authority.empty() && host_field != nullptr) authority = host_field->value;
  if (!authority.empty()) {
    auto host = http::ParseHost(authority);
    if (!host.ok()) return refuse(400, "client sent invalid host header");
    exchange_.host = exchange_.arena.Copy(host->host);
    if (!exchange_.target.authority.empty() && host_field != nullptr) {
      // Whoever reads Host behind us, rules included, sees the host that decided.
      exchange_.request.fields.Set(FieldId::kHost, exchange_.target.authority);
    }
  } else if (host_field != nullptr && request.version != http::Version::kHttp10 &&
             host_field->value.empty()) {
    // An empty Host is legal (RFC 9110 7.2) and means the default server.
  }
  exchange_.server = &client_.servers().Find(exchange_.host, &exchange_);
  exchange_.location = &exchange_.server->root;

  const std::string_view path = exchange_.target.path;
  const bool merge = exchange_.server->settings.merge_slashes;
  exchange_.uri_had_escapes = path.find_first_of("%+") != std::string_view::npos;
  if (http::IsNormalPath(path, merge)) {
    exchange_.uri = path;
  } else {
    auto normal = http::NormalizePath(path, merge);
    if (!normal.ok()) return refuse(400, "client sent invalid request: " + normal.error().message);
    exchange_.uri = exchange_.arena.Copy(*normal);
  }
  exchange_.args = exchange_.target.query;

  // Not earlier: error_page 497 https://$host$request_uri is how people use it.
  if (client_.servers().ssl() && exchange_.connection.tls == nullptr) {
    return refuse(497, "client sent plain HTTP request to HTTPS port");
  }
  if (request.method == http::Method::kTrace) {
    return refuse(405, "client sent TRACE method");
  }
  return CheckClientCertificate();
}

// ssl_verify_client: nginx's 495 (verification failed), 496 (no certificate), 421 (wrong server).
ExchangeDriver::Flow ExchangeDriver::CheckClientCertificate() {
  const event::TlsInfo* tls = exchange_.connection.tls;
  if (tls == nullptr) return Flow::kNext;
  const config::TlsSettings& settings = exchange_.server->settings.tls;
  const auto refuse = [this](int status, std::string text) {
    exchange_.LogError(LogLevel::kInfo, text);
    RespondWith(status);
    return Flow::kOver;
  };
  if (settings.verify_client == config::VerifyClient::kOff) return Flow::kNext;
  const std::string name = ToLower(tls->ServerName());
  if (&client_.servers().Find(name, nullptr) != exchange_.server) {
    return refuse(421, "client attempted to request the server name different from the one that "
                       "was negotiated");
  }
  const long result = tls->VerifyResult();
  const bool certificate = tls->HasPeerCertificate();
  if (result != 0 && certificate) {
    const bool no_ca_is_fine = settings.verify_client == config::VerifyClient::kOptionalNoCa &&
                               tls->VerifyText().starts_with("FAILED:") && IsMissingCa(result);
    if (!no_ca_is_fine) {
      return refuse(495, "client SSL certificate verify error: (" + std::to_string(result) + ":" +
                             tls->VerifyText().substr(7) + ")");
    }
  }
  if (settings.verify_client == config::VerifyClient::kOn && !certificate) {
    return refuse(496, "client sent no required SSL certificate");
  }
  return Flow::kNext;
}

ExchangeDriver::Flow ExchangeDriver::RunRewrite(const config::RewriteProgram& program) {
  if (program.empty()) return Flow::kNext;
  const route::RewriteOutcome outcome = route::RunRewrite(exchange_, program);
  switch (outcome.kind) {
    case route::RewriteOutcome::Kind::kContinue:
      if (step_ == Step::kServerRewrite) exchange_.uri_changed = false;
      return Flow::kNext;
    case route::RewriteOutcome::Kind::kText:
      SendWhole(outcome.status, {}, outcome.text);
      return Flow::kOver;
    case route::RewriteOutcome::Kind::kRedirect:
      Redirect(outcome.status, outcome.text);
      return Flow::kOver;
    case route::RewriteOutcome::Kind::kRespond:
      if (outcome.status < 400) {
        SendWhole(outcome.status, {}, {});
      } else {
        RespondWith(outcome.status);
      }
      return Flow::kOver;
  }
  return Flow::kOver;
}

ExchangeDriver::Flow ExchangeDriver::FindLocation() {
  const auto& tree = *services_.locations[static_cast<size_t>(exchange_.server->index)];
  const auto answer = tree.Find(exchange_, exchange_.uri);
  if (answer.redirect_to != nullptr) {
    exchange_.location = answer.redirect_to;
    std::string target = PercentEncode(answer.redirect_to->name, UriEscape::kUri);
    if (!exchange_.args.empty()) {
      target += '?';
      target += exchange_.args;
    }
    Redirect(301, target);
    return Flow::kOver;
  }
  return EnterLocation(answer.location != nullptr ? *answer.location : exchange_.server->root);
}

ExchangeDriver::Flow ExchangeDriver::EnterLocation(const LocationConfig& location) {
  exchange_.location = &location;
  if (location.internal_only && !exchange_.internal) {
    RespondWith(404);
    return Flow::kOver;
  }
  if (location.limit_except != nullptr) {
    const uint32_t bit = uint32_t{1} << static_cast<unsigned>(exchange_.request.method);
    if ((location.limit_except_methods & bit) == 0) exchange_.location = location.limit_except.get();
  }
  const config::CoreSettings& core = exchange_.settings().core;
  if (core.keepalive_timeout.count() == 0 ||
      exchange_.connection.requests >= core.keepalive_requests ||
      CachedNow().steady - exchange_.connection.accepted > core.keepalive_time ||
      IsKeepAliveBroken(exchange_)) {
    exchange_.keep_alive = false;
  }
  if (exchange_.framing.kind == BodyFraming::Kind::kLength && !exchange_.body_discarded &&
      core.client_max_body_size != 0 && exchange_.framing.length > core.client_max_body_size) {
    exchange_.LogError(LogLevel::kError, "client intended to send too large body: " +
                                             std::to_string(exchange_.framing.length) + " bytes");
    exchange_.expects_continue = false;
    RespondWith(413);
    return Flow::kOver;
  }
  return Flow::kNext;
}

// --- Request body -------------------------------------------------------------------------------

bool ExchangeDriver::NeedsWholeBody() const {
  if (exchange_.framing.kind == BodyFraming::Kind::kNone || exchange_.body_discarded) return false;
  const config::LocationConfig& location = *exchange_.location;
  if (location.content != ContentKind::kProxy) return false;
  const config::ProxySettings& proxy = location.settings.proxy;
  if (!proxy.pass_request_body || proxy.set_body.has_value()) return proxy.request_buffering;
  // An HTTP/1.0 upstream needs the length before the head leaves.
  return proxy.request_buffering ||
         (exchange_.framing.kind == BodyFraming::Kind::kChunked && !proxy.http11);
}

// Collecting begins when somebody wants the whole body: only now are the location's limits known.
void ExchangeDriver::StartCollecting() {
  if (collecting_ || request_ended_) return;
  collecting_ = true;
  const config::CoreSettings& core = exchange_.settings().core;
  exchange_.action = Action::kReadingRequestBody;
  ConfigureBody();
  if (!early_body_.empty()) {
    const std::string early = std::move(early_body_);
    early_body_.clear();
    if (!StoreBody(early)) return;
  }
  SendContinueIfAwaited();
  client_.AwaitBody(core.client_body_timeout);
  client_.PauseBody(false);
}

void ExchangeDriver::ConfigureBody() {
  const config::CoreSettings& core = exchange_.settings().core;
  const bool in_file = core.client_body_in_file_only != config::BodyInFile::kOff;
  exchange_.body.Configure(core.client_body_buffer_size, core.client_body_temp_path, in_file,
                           in_file);
}

void ExchangeDriver::SendContinueIfAwaited() {
  if (!exchange_.expects_continue || sent_continue_ || body_received_ > 0) return;
  sent_continue_ = true;
  Arena arena(256);
  http::ResponseHead head(&arena);
  head.status = 100;
  client_.codec().SendInterim(client_.stream_id(), head);
}

bool ExchangeDriver::StoreBody(ByteView piece) {
  const uint64_t limit = exchange_.settings().core.client_max_body_size;
  if (limit != 0 && body_received_ > limit) {
    exchange_.LogError(LogLevel::kError,
                       "client intended to send too large chunked body: " +
                           std::to_string(body_received_) + " bytes");
    RespondWith(413);
    return false;
  }
  if (Status stored = exchange_.body.Append(piece); !stored.ok()) {
    exchange_.LogError(LogLevel::kCrit, stored.error().message);
    RespondWith(500);
    return false;
  }
  return true;
}

void ExchangeDriver::OnRequestBody(ByteView piece) {
  if (complete_ || exchange_.body_discarded) return;
  body_received_ += piece.size();
  if (streaming_body_) {
    const uint64_t limit = exchange_.settings().core.client_max_body_size;
    if (limit != 0 && body_received_ > limit) {
      exchange_.LogError(LogLevel::kError,
                         "client intended to send too large chunked body: " +
                             std::to_string(body_received_) + " bytes");
      return RespondWith(413);
    }
    if (handler_wants_body_) {
      handler_->OnRequestBody(piece);
    } else {
      early_body_.append(piece);
      client_.PauseBody(true);
    }
    return;
  }
  if (collecting_) {
    StoreBody(piece);
    return;
  }
  // Nobody has asked yet: keep what came with the head, and read no more. (At most one read.)
  early_body_.append(piece);
  client_.PauseBody(true);
}

void ExchangeDriver::OnRequestEnd(const http::HeaderMap* trailers) {
  request_ended_ = true;
  if (complete_) return;
  if (trailers != nullptr) {
    for (const http::Field& field : *trailers) request_trailers_.Add(field.name, field.value);
  }
  if (exchange_.body_discarded) return;
  if (streaming_body_) {
    if (early_body_.empty()) TellHandlerEnd();
    return;
  }
  // Where nobody collects yet the location, and so its limits, may not be known: who wants the body
  // takes it then.
  if (!collecting_) return;
  collecting_ = false;
  exchange_.body_collected = true;
  client_.AwaitBody(Milliseconds(0));
  Resume();
}

// The whole body came before anybody wanted it: it is stored now, under the location's limits.
// False where it was refused.
bool ExchangeDriver::TakeEarlyBody() {
  if (exchange_.body_collected || exchange_.body_discarded) return true;
  ConfigureBody();
  SendContinueIfAwaited();  // an announced body of no octets: nginx says "go on" to that too
  const std::string early = std::move(early_body_);
  early_body_.clear();
  if (!early.empty() && !StoreBody(early)) return false;
  exchange_.body_collected = true;
  return true;
}

ExchangeDriver::Flow ExchangeDriver::BodyForFilters() {
  bool wanted = false;
  for (size_t i = 0; i < filter_list_.size(); ++i) {
    wanted = wanted || (filter_list_[i] != nullptr && !filter_saw_body_[i]);
  }
  if (!wanted) return Flow::kNext;
  bool needs_bytes = false;
  for (size_t i = 0; i < filter_list_.size(); ++i) {
    needs_bytes = needs_bytes || (filter_list_[i] != nullptr && !filter_saw_body_[i] &&
                                  filter_list_[i]->wants_request_body());
  }
  if (needs_bytes && exchange_.framing.kind != BodyFraming::Kind::kNone &&
      !exchange_.body_discarded) {
    const Step step = step_;
    if (request_ended_) {
      if (!TakeEarlyBody()) return Flow::kOver;
    } else {
      StartCollecting();
      return complete_ || step_ != step ? Flow::kOver : Flow::kWait;
    }
  }
  return RunBodyFilters();
}

ExchangeDriver::Flow ExchangeDriver::RunBodyFilters() {
  for (size_t i = 0; i < filter_list_.size(); ++i) {
    filter::Filter* one = filter_list_[i].get();
    if (one == nullptr || filter_saw_body_[i]) continue;
    filter_saw_body_[i] = true;
    if (one->wants_request_body() && !exchange_.body.empty()) {
      std::string buffer;
      for (uint64_t offset = 0; offset < exchange_.body.size();) {
        ByteView piece;
        if (exchange_.body.in_file()) {
          buffer.resize(65536);
          auto count = exchange_.body.ReadAt(offset, buffer.data(), buffer.size());
          if (!count.ok() || *count == 0) {
            RespondWith(500);
            return Flow::kOver;
          }
          piece = ByteView(buffer.data(), *count);
        } else {
          piece = exchange_.body.memory();
        }
        offset += piece.size();
        const Flow flow = Apply(one->OnRequestBody(exchange_, piece));
        if (flow != Flow::kNext) return flow;
        if (!one->wants_request_body()) break;
      }
    }
    const Flow flow = Apply(one->OnRequestEnd(
        exchange_, request_trailers_.empty() ? nullptr : &request_trailers_));
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

void ExchangeDriver::WantRequestBody(bool want) {
  handler_wants_body_ = want;
  if (!want) {
    if (!request_ended_) client_.PauseBody(true);
    return;
  }
  if (exchange_.body_collected || exchange_.body_discarded) return;
  SendContinueIfAwaited();
  client_.AwaitBody(exchange_.settings().core.client_body_timeout);
  // At once, so that what came with the head leaves with the upstream's head.
  PassEarlyBody();
}

void ExchangeDriver::PassEarlyBody() {
  if (complete_ || !streaming_body_ || handler_ == nullptr) return;
  while (handler_wants_body_ && !early_body_.empty()) {
    const std::string early = std::move(early_body_);
    early_body_.clear();
    handler_->OnRequestBody(early);
    if (complete_) return;
  }
  if (!early_body_.empty()) return;
  if (request_ended_) {
    TellHandlerEnd();
  } else if (handler_wants_body_) {
    client_.PauseBody(false);
  }
}

void ExchangeDriver::TellHandlerEnd() {
  if (handler_told_end_ || handler_ == nullptr) return;
  handler_told_end_ = true;
  client_.AwaitBody(Milliseconds(0));
  handler_->OnRequestEnd(request_trailers_.empty() ? nullptr : &request_trailers_);
}

// --- Content ------------------------------------------------------------------------------------

ExchangeDriver::Flow ExchangeDriver::StartContent() {
  step_ = Step::kDone;
  exchange_.action = Action::kNone;
  switch (exchange_.location->content) {
    case ContentKind::kStatic: handler_ = content::MakeStaticHandler(exchange_); break;
    case ContentKind::kProxy:
      handler_ = content::MakeProxyHandler(exchange_, *services_.upstreams);
      if (exchange_.framing.kind != BodyFraming::Kind::kNone && !exchange_.body_collected &&
          !exchange_.body_discarded) {
        streaming_body_ = true;
      }
      break;
    case ContentKind::kStubStatus:
      content::SendStubStatus(exchange_, services_.metrics->Totals());
      return Flow::kOver;
    case ContentKind::kMetrics:
      SendWhole(200, "text/plain; version=0.0.4; charset=utf-8", services_.metrics->Exposition());
      return Flow::kOver;
    case ContentKind::kEmptyGif: content::SendEmptyGif(exchange_); return Flow::kOver;
  }
  handler_->Start();
  return Flow::kOver;
}

void ExchangeDriver::SendInterim(const http::ResponseHead& head) {
  if (!complete_ && !exchange_.head_sent) client_.codec().SendInterim(client_.stream_id(), head);
}

void ExchangeDriver::SendHead() {
  if (complete_) return;
  if (exchange_.error_page_status != 0) {
    exchange_.response.status = exchange_.error_page_status;
    exchange_.response.reason = {};
  }
  response_.SendHead();
}

void ExchangeDriver::SendBody(ByteView piece) {
  if (complete_) return;
  response_.SendBody(piece);
  client_.AwaitSend(exchange_.settings().core.send_timeout);
}

void ExchangeDriver::SendEnd(const http::HeaderMap* trailers) {
  if (complete_) return;
  response_.SendEnd(trailers);
}

bool ExchangeDriver::congested() const { return client_.congested() || response_.rate_limited(); }

void ExchangeDriver::OnClientDrained() {
  if (response_.rate_limited()) return;
  if (!complete_ && handler_ != nullptr) handler_->OnClientDrained();
}

void ExchangeDriver::AbortResponse() {
  if (complete_) return;
  if (!exchange_.head_sent) return RespondWith(502);
  exchange_.response_aborted = true;
  exchange_.keep_alive = false;
  client_.codec().Abort(client_.stream_id());
  Complete();
}

void ExchangeDriver::Finish(int status) {
  if (!complete_) RespondWith(status);
}

void ExchangeDriver::SendWhole(int status, std::string_view content_type, std::string_view body) {
  if (complete_) return;
  DiscardRequestBody();
  http::ResponseHead& response = exchange_.response;
  if (exchange_.error_page_status != 0) status = exchange_.error_page_status;
  response.status = status;
  if (!http::StatusForbidsBody(status)) {
    exchange_.content_length = static_cast<int64_t>(body.size());
    // One that X-Accel-Redirect has kept stays.
    if (content_type.empty()) content_type = response.fields.Get(FieldId::kContentType);
    if (content_type.empty()) content_type = content::MediaTypeFor(exchange_);
    if (!content_type.empty() && !(body.empty() && status == 201)) {
      response.fields.Set(FieldId::kContentType, content_type);
    }
  }
  step_ = Step::kDone;
  SendHead();
  if (!http::StatusForbidsBody(status)) SendBody(body);
  SendEnd(nullptr);
}

void ExchangeDriver::Redirect(int status, std::string_view location) {
  if (complete_) return;
  exchange_.response.fields.Set(FieldId::kLocation, content::AbsoluteLocation(exchange_, location));
  RespondWith(status);
}

void ExchangeDriver::InternalRedirect(std::string_view uri, std::string_view args) {
  if (complete_) return;
  if (--exchange_.uri_changes_left <= 0) {
    exchange_.LogError(LogLevel::kError,
                       "rewrite or internal redirection cycle while internally redirecting to \"" +
                           std::string(uri) + "\"");
    exchange_.error_page_used = true;
    return RespondWith(500);
  }
  exchange_.uri = exchange_.arena.Copy(uri);
  exchange_.args = exchange_.arena.Copy(args);
  exchange_.internal = true;
  exchange_.valid_location = true;
  exchange_.valid_unparsed_uri = false;
  exchange_.uri_had_escapes = false;
  ResetForRedirect();
  exchange_.location = &exchange_.server->root;
  GoTo(Step::kServerRewrite);
}

void ExchangeDriver::NamedRedirect(std::string_view name) {
  if (complete_) return;
  const auto& tree = *services_.locations[static_cast<size_t>(exchange_.server->index)];
  const LocationConfig* location = tree.FindNamed(name);
  if (--exchange_.uri_changes_left <= 0 || location == nullptr || exchange_.uri.empty()) {
    exchange_.LogError(LogLevel::kError, location == nullptr
                                             ? "could not find named location \"" +
                                                   std::string(name) + "\""
                                             : "rewrite or internal redirection cycle while "
                                               "redirect to named location \"" +
                                                   std::string(name) + "\"");
    exchange_.error_page_used = true;
    return RespondWith(500);
  }
  exchange_.internal = true;
  ResetForRedirect();
  exchange_.location = location;
  const Flow flow = EnterLocation(*location);
  if (flow == Flow::kNext) GoTo(Step::kBeforeRewrite);
}

// Where the walk goes on. Called from a handler, a filter or the walk itself: in the last case its
// loop takes the new step up, else it starts again.
void ExchangeDriver::GoTo(Step step) {
  step_ = step;
  row_ = 0;
  waiting_ = false;
  if (advancing_) {
    restarted_ = true;
  } else {
    Advance();
  }
}

// It may be the caller: it goes at the end of the turn.
void ExchangeDriver::DropHandler() {
  if (handler_ == nullptr) return;
  handler_->Abandon();
  services_.loop->Retire(std::move(handler_));
}

void ExchangeDriver::ResetForRedirect() {
  DropHandler();
  streaming_body_ = false;
  handler_wants_body_ = false;
  handler_told_end_ = false;
  response_.Reset();
}

// --- Answers of our own -------------------------------------------------------------------------

void ExchangeDriver::RespondWith(int status) {
  if (complete_) return;
  step_ = Step::kDone;
  waiting_ = false;
  if (exchange_.head_sent) {
    exchange_.keep_alive = false;
    return AbortResponse();
  }
  if (response_.held()) response_.DropHeld();
  if (status == 444 || status == 499) {
    exchange_.error_status = status;
    exchange_.client_aborted = status == 499;
    exchange_.keep_alive = false;
    CloseClient(event::Stream::CloseKind::kNormal);
    return;
  }
  exchange_.error_status = status;
  switch (status) {
    case 400:
    case 413:
    case 414:
    case 495:
    case 496:
    case 497:
    case 500:
    case 501: exchange_.keep_alive = false; break;
    default: break;
  }
  DropHandler();
  streaming_body_ = false;
  response_.Reset();
  if (!exchange_.error_page_used && ApplyErrorPage(status)) return;
  SendBuiltin(status);
}

bool ExchangeDriver::ApplyErrorPage(int status) {
  const config::CoreSettings& core = exchange_.settings().core;
  for (const config::ErrorPage& page : core.error_pages) {
    bool fits = false;
    for (const int one : page.statuses) fits = fits || one == status;
    if (!fits) continue;
    if (!core.recursive_error_pages) exchange_.error_page_used = true;
    exchange_.error_page_status = page.response_status.value_or(status);
    const std::string_view target = exchange_.Expand(page.target);
    if (target.starts_with('@')) {
      NamedRedirect(target);
      return true;
    }
    if (target.starts_with('/')) {
      if (exchange_.request.method != http::Method::kHead) {
        exchange_.request.method = http::Method::kGet;
        exchange_.request.method_name = "GET";
      }
      const size_t mark = target.find('?');
      const std::string_view args =
          mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
      InternalRedirect(target.substr(0, mark), args);
      return true;
    }
    const int given = page.response_status.value_or(302);
    const bool is_redirect =
        given == 301 || given == 302 || given == 303 || given == 307 || given == 308;
    exchange_.response.fields.Set(FieldId::kLocation, target);
    exchange_.error_page_status = 0;
    SendBuiltin(is_redirect ? given : 302);
    return true;
  }
  return false;
}

void ExchangeDriver::SendBuiltin(int status) {
  DiscardRequestBody();
  exchange_.error_status = PublicStatus(status);
  exchange_.error_page_status = 0;
  http::ResponseHead& response = exchange_.response;
  response.status = exchange_.error_status;
  response.reason = {};
  response.fields.Remove(FieldId::kContentLength);
  response.fields.Remove(FieldId::kLastModified);
  response.fields.Remove(FieldId::kEtag);
  response.fields.Remove(FieldId::kAcceptRanges);
  response.fields.Remove(FieldId::kContentType);
  response.fields.Remove(FieldId::kContentEncoding);
  exchange_.last_modified = -1;
  exchange_.conditions_checked = true;
  const std::string page = content::BuiltinPage(status, exchange_.settings().core.server_tokens);
  if (!http::StatusForbidsBody(response.status)) {
    exchange_.content_length = static_cast<int64_t>(page.size());
    if (!page.empty()) response.fields.Set(FieldId::kContentType, "text/html");
  } else {
    exchange_.content_length = -1;
  }
  response_.SkipFilters();
  response_.Reset();
  response_.SendHead();
  if (complete_) return;
  response_.SendBody(page);
  response_.SendEnd(nullptr);
}

void ExchangeDriver::DiscardRequestBody() {
  if (exchange_.body_discarded || exchange_.body_collected) return;
  exchange_.body_discarded = true;
  early_body_.clear();
  collecting_ = false;
  if (exchange_.framing.kind == BodyFraming::Kind::kNone || request_ended_) return;
  client_.codec().DiscardBody(client_.stream_id());
  // Who waits for "100 Continue" may never send the body he announced: the connection cannot go on.
  if (exchange_.expects_continue && !sent_continue_) exchange_.keep_alive = false;
  client_.PauseBody(false);
}

void ExchangeDriver::OnRequestError(const http::MessageError& error) {
  if (complete_) return;
  exchange_.LogError(LogLevel::kInfo, error.reason);
  exchange_.keep_alive = false;
  if (!started_) {
    started_ = true;
    exchange_.server = &client_.servers().default_server();
    exchange_.location = &exchange_.server->root;
    exchange_.body_discarded = true;
    if (exchange_.uri.empty()) exchange_.uri = "/";
  } else if (exchange_.head_sent) {
    return AbortResponse();
  }
  request_ended_ = true;
  RespondWith(error.status);
}

// A response filter refused: the handler may be in the middle of its call, so what it still says is
// dropped and the answer is made when it has returned.
void ExchangeDriver::OnResponseVerdict(const Verdict& verdict) {
  pending_verdict_ = verdict;
  if (late_verdict_ == nullptr) {
    late_verdict_ =
        std::make_unique<event::Timer>(*services_.loop, [this] { ApplyLateVerdict(); });
  }
  late_verdict_->Set(Milliseconds(0));
}

void ExchangeDriver::ApplyLateVerdict() {
  if (complete_ || !pending_verdict_.has_value()) return;
  const Verdict verdict = *std::exchange(pending_verdict_, std::nullopt);
  DropHandler();
  exchange_.response.fields.Clear();
  exchange_.content_length = -1;
  exchange_.response.reason = {};
  response_.SkipFilters();
  if (verdict.kind == Verdict::Kind::kDone) return;
  const Flow flow = Apply(verdict);
  if (flow == Flow::kNext || flow == Flow::kWait) RespondWith(500);
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
  if (handler_ != nullptr) handler_->Abandon();
  if (started_) LogPhase();
  DropHandler();
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
  if (services_.access_logs != nullptr && exchange_.location != nullptr) {
    services_.access_logs->Write(exchange_);
  }
  services_.metrics->RequestDone(exchange_);
  if (exchange_.settings().core.client_body_in_file_only == config::BodyInFile::kClean) {
    exchange_.body.RemoveFile();
  }
}

}  // namespace framewall::server
