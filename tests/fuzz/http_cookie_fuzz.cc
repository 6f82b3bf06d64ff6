// Cookie and Set-Cookie fields: the first line is the name that is asked for, each other line a
// field of both kinds. A value is a view into its field, after the name and a "=", and holds no
// ';'.
#include <cstdint>
#include <string_view>

#include "proxy/base/arena.h"
#include "proxy/base/check.h"
#include "proxy/base/text.h"
#include "proxy/http/cookie.h"

namespace framewall::http {
namespace {

std::string_view TrimSpaces(std::string_view text) {
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// Does `value` stand in `field` as that of `name`?
bool IsValueIn(std::string_view field, std::string_view name, std::string_view value) {
  const auto at = static_cast<size_t>(value.data() - field.data());
  if (value.data() < field.data() || at + value.size() > field.size()) return false;
  if (at + value.size() < field.size() && field[at + value.size()] != ';') return false;
  std::string_view before = TrimSpaces(field.substr(0, at));
  if (!before.ends_with('=')) return false;
  before.remove_suffix(1);
  for (;; before.remove_suffix(1)) {
    if (before.size() < name.size()) return false;
    if (EqualsIgnoreCase(before.substr(before.size() - name.size()), name)) return true;
    if (!before.ends_with(' ')) return false;
  }
}

void CheckValue(const HeaderMap& fields, FieldId id, std::string_view name,
                std::string_view value) {
  FW_CHECK(!name.empty() && value.find(';') == value.npos && !value.starts_with(' '));
  bool found = false;
  for (const Field& field : fields) {
    found = found || (field.id == id && IsValueIn(field.value, name, value));
  }
  FW_CHECK(found);
}

void Check(std::string_view text) {
  Arena arena;
  HeaderMap fields(&arena);
  const size_t line_end = text.find('\n');
  const std::string_view name = text.substr(0, line_end);
  if (line_end != text.npos) {
    for (const std::string_view line : Split(text.substr(line_end + 1), '\n')) {
      fields.Add("Cookie", line);
      fields.Add("Set-Cookie", line);
    }
  }
  if (const auto value = FindCookie(fields, name)) {
    CheckValue(fields, FieldId::kCookie, name, *value);
  }
  if (const auto value = FindSetCookie(fields, name)) {
    CheckValue(fields, FieldId::kSetCookie, name, *value);
    // The pair at the start of a Set-Cookie is one that a Cookie field may hold.
    FW_CHECK(FindCookie(fields, name).has_value());
  }
}

}  // namespace
}  // namespace framewall::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  framewall::http::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
