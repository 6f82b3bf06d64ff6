// Variables of the response and of what the upstream did.
#include <fmt/format.h>

#include "proxy/base/clock.h"
#include "proxy/exchange/builtin_variables.h"
#include "proxy/http/cookie.h"

namespace framewall::exchange {
namespace {

void GetStatus(Exchange& exchange, std::string_view, Value& value) {
  SetCopy(exchange, value, fmt::format("{:03}", exchange.status_for_log()));
}
void GetBytesSent(Exchange& exchange, std::string_view, Value& value) {
  SetCopy(exchange, value, std::to_string(exchange.bytes_sent));
}
void GetBodyBytesSent(Exchange& exchange, std::string_view, Value& value) {
  SetCopy(exchange, value, std::to_string(exchange.body_bytes_sent));
}

void GetSentHttp(Exchange& exchange, std::string_view suffix, Value& value) {
  if (suffix == "content_length" && exchange.content_length >= 0 &&
      exchange.response.fields.Find(http::FieldId::kContentLength) == nullptr) {
    return SetCopy(exchange, value, std::to_string(exchange.content_length));
  }
  if (suffix == "transfer_encoding") {
    if (exchange.head_sent && exchange.response_chunked) return SetView(value, "chunked");
    return SetAbsent(value);
  }
  if (suffix == "connection") {
    return SetView(value, exchange.response.status == 101 ? "upgrade"
                          : exchange.keep_alive           ? "keep-alive"
                                                          : "close");
  }
  SetFromFields(exchange, exchange.response.fields, suffix, ", ", value);
}
void GetSentTrailer(Exchange& exchange, std::string_view suffix, Value& value) {
  if (exchange.sent_trailers == nullptr) return SetAbsent(value);
  SetFromFields(exchange, *exchange.sent_trailers, suffix, ", ", value);
}
void GetUpstreamHttp(Exchange& exchange, std::string_view suffix, Value& value) {
  if (exchange.upstream_head == nullptr) return SetAbsent(value);
  SetFromFields(exchange, exchange.upstream_head->fields, suffix, ", ", value);
}
void GetUpstreamTrailer(Exchange& exchange, std::string_view suffix, Value& value) {
  if (exchange.upstream_trailers == nullptr) return SetAbsent(value);
  SetFromFields(exchange, *exchange.upstream_trailers, suffix, ", ", value);
}
void GetUpstreamCookie(Exchange& exchange, std::string_view suffix, Value& value) {
  if (exchange.upstream_head == nullptr) return SetAbsent(value);
  if (const auto found = http::FindSetCookie(exchange.upstream_head->fields, suffix)) {
    return SetView(value, *found);
  }
  SetAbsent(value);
}

// One text per attempt, joined by ", ", or by " : " where another group took over.
template <class Append>
void JoinAttempts(Exchange& exchange, Value& value, Append append) {
  if (exchange.upstream.empty()) return SetAbsent(value);
  std::string out;
  for (const UpstreamRecord& record : exchange.upstream) {
    if (&record != exchange.upstream.data()) out += record.internal_redirect ? " : " : ", ";
    append(out, record);
  }
  SetCopy(exchange, value, out);
}

void AppendTime(std::string& out, int64_t ms) {
  if (ms < 0) {
    out += '-';
  } else {
    fmt::format_to(std::back_inserter(out), "{}.{:03}", ms / 1000, ms % 1000);
  }
}

void GetUpstreamAddr(Exchange& exchange, std::string_view, Value& value) {
  JoinAttempts(exchange, value,
               [](std::string& out, const UpstreamRecord& record) { out += record.address; });
}
void GetUpstreamStatus(Exchange& exchange, std::string_view, Value& value) {
  JoinAttempts(exchange, value, [](std::string& out, const UpstreamRecord& record) {
    out += record.status == 0 ? "-" : std::to_string(record.status);
  });
}
template <int64_t UpstreamRecord::*Member>
void GetUpstreamTime(Exchange& exchange, std::string_view, Value& value) {
  JoinAttempts(exchange, value, [](std::string& out, const UpstreamRecord& record) {
    AppendTime(out, record.*Member);
  });
}
template <uint64_t UpstreamRecord::*Member>
void GetUpstreamCount(Exchange& exchange, std::string_view, Value& value) {
  JoinAttempts(exchange, value, [](std::string& out, const UpstreamRecord& record) {
    out += std::to_string(record.*Member);
  });
}

void GetProxyHost(Exchange& exchange, std::string_view, Value& value) {
  SetViewOrAbsent(value, exchange.proxy_host);
}
void GetProxyPort(Exchange& exchange, std::string_view, Value& value) {
  SetViewOrAbsent(value, exchange.proxy_port);
}
void GetProxyAddXForwardedFor(Exchange& exchange, std::string_view, Value& value) {
  Value before;
  SetFromFields(exchange, exchange.request.fields, "x_forwarded_for", ", ", before);
  const std::string client = exchange.client_address.HostText();
  if (before.state != Value::State::kPresent) return SetCopy(exchange, value, client);
  SetCopy(exchange, value, std::string(before.text) + ", " + client);
}
void GetUpstreamCacheStatus(Exchange& exchange, std::string_view, Value& value) {
  SetViewOrAbsent(value, exchange.upstream_cache_status);
}
void GetLimitReqStatus(Exchange& exchange, std::string_view, Value& value) {
  SetViewOrAbsent(value, exchange.limit_req_status);
}
void GetLimitConnStatus(Exchange& exchange, std::string_view, Value& value) {
  SetViewOrAbsent(value, exchange.limit_conn_status);
}
void GetModsecurityTransactionId(Exchange& exchange, std::string_view, Value& value) {
  SetViewOrAbsent(value, exchange.waf_transaction_id);
}
void GetWafRule(Exchange& exchange, std::string_view, Value& value) {
  if (exchange.waf_rule_id == 0) return SetAbsent(value);
  SetCopy(exchange, value, std::to_string(exchange.waf_rule_id));
}

constexpr BuiltinVariable kVariables[] = {
    {.name = "status", .get = GetStatus},
    {.name = "bytes_sent", .get = GetBytesSent},
    {.name = "body_bytes_sent", .get = GetBodyBytesSent},
    {.name = "sent_http_", .get = GetSentHttp, .is_family = true},
    {.name = "sent_trailer_", .get = GetSentTrailer, .is_family = true},
    {.name = "upstream_addr", .get = GetUpstreamAddr},
    {.name = "upstream_status", .get = GetUpstreamStatus},
    {.name = "upstream_connect_time", .get = GetUpstreamTime<&UpstreamRecord::connect_ms>},
    {.name = "upstream_header_time", .get = GetUpstreamTime<&UpstreamRecord::header_ms>},
    {.name = "upstream_response_time", .get = GetUpstreamTime<&UpstreamRecord::response_ms>},
    {.name = "upstream_bytes_sent", .get = GetUpstreamCount<&UpstreamRecord::bytes_sent>},
    {.name = "upstream_bytes_received", .get = GetUpstreamCount<&UpstreamRecord::bytes_received>},
    {.name = "upstream_response_length", .get = GetUpstreamCount<&UpstreamRecord::response_length>},
    {.name = "upstream_cache_status", .get = GetUpstreamCacheStatus},
    {.name = "upstream_http_", .get = GetUpstreamHttp, .is_family = true},
    {.name = "upstream_trailer_", .get = GetUpstreamTrailer, .is_family = true},
    {.name = "upstream_cookie_", .get = GetUpstreamCookie, .is_family = true},
    {.name = "proxy_host", .get = GetProxyHost},
    {.name = "proxy_port", .get = GetProxyPort},
    {.name = "proxy_add_x_forwarded_for", .get = GetProxyAddXForwardedFor},
    {.name = "limit_req_status", .get = GetLimitReqStatus},
    {.name = "limit_conn_status", .get = GetLimitConnStatus},
    {.name = "modsecurity_transaction_id", .get = GetModsecurityTransactionId},
    {.name = "waf_rule_id", .get = GetWafRule},
};

}  // namespace

std::span<const BuiltinVariable> ResponseVariables() { return kVariables; }

}  // namespace framewall::exchange
