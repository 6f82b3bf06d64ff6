#include "proxy/http/cookie.h"

#include "proxy/base/text.h"

namespace framewall::http {
namespace {

std::string_view SkipSpaces(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

// The value after "name =" at the start of `pair`, up to ';'. Nothing where it is not there.
std::optional<std::string_view> ValueAfterName(std::string_view pair, std::string_view name) {
  if (!StartsWithIgnoreCase(pair, name)) return std::nullopt;
  const std::string_view rest = SkipSpaces(pair.substr(name.size()));
  if (rest.empty() || rest.front() != '=') return std::nullopt;
  const std::string_view value = SkipSpaces(rest.substr(1));
  return value.substr(0, value.find(';'));
}

}  // namespace

std::optional<std::string_view> FindCookie(const HeaderMap& fields, std::string_view name) {
  if (name.empty()) return std::nullopt;
  for (const Field& field : fields) {
    if (field.id != FieldId::kCookie) continue;
    std::string_view left = field.value;
    while (!left.empty()) {
      if (auto value = ValueAfterName(left, name)) return value;
      const size_t separator = left.find_first_of(";,");
      if (separator == std::string_view::npos) break;
      left = SkipSpaces(left.substr(separator + 1));
    }
  }
  return std::nullopt;
}

std::optional<std::string_view> FindSetCookie(const HeaderMap& fields, std::string_view name) {
  if (name.empty()) return std::nullopt;
  for (const Field& field : fields) {
    if (field.id != FieldId::kSetCookie) continue;
    if (auto value = ValueAfterName(field.value, name)) return value;
  }
  return std::nullopt;
}

}  // namespace framewall::http
