#include "proxy/content/response_rewrite.h"

#include <algorithm>

#include "proxy/base/clock.h"
#include "proxy/base/encoding.h"
#include "proxy/base/parse.h"
#include "proxy/base/text.h"
#include "proxy/content/absolute_location.h"

namespace framewall::content {
namespace {

using exchange::Exchange;
using http::FieldId;

// About the hop to the upstream, or written anew by our own codec.
bool IsOfTheHop(FieldId id) {
  switch (id) {
    case FieldId::kConnection:
    case FieldId::kKeepAlive:
    case FieldId::kProxyConnection:
    case FieldId::kTe:
    case FieldId::kTrailer:
    case FieldId::kTransferEncoding:
    case FieldId::kUpgrade:
    case FieldId::kContentLength:
      return true;
    default:
      return false;
  }
}

// Nominated by the upstream's Connection; never what frames or types the message.
bool IsNominated(const http::HeaderMap& fields, const http::Field& field) {
  switch (field.id) {
    case FieldId::kContentType:
    case FieldId::kContentEncoding:
    case FieldId::kSetCookie:
    case FieldId::kLocation:
      return false;
    default:
      return fields.ListHas(FieldId::kConnection, field.name);
  }
}

size_t FindUrl(std::string_view refresh) {
  constexpr std::string_view kUrl = "url=";
  for (size_t i = 0; i + kUrl.size() <= refresh.size(); ++i) {
    if (EqualsIgnoreCase(refresh.substr(i, kUrl.size()), kUrl)) return i + kUrl.size();
  }
  return refresh.npos;
}

std::string_view RewriteLocation(Exchange& exchange, const ProxyPlan& plan,
                                 std::string_view value) {
  const auto rewritten = RewriteRedirect(exchange, plan, value, 0);
  // Only what we changed is made absolute: the upstream's own relative redirect is its business.
  return rewritten ? AbsoluteLocation(exchange, *rewritten) : value;
}

std::string_view RewriteRefresh(Exchange& exchange, const ProxyPlan& plan, std::string_view value) {
  const size_t url = FindUrl(value);
  if (url == value.npos) return value;
  return RewriteRedirect(exchange, plan, value, url).value_or(value);
}

}  // namespace

std::optional<std::string_view> RewriteRedirect(Exchange& exchange, const ProxyPlan& plan,
                                                std::string_view value, size_t prefix) {
  const config::ProxySettings& settings = exchange.settings().proxy;
  if (settings.redirect_off) return std::nullopt;
  const std::string_view kept = value.substr(0, prefix);
  const std::string_view text = value.substr(prefix);
  const auto replace = [&](size_t size, std::string_view to) {
    std::string result(kept);
    result.append(to).append(text.substr(size));
    return exchange.arena.Copy(result);
  };
  for (const config::ProxyRedirect& rule : settings.redirects) {
    if (rule.kind == config::ProxyRedirect::Kind::kRegex) {
      if (exchange.MatchRegex(rule.regex, text)) {
        return replace(text.size(), exchange.Expand(rule.to));
      }
      continue;
    }
    const std::string_view from = exchange.Expand(rule.from);
    if (text.starts_with(from)) return replace(from.size(), exchange.Expand(rule.to));
  }
  if (plan.redirects_by_default && text.starts_with(plan.redirect_from)) {
    return replace(plan.redirect_from.size(), plan.redirect_to);
  }
  return std::nullopt;
}

void RewriteResponse(Exchange& exchange, const ProxyPlan& plan, const http::ResponseHead& head,
                     http::BodyFraming framing) {
  const config::ProxySettings& settings = exchange.settings().proxy;
  http::ResponseHead& response = exchange.response;
  const bool is_upgrade = head.status == 101;
  const bool nominates = head.fields.Has(FieldId::kConnection);
  response.status = head.status;
  response.reason = head.reason;
  response.fields.Reserve(head.fields.size() + 4);
  const bool had_fields = !response.fields.empty();

  for (const http::Field& field : head.fields) {
    if (IsOfTheHop(field.id)) {
      if (is_upgrade && field.id == FieldId::kUpgrade) {
        response.fields.AddView(field.name, field.value, field.id);
      }
      continue;
    }
    if (plan.hidden.Has(field)) continue;
    if (nominates && IsNominated(head.fields, field)) continue;
    std::string_view value = field.value;
    switch (field.id) {
      case FieldId::kLocation:
        value = RewriteLocation(exchange, plan, value);
        break;
      case FieldId::kRefresh:
        value = RewriteRefresh(exchange, plan, value);
        break;
      case FieldId::kSetCookie:
        value = RewriteCookie(exchange, value);
        break;
      case FieldId::kAcceptRanges:
        if (settings.force_ranges) continue;
        break;
      case FieldId::kContentType:
        // One that an earlier location left gives way.
        if (had_fields) response.fields.Remove(FieldId::kContentType);
        break;
      default:
        break;
    }
    response.fields.AddView(field.name, value, field.id);
  }

  // The length of what is sent, or for HEAD and 304 of what would be.
  exchange.content_length = -1;
  if (framing.kind == http::BodyFraming::Kind::kLength) {
    exchange.content_length = static_cast<int64_t>(framing.length);
  } else if (framing.kind == http::BodyFraming::Kind::kNone &&
             (exchange.header_only || head.status == 304)) {
    if (const auto length = ParseUnsigned(head.fields.Get(FieldId::kContentLength))) {
      exchange.content_length = static_cast<int64_t>(*length);
    }
  }
  if (exchange.content_length >= 0) {
    response.fields.Add(FieldId::kContentLength, std::to_string(exchange.content_length));
  }
  if (exchange.settings().headers.expires.modified) {
    const auto modified = ParseHttpDate(head.fields.Get(FieldId::kLastModified));
    if (modified) exchange.last_modified = *modified;
  }
  // The upstream has judged If-… itself; ranges are its business too, unless we are told otherwise.
  exchange.conditions_checked = true;
  exchange.allow_ranges = settings.force_ranges;
}

void KeepFieldsForRedirect(Exchange& exchange, const http::ResponseHead& head) {
  http::HeaderMap& fields = exchange.response.fields;
  for (const http::Field& field : head.fields) {
    switch (field.id) {
      case FieldId::kContentType:
        fields.Set(FieldId::kContentType, field.value);
        break;
      case FieldId::kSetCookie:
        fields.AddView(field.name, RewriteCookie(exchange, field.value), field.id);
        break;
      case FieldId::kContentDisposition:
      case FieldId::kCacheControl:
      case FieldId::kExpires:
      case FieldId::kAcceptRanges:
        fields.AddView(field.name, field.value, field.id);
        break;
      default:
        break;
    }
  }
}

std::optional<AccelTarget> ParseAccelRedirect(std::string_view value) {
  const size_t question = value.find('?');
  AccelTarget target;
  if (question != value.npos) target.args = value.substr(question + 1);
  target.uri = PercentDecode(value.substr(0, question));
  const std::string_view uri = target.uri;
  // ".." anywhere as a segment would leave what the upstream may name.
  const bool unsafe = uri.empty() || uri.find('\0') != uri.npos || uri == ".." ||
                      uri.starts_with("../") || uri.find("/../") != uri.npos ||
                      uri.ends_with("/..");
  if (unsafe) return std::nullopt;
  return target;
}

}  // namespace framewall::content
