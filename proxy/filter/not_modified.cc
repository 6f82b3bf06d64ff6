#include "proxy/filter/not_modified.h"

#include "proxy/base/clock.h"
#include "proxy/base/text.h"

namespace framewall::filter {
namespace {

using http::Field;
using http::FieldId;

enum class Comparison : uint8_t { kStrong, kWeak };

std::string_view WithoutWeakMark(std::string_view tag) {
  return tag.size() > 2 && tag.starts_with("W/") ? tag.substr(2) : tag;
}

// Does the list of entity tags hold `etag`? A comma inside quotes belongs to the tag.
bool ListHasTag(std::string_view list, std::string_view etag, Comparison comparison) {
  const bool weak = comparison == Comparison::kWeak;
  if (weak) etag = WithoutWeakMark(etag);
  while (!list.empty()) {
    size_t end = 0;
    for (bool quoted = false; end < list.size() && (quoted || list[end] != ','); ++end) {
      if (list[end] == '"') quoted = !quoted;
    }
    std::string_view tag = Trim(list.substr(0, end));
    if (weak) tag = WithoutWeakMark(tag);
    if (!tag.empty() && tag == etag) return true;
    list.remove_prefix(end == list.size() ? end : end + 1);
  }
  return false;
}

bool TagMatches(const Exchange& exchange, std::string_view list, Comparison comparison) {
  if (list == "*") return true;
  const Field* etag = exchange.response.fields.Find(FieldId::kEtag);
  return etag != nullptr && ListHasTag(list, etag->value, comparison);
}

bool ModifiedSince(const Exchange& exchange, std::string_view text) {
  const config::IfModifiedSince mode = exchange.settings().core.if_modified_since;
  if (exchange.last_modified == -1 || mode == config::IfModifiedSince::kOff) return true;
  const int64_t since = ParseHttpDate(text).value_or(-1);
  if (since == exchange.last_modified) return false;
  return mode == config::IfModifiedSince::kExact || since < exchange.last_modified;
}

bool UnmodifiedSince(const Exchange& exchange, std::string_view text) {
  if (exchange.last_modified == -1) return false;
  return ParseHttpDate(text).value_or(-1) >= exchange.last_modified;
}

}  // namespace

// nginx's order, which differs from RFC 9110 13.2.2 where If-Modified-Since stands beside
// If-None-Match: both must say "not modified".
int CheckNotModified(Exchange& exchange) {
  // What the client has says nothing of what a subrequest finds.
  if (exchange.is_subrequest()) return 0;
  const http::HeaderMap& fields = exchange.request.fields;
  const Field* unmodified_since = fields.Find(FieldId::kIfUnmodifiedSince);
  if (unmodified_since != nullptr && !UnmodifiedSince(exchange, unmodified_since->value)) {
    return 412;
  }
  const Field* match = fields.Find(FieldId::kIfMatch);
  if (match != nullptr && !TagMatches(exchange, match->value, Comparison::kStrong)) return 412;

  const Field* modified_since = fields.Find(FieldId::kIfModifiedSince);
  const Field* none_match = fields.Find(FieldId::kIfNoneMatch);
  if (modified_since == nullptr && none_match == nullptr) return 0;
  if (modified_since != nullptr && ModifiedSince(exchange, modified_since->value)) return 0;
  if (none_match != nullptr && !TagMatches(exchange, none_match->value, Comparison::kWeak)) {
    return 0;
  }
  return 304;
}

}  // namespace framewall::filter
