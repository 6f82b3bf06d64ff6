// URI references as $id and $ref use them (RFC 3986 5.2): resolved, never fetched.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace framewall::json {

// `reference` against `base`, which may be empty or relative itself. The fragment stays.
std::string ResolveUri(std::string_view base, std::string_view reference);

// Before and behind "#"; empty where there is none.
std::pair<std::string_view, std::string_view> SplitFragment(std::string_view uri);

}  // namespace framewall::json
