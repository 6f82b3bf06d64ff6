// Both handshakes of a WebSocket that is proxied (RFC 6455 4, RFC 7692 7): ours towards the
// upstream, with a key and extensions of our own, and the answer to the client.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/content/request_rewrite.h"
#include "proxy/exchange/exchange.h"
#include "proxy/ws/extensions.h"

namespace framewall::content {

class WebSocketHandshake {
 public:
  explicit WebSocketHandshake(exchange::Exchange& exchange) : exchange_(exchange) {}

  // Makes the request that goes to the upstream a handshake of ours, whatever proxy_http_version
  // and proxy_set_header Connection say. May be called again for another try.
  void Dress(http::RequestHead& request, RewrittenRequest& rewritten);

  // The upstream's 101: its accept value, extensions and sub-protocol must be what was asked.
  Status Check(const http::ResponseHead& head);
  // After Check: the values of this hop in exchange.response are replaced by those for the client.
  void AnswerClient();

  const std::optional<ws::DeflateParams>& client_deflate() const { return client_deflate_; }
  const std::optional<ws::DeflateParams>& upstream_deflate() const { return upstream_deflate_; }
  std::string_view subprotocol() const { return subprotocol_; }

 private:
  const config::WebSocketSettings& settings() const { return exchange_.settings().websocket; }

  exchange::Exchange& exchange_;
  std::string key_;
  std::vector<std::string_view> asked_;  // sub-protocols, in the client's request
  std::optional<ws::DeflateParams> client_deflate_;
  std::optional<ws::DeflateParams> upstream_deflate_;
  std::string_view subprotocol_;
};

}  // namespace framewall::content
