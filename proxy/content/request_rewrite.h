// What goes to the upstream: where to, the request line and the fields.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "proxy/content/proxy_plan.h"
#include "proxy/exchange/exchange.h"
#include "proxy/http/message.h"

namespace framewall::content {

// proxy_pass for one request. Views are of the configuration or the exchange's arena.
struct ProxyDestination {
  bool secure = false;
  std::string_view uri;       // replaces the location's prefix; empty: none was given
  bool uri_is_whole = false;  // proxy_pass had names and a URI: `uri` is the target
  const config::UpstreamConfig* upstream = nullptr;  // of a proxy_pass without names
  // With names:
  std::string_view host;  // to find or to resolve; without port and brackets
  uint16_t port = 0;      // 0: none was written
  std::string_view unix_path;
};

// Also sets $proxy_host and $proxy_port. An error tells what is wrong with the expanded URL.
Result<ProxyDestination> FindDestination(exchange::Exchange& exchange, const ProxyPlan& plan);

// The request target; empty where nothing is left to send, which is an error.
std::string_view BuildTarget(exchange::Exchange& exchange, const ProxyPlan& plan,
                             const ProxyDestination& destination);

// Fills in method, target, version and fields; `connection` is the Connection field that
// proxy_set_header asks for. Framing is the codec's.
struct RewrittenRequest {
  std::optional<std::string_view> connection;
  // "websocket" for a valid handshake of one.
  std::string_view upgrade;  // the protocol that this request asks the upstream for; empty: none
};
RewrittenRequest RewriteRequest(exchange::Exchange& exchange, const ProxyPlan& plan,
                                const ProxyDestination& destination, http::RequestHead& head);

// Is the request a valid WebSocket handshake? The filters have refused what only looks like one.
bool IsSocketHandshake(const exchange::Exchange& exchange);

}  // namespace framewall::content
