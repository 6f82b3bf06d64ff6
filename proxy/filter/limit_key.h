// Whose rate it is: the key of a zone, for this exchange.
#pragma once

#include <string_view>

#include "proxy/config/model/limits.h"
#include "proxy/exchange/exchange.h"

namespace framewall::filter {

// Empty where nothing is counted: the key is empty, or longer than nginx allows (65535 octets for
// requests and messages, 255 for connections), which is logged. Lives as long as the exchange.
std::string_view LimitKey(exchange::Exchange& exchange, const config::LimitZone& zone);

}  // namespace framewall::filter
