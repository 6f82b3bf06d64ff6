#include "proxy/filter/headers.h"

#include <fmt/format.h>

#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "proxy/base/clock.h"
#include "proxy/base/parse.h"
#include "proxy/filter/limit_headers.h"

namespace framewall::filter {
namespace {

using config::ExpiresKind;
using config::HeaderLine;
using http::FieldId;

// The statuses for which fields are added without `always`.
bool IsPlainStatus(int status) {
  switch (status) {
    case 200:
    case 201:
    case 204:
    case 206:
    case 301:
    case 302:
    case 303:
    case 304:
    case 307:
    case 308:
      return true;
    default:
      return false;
  }
}

// --- expires ---

struct Expires {
  ExpiresKind kind = ExpiresKind::kOff;
  int64_t seconds = 0;
};

// Nothing where the text is no value of `expires`: then, as in nginx, there is no field.
std::optional<Expires> ParseExpires(std::string_view text, bool modified) {
  if (!modified) {
    if (text == "epoch") return Expires{ExpiresKind::kEpoch};
    if (text == "max") return Expires{ExpiresKind::kMax};
    if (text == "off") return Expires{ExpiresKind::kOff};
  }
  Expires result{modified ? ExpiresKind::kAfterModified : ExpiresKind::kAfter};
  bool negative = false;
  if (text.starts_with('@')) {
    if (modified) return std::nullopt;
    result.kind = ExpiresKind::kDaily;
    text.remove_prefix(1);
  } else if (text.starts_with('+') || text.starts_with('-')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  const auto time = ParseTime(text);
  if (!time) return std::nullopt;
  result.seconds = time->count() / 1000;
  if (result.kind == ExpiresKind::kDaily && result.seconds > 24 * 60 * 60) return std::nullopt;
  if (negative) result.seconds = -result.seconds;
  return result;
}

// The next time that the local clock shows `seconds` after midnight.
int64_t NextDaily(int64_t now, int64_t seconds) {
  const auto start = static_cast<time_t>(now);
  std::tm local{};
  localtime_r(&start, &local);
  local.tm_hour = static_cast<int>(seconds / 3600);
  local.tm_min = static_cast<int>(seconds / 60 % 60);
  local.tm_sec = static_cast<int>(seconds % 60);
  local.tm_isdst = -1;
  std::tm today = local;
  const time_t next = std::mktime(&today);
  if (next > start) return next;
  ++local.tm_mday;
  return std::mktime(&local);
}

void SetExpires(http::HeaderMap& fields, std::string_view date, std::string_view cache_control) {
  fields.Set(FieldId::kExpires, date);
  fields.Set(FieldId::kCacheControl, cache_control);
}

int64_t LastModifiedOf(const Exchange& exchange) {
  if (exchange.last_modified != -1) return exchange.last_modified;
  const std::string_view field = exchange.response.fields.Get(FieldId::kLastModified);
  return field.empty() ? -1 : ParseHttpDate(field).value_or(-1);
}

void ApplyExpires(Exchange& exchange, const config::ExpiresSettings& settings) {
  const auto expires = ParseExpires(exchange.Expand(settings.value), settings.modified);
  if (!expires) return;
  http::HeaderMap& fields = exchange.response.fields;
  const int64_t now = CachedNow().unix_seconds();
  int64_t date = 0;
  switch (expires->kind) {
    case ExpiresKind::kOff:
    case ExpiresKind::kUnmodified:
      return;
    case ExpiresKind::kEpoch:
      return SetExpires(fields, "Thu, 01 Jan 1970 00:00:01 GMT", "no-cache");
    case ExpiresKind::kMax:
      return SetExpires(fields, "Thu, 31 Dec 2037 23:55:55 GMT", "max-age=315360000");
    case ExpiresKind::kDaily:
      date = NextDaily(now, expires->seconds);
      break;
    case ExpiresKind::kAfter:
      date = now + expires->seconds;
      break;
    case ExpiresKind::kAfterModified: {
      const int64_t modified = LastModifiedOf(exchange);
      // "modified 0" means now, as nginx reads it.
      date = (modified == -1 || expires->seconds == 0 ? now : modified) + expires->seconds;
      break;
    }
  }
  const int64_t age = date - now;
  if (expires->seconds < 0 || age < 0) {
    return SetExpires(fields, FormatHttpDate(date), "no-cache");
  }
  SetExpires(fields, FormatHttpDate(date), fmt::format("max-age={}", age));
}

// --- add_header ---

void ReplaceValidator(Exchange& exchange, FieldId id, std::string_view value) {
  http::HeaderMap& fields = exchange.response.fields;
  if (value.empty()) {
    fields.Remove(id);
  } else {
    fields.Set(id, value);
  }
  if (id == FieldId::kLastModified) exchange.last_modified = ParseHttpDate(value).value_or(-1);
}

enum class Part : uint8_t { kAll, kValidators };

void ApplyLines(Exchange& exchange, Part part) {
  const bool is_plain = IsPlainStatus(exchange.response.status);
  for (const HeaderLine& line : exchange.settings().headers.add_header) {
    if (!is_plain && !line.always) continue;
    const FieldId id = http::FindFieldId(line.name);
    const bool is_validator = id == FieldId::kLastModified || id == FieldId::kEtag;
    if (part == Part::kValidators && !is_validator) continue;
    const std::string_view value = exchange.Expand(line.value);
    // A line break in a value becomes a space on the wire (http1/writer).
    if (is_validator) {
      ReplaceValidator(exchange, id, value);
    } else if (!value.empty()) {
      // The name is the configuration's, the value the arena's or the configuration's.
      exchange.response.fields.AddView(line.name, value, id);
    }
  }
}

}  // namespace

void ApplyHeaders(Exchange& exchange) {
  const config::HeaderSettings& settings = exchange.settings().headers;
  if (settings.expires.set && IsPlainStatus(exchange.response.status)) {
    ApplyExpires(exchange, settings.expires);
  }
  if (!exchange.limit_reports.empty()) ApplyLimitHeaders(exchange);
  if (!settings.add_header.empty()) ApplyLines(exchange, Part::kAll);
}

void ApplyValidators(Exchange& exchange) {
  if (!exchange.settings().headers.add_header.empty()) ApplyLines(exchange, Part::kValidators);
}

bool WantsTrailers(const Exchange& exchange) {
  const auto& lines = exchange.settings().headers.add_trailer;
  if (lines.empty()) return false;
  if (IsPlainStatus(exchange.response.status)) return true;
  for (const HeaderLine& line : lines) {
    if (line.always) return true;
  }
  return false;
}

void CollectTrailers(Exchange& exchange, http::HeaderMap& trailers) {
  // A trailer may show an earlier one: $sent_trailer_name.
  exchange.sent_trailers = &trailers;
  const bool is_plain = IsPlainStatus(exchange.response.status);
  for (const HeaderLine& line : exchange.settings().headers.add_trailer) {
    if (!is_plain && !line.always) continue;
    const std::string_view value = exchange.Expand(line.value);
    if (value.empty()) continue;
    trailers.AddView(line.name, value, http::FindFieldId(line.name));
  }
  auto kept = std::make_shared<http::HeaderMap>(trailers);
  exchange.sent_trailers = kept.get();
  exchange.pending = std::move(kept);
}

}  // namespace framewall::filter
