// What comes back from the upstream: which fields go on to the client, and what proxy_redirect and
// proxy_cookie_* make of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/content/proxy_plan.h"
#include "proxy/exchange/exchange.h"
#include "proxy/http/message.h"

namespace framewall::content {

// Fills in exchange.response. `head` lives as long as the exchange; its arena is the exchange's.
void RewriteResponse(exchange::Exchange& exchange, const ProxyPlan& plan,
                     const http::ResponseHead& head, http::BodyFraming framing);

// The few fields that survive an X-Accel-Redirect.
void KeepFieldsForRedirect(exchange::Exchange& exchange, const http::ResponseHead& head);

// X-Accel-Redirect's value as URI and arguments; nothing where it is unsafe ("/../").
struct AccelTarget {
  std::string uri;
  std::string_view args;
};
std::optional<AccelTarget> ParseAccelRedirect(std::string_view value);

// proxy_redirect for the text from `prefix` on (Refresh: after "url="); nothing where no rule fits.
std::optional<std::string_view> RewriteRedirect(exchange::Exchange& exchange, const ProxyPlan& plan,
                                                std::string_view value, size_t prefix);

// proxy_cookie_domain, _path and _flags on one Set-Cookie value.
std::string_view RewriteCookie(exchange::Exchange& exchange, std::string_view value);

}  // namespace framewall::content
