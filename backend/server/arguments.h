// The parts of a request target that clients write freely: path segments and query arguments.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace framewall::backend::server {

// More segments or arguments than these are refused.
inline constexpr size_t kMostSegments = 32;
inline constexpr size_t kMostArguments = 64;

// "/api/v1/rooms/a%2Fb" to {"api", "v1", "rooms", "a/b"}; "/" to {""}. Nothing where it does not
// begin with a slash, has a malformed escape, U+0000, octets that are no UTF-8, or a segment "." or
// "..": the gateway has resolved those, in its own way.
std::optional<std::vector<std::string>> SplitPath(std::string_view path);

// "a=1&b=x+y&c" to pairs, percent-decoded, '+' as space, in their order; nothing where an escape is
// malformed or a name or value is no UTF-8 or holds U+0000.
using Arguments = std::vector<std::pair<std::string, std::string>>;
std::optional<Arguments> ParseArguments(std::string_view query);

}  // namespace framewall::backend::server
