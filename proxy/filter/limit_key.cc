#include "proxy/filter/limit_key.h"

#include <fmt/format.h>

namespace framewall::filter {

std::string_view LimitKey(exchange::Exchange& exchange, const config::LimitZone& zone) {
  const std::string_view key = exchange.Expand(zone.key);
  const size_t most = zone.is_request_zone ? 65535 : 255;
  if (key.size() <= most) return key;
  exchange.LogError(LogLevel::kError,
                    fmt::format("the value of the \"{}\" key is more than {} bytes: \"{}\"",
                                zone.key.source, most, key));
  return {};
}

}  // namespace framewall::filter
