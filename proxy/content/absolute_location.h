// "/path" as "http://host:port/path", as absolute_redirect, server_name_in_redirect and
// port_in_redirect have it.
#pragma once

#include <string_view>

#include "proxy/exchange/exchange.h"

namespace framewall::content {

// In the exchange's arena. What does not begin with '/' stays as it is.
std::string_view AbsoluteLocation(exchange::Exchange& exchange, std::string_view location);

}  // namespace framewall::content
