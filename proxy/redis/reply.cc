#include "proxy/redis/reply.h"

#include <charconv>

namespace framewall::redis {

std::optional<int64_t> Reply::AsInteger() const {
  if (kind == Kind::kInteger) return integer;
  if (!is_text()) return std::nullopt;
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::string_view Reply::error_code() const {
  if (!is_error()) return {};
  const std::string_view all = text;
  return all.substr(0, all.find(' '));
}

}  // namespace framewall::redis
