// Cookie and Set-Cookie fields (RFC 6265 4), read as nginx reads them.
#pragma once

#include <optional>
#include <string_view>

#include "proxy/http/headers.h"

namespace framewall::http {

// $cookie_NAME: the value of `name` in the Cookie fields, name compared case-blind as nginx does.
std::optional<std::string_view> FindCookie(const HeaderMap& fields, std::string_view name);
// $upstream_cookie_NAME: the value in the Set-Cookie fields.
std::optional<std::string_view> FindSetCookie(const HeaderMap& fields, std::string_view name);

}  // namespace framewall::http
