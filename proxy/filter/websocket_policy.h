// What a WebSocket handshake must be before any upstream sees it: one by RFC 6455 4.2.1, and within
// websocket_origins, websocket_protocols, websocket_extensions and websocket_client_connections.
#pragma once

#include <memory>

#include "proxy/filter/filter.h"

namespace framewall::filter {

class FilterServices;

// Null for every request that does not ask a location for a WebSocket it would proxy.
std::unique_ptr<Filter> MakeWebSocketPolicy(Exchange& exchange, FilterServices& services);

// For the check and its tests: is `origin` (as the browser sent it) one of `allowed`, which are
// config::WebSocketSettings::origins? `host`: the request's own, without port.
bool OriginIsAllowed(std::string_view origin, const std::vector<std::string>& allowed,
                     std::string_view host);

}  // namespace framewall::filter
