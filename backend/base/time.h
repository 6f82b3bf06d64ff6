// Points in time: milliseconds since 1970 inside and in the database, RFC 3339 in JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace framewall::backend {

// The kernel's clock, from any thread.
int64_t UnixMilliseconds();
// 2026-11-21T19:51:23.042Z
std::string Rfc3339(int64_t unix_milliseconds);
// The same back: UTC with or without a fraction, of which three digits count.
std::optional<int64_t> ParseRfc3339(std::string_view text);

}  // namespace framewall::backend
