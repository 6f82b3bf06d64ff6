#include "proxy/filter/websocket_policy.h"

#include <unistd.h>

#include <algorithm>

#include "proxy/base/text.h"
#include "proxy/filter/limit_conn.h"
#include "proxy/filter/services.h"
#include "proxy/http/upgrade.h"
#include "proxy/ws/extensions.h"
#include "proxy/ws/handshake.h"

namespace framewall::filter {
namespace {

using http::FieldId;

// proxy_set_header Upgrade is what asks for sockets, as in nginx.
bool ProxiesSockets(const config::LocationConfig& location) {
  if (location.content != config::ContentKind::kProxy) return false;
  for (const config::HeaderLine& line : location.settings.proxy.set_header) {
    if (EqualsIgnoreCase(line.name, "Upgrade")) return true;
  }
  return false;
}

bool AsksForSocket(const http::RequestHead& head) {
  return head.fields.ListHas(FieldId::kUpgrade, "websocket") &&
         head.fields.ListHas(FieldId::kConnection, "upgrade");
}

// "https://a.example:8443" in its parts; host and port are views.
struct OriginParts {
  std::string_view scheme, host, port;
};
OriginParts SplitOrigin(std::string_view origin) {
  OriginParts parts;
  const size_t scheme = origin.find("://");
  if (scheme == origin.npos) return parts;
  parts.scheme = origin.substr(0, scheme);
  parts.host = origin.substr(scheme + 3);
  const size_t colon = parts.host.rfind(':');
  if (colon != parts.host.npos && parts.host.find(']', colon) == parts.host.npos) {
    parts.port = parts.host.substr(colon + 1);
    parts.host = parts.host.substr(0, colon);
  }
  return parts;
}

bool MatchesPattern(const OriginParts& origin, std::string_view pattern) {
  const OriginParts wanted = SplitOrigin(pattern);
  if (!EqualsIgnoreCase(origin.scheme, wanted.scheme) || origin.port != wanted.port) return false;
  if (!wanted.host.starts_with("*.")) return EqualsIgnoreCase(origin.host, wanted.host);
  const std::string_view domain = wanted.host.substr(1);
  return origin.host.size() > domain.size() && EndsWithIgnoreCase(origin.host, domain);
}

class WebSocketPolicy final : public Filter {
 public:
  explicit WebSocketPolicy(FilterServices& services) : services_(services) {}

  Verdict OnRequestHead(Exchange& exchange) override {
    const config::WebSocketSettings& settings = exchange.settings().websocket;
    if (const int status = CheckHandshake(exchange)) return Verdict::Respond(status);
    if (!CheckOrigin(exchange, settings) || !CheckProtocols(exchange, settings) ||
        !CheckExtensions(exchange, settings)) {
      return Verdict::Respond(403);
    }
    return CountClient(exchange, settings) ? Verdict::Continue() : Verdict::Respond(503);
  }
  bool OnUpgraded(Exchange&) override { return true; }
  void OnLog(const Exchange&) override { counted_ = CountedConnection(); }

 private:
  static void LogRefusal(const Exchange& exchange, std::string_view why) {
    exchange.LogError(LogLevel::kError, "WebSocket handshake refused: " + std::string(why));
  }

  // The status to refuse it with; 0: it is one.
  static int CheckHandshake(Exchange& exchange) {
    if (exchange.request.version != http::Version::kHttp11) {
      LogRefusal(exchange, "HTTP/1.1 was expected");
      return 400;
    }
    if (exchange.framing.kind == http::BodyFraming::Kind::kChunked ||
        (exchange.framing.kind == http::BodyFraming::Kind::kLength &&
         exchange.framing.length > 0)) {
      LogRefusal(exchange, "it has a body");
      return 400;
    }
    switch (http::CheckWebSocketHandshake(exchange.request)) {
      case http::WebSocketHandshake::kValid:
        break;
      case http::WebSocketHandshake::kBadVersion:
        exchange.response.fields.Add(FieldId::kSecWebSocketVersion, "13");
        LogRefusal(exchange, "Sec-WebSocket-Version: 13 was expected");
        return 426;
      case http::WebSocketHandshake::kMalformed:
      case http::WebSocketHandshake::kNone:
        LogRefusal(exchange, "GET with one Host and one valid Sec-WebSocket-Key was expected");
        return 400;
    }
    const http::HeaderMap& fields = exchange.request.fields;
    if (fields.Has(FieldId::kSecWebSocketProtocol) &&
        !ws::ParseSubprotocols(fields.Joined(FieldId::kSecWebSocketProtocol)).ok()) {
      LogRefusal(exchange, "Sec-WebSocket-Protocol is no list of different names");
      return 400;
    }
    if (fields.Has(FieldId::kSecWebSocketExtensions) &&
        !ws::ParseExtensions(fields.Joined(FieldId::kSecWebSocketExtensions)).ok()) {
      LogRefusal(exchange, "Sec-WebSocket-Extensions is no list of extensions");
      return 400;
    }
    return 0;
  }

