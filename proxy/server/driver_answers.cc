// ExchangeDriver's answers: what handlers say, redirects, error pages, and the built-in ones.
#include "proxy/content/absolute_location.h"
#include "proxy/content/builtin_page.h"
#include "proxy/content/media_type.h"
#include "proxy/content/proxy_handler.h"
#include "proxy/content/static_file.h"
#include "proxy/content/status_page.h"
#include "proxy/http/status.h"
#include "proxy/server/exchange_driver.h"
#include "proxy/server/small_answers.h"

namespace framewall::server {

using config::ContentKind;
using config::LocationConfig;
using exchange::Action;
using filter::Verdict;
using http::BodyFraming;
using http::FieldId;

// --- Content ------------------------------------------------------------------------------------

ExchangeDriver::Flow ExchangeDriver::StartContent() {
  step_ = Step::kDone;
  exchange_.action = Action::kNone;
  switch (exchange_.location->content) {
    case ContentKind::kStatic:
      handler_ = content::MakeStaticHandler(exchange_);
      break;
    case ContentKind::kProxy:
      streaming_body_ = exchange_.framing.kind != BodyFraming::Kind::kNone &&
                        !exchange_.body_collected && !exchange_.body_discarded;
      // What came with the head counts before any of it goes on.
      if (streaming_body_ && RefuseLargeBody()) return Flow::kOver;
      handler_ = content::MakeProxyHandler(exchange_, *services_.upstreams);
      break;
    case ContentKind::kStubStatus:
      content::SendStubStatus(exchange_, services_.metrics->Totals());
      return Flow::kOver;
    case ContentKind::kMetrics:
      SendWhole(200, "text/plain; version=0.0.4; charset=utf-8", services_.metrics->Exposition());
      return Flow::kOver;
    case ContentKind::kEmptyGif:
      content::SendEmptyGif(exchange_);
      return Flow::kOver;
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
    exchange_.LogError(LogLevel::kError,
                       location == nullptr
                           ? "could not find named location \"" + std::string(name) + "\""
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
  paused_row_.reset();
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
  // Another location asks for itself.
  exchange_.SetIdentity(nullptr, std::nullopt);
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
    case 501:
      exchange_.keep_alive = false;
      break;
    default:
      break;
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
    late_verdict_ = std::make_unique<event::Timer>(*services_.loop, [this] { ApplyLateVerdict(); });
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

}  // namespace framewall::server
