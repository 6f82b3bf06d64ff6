// ProxyHandler: the response, from its head to its end.
#include <algorithm>
#include <string>

#include "proxy/base/clock.h"
#include "proxy/content/proxy_handler.h"
#include "proxy/content/response_rewrite.h"
#include "proxy/upstream/retry_policy.h"

namespace framewall::content {

using exchange::Action;
using http::BodyFraming;
using http::FieldId;
using upstream::Attempt;
using upstream::Group;

void ProxyHandler::OnAttemptInterim(const http::ResponseHead& head) {
  if (over_ || head.status != 103) return;
  // Early Hints go on; 100 is ours to say, and the others mean nothing to a client.
  http::ResponseHead hints(&exchange_.arena);
  hints.status = head.status;
  for (const http::Field& field : head.fields) {
    if (field.id == FieldId::kLink) hints.fields.AddView(field.name, field.value, field.id);
  }
  if (!hints.fields.empty()) exchange_.driver->SendInterim(hints);
}

void ProxyHandler::OnAttemptHead(BodyFraming framing) {
  if (over_) return;
  exchange_.upstream_head = &head_;
  exchange_.upstream_trailers = nullptr;
  record().header_ms = Elapsed(try_started_);
  record().status = head_.status;
  if (head_.status == 101) return BeginUpgraded();

  if (head_.status >= 300) {
    const uint32_t condition = upstream::ConditionOfStatus(head_.status);
    if (condition != 0 && selection_.tries > 1) {
      upstream::RetryQuestion question;
      question.condition = condition;
      question.tries_left = selection_.tries - 1;
      question.method = exchange_.request.method;
      question.request_begun = true;
      question.body_is_gone = body_ == BodySource::kStreamed;
      question.first_started = first_started_;
      if (upstream::MayRetry(settings_, question)) {
        const bool healthy = head_.status == 403 || head_.status == 404;
        return NextOrFinish(condition, head_.status,
                            healthy ? Group::Outcome::kNext : Group::Outcome::kFailed);
      }
    }
    if (InterceptError()) return;
  }
  const std::string_view rate = head_.fields.Get(FieldId::kXAccelLimitRate);
  if (!rate.empty() && (settings_.ignore_headers & config::kIgnoreAccelLimitRate) == 0) {
    exchange_.limit_rate = exchange_.arena.Copy(rate);
  }
  if (FollowAccelRedirect()) return;
  PassHead(framing);
}

bool ProxyHandler::InterceptError() {
  if (!settings_.intercept_errors) return false;
  bool has_page = false;
  for (const config::ErrorPage& page : exchange_.settings().core.error_pages) {
    for (const int status : page.statuses) has_page = has_page || status == head_.status;
  }
  if (!has_page) return false;
  if (head_.status == 401) {
    if (const http::Field* challenge = head_.fields.Find(FieldId::kWwwAuthenticate)) {
      exchange_.response.fields.AddView(challenge->name, challenge->value, challenge->id);
    }
  }
  const int status = head_.status;
  EndTry(Group::Outcome::kGood, Attempt::Keep::kIfClean);
  Fail(status);
  return true;
}

bool ProxyHandler::FollowAccelRedirect() {
  const http::Field* redirect = head_.fields.Find(FieldId::kXAccelRedirect);
  if (redirect == nullptr || (settings_.ignore_headers & config::kIgnoreAccelRedirect) != 0) {
    return false;
  }
  const std::string_view value = redirect->value;
  KeepFieldsForRedirect(exchange_, head_);
  EndTry(Group::Outcome::kGood, Attempt::Keep::kIfClean);
  if (value.starts_with('@')) {
    Stop();
    exchange_.driver->NamedRedirect(value);
    return true;
  }
  const auto target = ParseAccelRedirect(value);
  if (!target) {
    exchange_.LogError(LogLevel::kError, "unsafe URI \"" + std::string(value) + "\" was detected");
    Fail(404);
    return true;
  }
  if (exchange_.request.method != http::Method::kHead) {
    exchange_.request.method = http::Method::kGet;
    exchange_.request.method_name = "GET";
  }
  Stop();
  exchange_.driver->InternalRedirect(target->uri, target->args);
  return true;
}

void ProxyHandler::PassHead(BodyFraming framing) {
  RewriteResponse(exchange_, plan_, head_, framing);
  head_passed_ = true;
  body_started_ = CachedNow().steady;
  if (!settings_.limit_rate.empty()) {
    rate_ = ParseSize(exchange_.Expand(settings_.limit_rate)).value_or(0);
  }
  if (sending_) {
    // An answer before the whole question: the rest of it is not sent (RFC 9112 9.5).
    sending_ = false;
    if (body_ == BodySource::kStreamed && !body_ended_) exchange_.driver->WantRequestBody(false);
  }
  exchange_.driver->SendHead();
  if (!over_) exchange_.action = Action::kReadingUpstream;
}

void ProxyHandler::OnAttemptBody(ByteView piece) {
  if (over_) return;
  record().response_length += piece.size();
  if (rate_ > 0) {
    held_.append(piece);
    return PassAsRateAllows();
  }
  exchange_.driver->SendBody(piece);
  if (!over_ && exchange_.driver->congested()) attempt_.PauseReading();
}

// proxy_limit_rate: as much as the seconds that have begun allow; the rest of what was read waits.
void ProxyHandler::PassAsRateAllows() {
  const int64_t elapsed = Elapsed(body_started_);
  const uint64_t allowed = rate_ * static_cast<uint64_t>(elapsed / 1000 + 1) - passed_;
  const ByteView piece =
      ByteView(held_).substr(0, static_cast<size_t>(std::min<uint64_t>(allowed, held_.size())));
  passed_ += piece.size();
  if (!piece.empty()) exchange_.driver->SendBody(piece);
  if (over_) return;
  held_.erase(0, piece.size());
  if (held_.empty()) {
    if (response_whole_) return FinishResponse();
    if (exchange_.driver->congested()) {
      attempt_.PauseReading();
    } else {
      attempt_.ResumeReading();
    }
    return;
  }
  if (rate_timer_ == nullptr) {
    rate_timer_ = std::make_unique<event::Timer>(runtime_.loop(), [this] {
      if (!over_) PassAsRateAllows();
    });
  }
  attempt_.PauseReading();
  rate_timer_->Set(Milliseconds(1000 - elapsed % 1000 + 1));
}

void ProxyHandler::OnClientDrained() {
  if (!over_ && held_.empty()) attempt_.ResumeReading();
}

void ProxyHandler::OnAttemptTrailers(const http::HeaderMap& trailers) {
  trailers_.emplace(&exchange_.arena);
  for (const http::Field& field : trailers) {
    if (!plan_.hidden.Has(field)) trailers_->Add(field.name, field.value);
  }
  exchange_.upstream_trailers = &*trailers_;
}

void ProxyHandler::OnAttemptDone(bool extra) {
  if (over_) return;
  if (extra) {
    exchange_.LogError(LogLevel::kWarn,
                       exchange_.content_length >= 0
                           ? "upstream sent more data than specified in \"Content-Length\" header"
                           : "upstream sent data after final chunk");
  }
  EndTry(Group::Outcome::kGood, Attempt::Keep::kIfClean);
  response_whole_ = true;
  if (held_.empty()) FinishResponse();
}

void ProxyHandler::FinishResponse() {
  // Trailers go only to a client that said it wants them; nginx drops them always.
  const bool wanted = trailers_ && exchange_.request.fields.ListHas(FieldId::kTe, "trailers");
  Stop();
  exchange_.driver->SendEnd(wanted ? &*trailers_ : nullptr);
}

}  // namespace framewall::content
