#include "proxy/content/absolute_location.h"

#include <string>

namespace framewall::content {

std::string_view AbsoluteLocation(exchange::Exchange& exchange, std::string_view location) {
  const config::CoreSettings& core = exchange.settings().core;
  if (!core.absolute_redirect || !location.starts_with('/')) return exchange.arena.Copy(location);
  const bool tls = exchange.connection.tls != nullptr;
  std::string absolute = tls ? "https://" : "http://";
  if (core.server_name_in_redirect && exchange.server != nullptr) {
    absolute += exchange.server->primary_name();
  } else if (!exchange.host.empty()) {
    absolute += exchange.host;
  } else {
    absolute += exchange.connection.local.HostText();
  }
  const uint16_t port = exchange.connection.local.port();
  if (core.port_in_redirect && !exchange.connection.local.is_unix() && port != (tls ? 443 : 80)) {
    absolute += ':';
    absolute += std::to_string(port);
  }
  absolute += location;
  return exchange.arena.Copy(absolute);
}

}  // namespace framewall::content
