#include "proxy/filter/limit_headers.h"

#include <fmt/format.h>

#include <string>

namespace framewall::filter {
namespace {

// A String of RFC 8941 3.3.3; other octets than printable ASCII cannot stand in one.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c < 0x20 || c > 0x7e) {
      quoted += '?';
      continue;
    }
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

void ApplyLimitHeaders(exchange::Exchange& exchange) {
  if (exchange.limit_reports.empty()) return;
  std::string limits, policies;
  for (const exchange::LimitReport& report : exchange.limit_reports) {
    const std::string name = Quoted(report.zone);
    const std::string_view comma = limits.empty() ? "" : ", ";
    limits += fmt::format("{}{};r={};t={}", comma, name, report.remaining, report.reset);
    policies += fmt::format("{}{};q={};w={}", comma, name, report.quota, report.window);
    if (report.refused) {
      exchange.response.fields.Set(http::FieldId::kRetryAfter, std::to_string(report.reset));
    }
  }
  exchange.response.fields.Add("RateLimit-Policy", policies);
  exchange.response.fields.Add("RateLimit", limits);
}

}  // namespace framewall::filter