  static bool CheckOrigin(const Exchange& exchange, const config::WebSocketSettings& settings) {
    if (settings.origins.empty()) return true;
    const http::HeaderMap& fields = exchange.request.fields;
    const std::string_view origin = fields.Get(FieldId::kOrigin);
    if (fields.Count(FieldId::kOrigin) <= 1 &&
        OriginIsAllowed(origin, settings.origins, exchange.host)) {
      return true;
    }
    LogRefusal(exchange, "origin \"" + std::string(origin) + "\" is not in websocket_origins");
    return false;
  }

  static bool CheckProtocols(const Exchange& exchange, const config::WebSocketSettings& settings) {
    const http::HeaderMap& fields = exchange.request.fields;
    if (settings.protocols.empty() || !fields.Has(FieldId::kSecWebSocketProtocol)) return true;
    // Names differ in case (RFC 6455 4.2.2), as the handshake towards the upstream has it too.
    const std::string asked = fields.Joined(FieldId::kSecWebSocketProtocol);
    const auto names = ws::ParseSubprotocols(asked);
    for (const std::string& name : settings.protocols) {
      if (names.ok() && std::find(names->begin(), names->end(), name) != names->end()) return true;
    }
    LogRefusal(exchange, "no sub-protocol that it asks for is in websocket_protocols");
    return false;
  }

  static bool CheckExtensions(const Exchange& exchange, const config::WebSocketSettings& settings) {
    if (settings.unknown_extensions == config::UnknownExtensions::kIgnore) return true;
    const auto extensions =
        ws::ParseExtensions(exchange.request.fields.Joined(FieldId::kSecWebSocketExtensions));
    if (!extensions.ok()) return true;  // there is no such field: CheckHandshake judged the others
    for (const ws::Extension& extension : *extensions) {
      if (EqualsIgnoreCase(extension.name, "permessage-deflate")) continue;
      LogRefusal(exchange, "it offers the extension \"" + extension.name + "\"");
      return false;
    }
    return true;
  }

  bool CountClient(const Exchange& exchange, const config::WebSocketSettings& settings) {
    if (settings.client_connections == 0 || settings.client_zone < 0) return true;
    const std::string key = exchange.client_address.is_unix()
                                ? "unix:"
                                : std::string(exchange.client_address.ip().bytes());
    const auto outcome =
        CountedConnection::Take(services_.limit_zones->zone(settings.client_zone), key,
                                settings.client_connections, ::getpid(), &counted_);
    if (outcome == CountedConnection::Outcome::kCounted) return true;
    LogRefusal(exchange, "the client has websocket_client_connections sockets already");
    return false;
  }

  FilterServices& services_;
  CountedConnection counted_;
};

}  // namespace

bool OriginIsAllowed(std::string_view origin, const std::vector<std::string>& allowed,
                     std::string_view host) {
  const OriginParts parts = SplitOrigin(origin);
  for (const std::string& pattern : allowed) {
    if (pattern == "none") {
      if (origin.empty()) return true;
    } else if (pattern == "same") {
      if (!parts.host.empty() && EqualsIgnoreCase(parts.host, host)) return true;
    } else if (MatchesPattern(parts, pattern)) {
      return true;
    }
  }
  return false;
}

std::unique_ptr<Filter> MakeWebSocketPolicy(Exchange& exchange, FilterServices& services) {
  if (!AsksForSocket(exchange.request) || !ProxiesSockets(*exchange.location)) return nullptr;
  return std::make_unique<WebSocketPolicy>(services);
}

}  // namespace framewall::filter
