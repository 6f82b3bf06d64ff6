// ExchangeDriver, from the head of a request to its location.
#include "proxy/base/clock.h"
#include "proxy/base/encoding.h"
#include "proxy/base/text.h"
#include "proxy/event/stream.h"
#include "proxy/http/target.h"
#include "proxy/route/rewrite_program.h"
#include "proxy/server/exchange_driver.h"
#include "proxy/server/small_answers.h"

namespace framewall::server {

using config::LocationConfig;
using http::BodyFraming;
using http::FieldId;

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
    return refuse(421,
                  "client attempted to request the server name different from the one that "
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
    if ((location.limit_except_methods & bit) == 0)
      exchange_.location = location.limit_except.get();
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
    // An error page of 413 is no reason to count it again.
    DiscardRequestBody();
    RespondWith(413);
    return Flow::kOver;
  }
  return Flow::kNext;
}

}  // namespace framewall::server
