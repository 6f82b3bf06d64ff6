#include "proxy/content/request_rewrite.h"

#include <algorithm>
#include <string>

#include "proxy/base/encoding.h"
#include "proxy/base/text.h"
#include "proxy/config/host_port.h"
#include "proxy/http/upgrade.h"

namespace framewall::content {
namespace {

using exchange::Exchange;
using http::FieldId;

Error UrlError(std::string_view text, std::string_view url) {
  std::string message(text);
  message.append(" in \"").append(url).append("\"");
  return Error{ErrorKind::kSyntax, ErrorSource::kOperator, std::move(message), 0};
}

// http://$name… for one request.
Result<ProxyDestination> Evaluate(Exchange& exchange, const config::ProxyPass& pass) {
  const std::string_view url = exchange.Expand(pass.url);
  ProxyDestination destination;
  std::string_view rest;
  if (StartsWithIgnoreCase(url, "http://")) {
    rest = url.substr(7);
  } else if (StartsWithIgnoreCase(url, "https://")) {
    destination.secure = true;
    rest = url.substr(8);
  } else {
    return UrlError("invalid URL prefix", url);
  }
  auto where = config::ParseHostPort(rest, true);
  if (!where.ok()) return UrlError(where.error().message, url);

  Arena& arena = exchange.arena;
  const uint16_t scheme_port = destination.secure ? 443 : 80;
  destination.host = arena.Copy(where->host);
  destination.port = where->port;
  destination.unix_path = arena.Copy(where->unix_path);
  if (!where->uri.empty()) {
    destination.uri_is_whole = true;
    destination.uri =
        where->uri.front() == '/' ? arena.Copy(where->uri) : arena.Join("/", where->uri);
  }
  if (where->is_unix()) {
    exchange.proxy_host = "localhost";
    exchange.proxy_port = {};
    return destination;
  }
  const uint16_t port = where->port != 0 ? where->port : scheme_port;
  exchange.proxy_port = arena.Copy(std::to_string(port));
  std::string host = where->bracketed ? "[" + where->host + "]" : where->host;
  if (port != scheme_port) host.append(":").append(exchange.proxy_port);
  exchange.proxy_host = arena.Copy(host);
  return destination;
}

// The target as the client sent it, without scheme, host and fragment.
std::string_view UnparsedUri(const Exchange& exchange) {
  const http::RequestTarget& target = exchange.target;
  if (!target.has_query) return target.path;
  // Path and query are neighbours in what was sent.
  const char* end = target.query.data() + target.query.size();
  return {target.path.data(), static_cast<size_t>(end - target.path.data())};
}

// Nominated by the client's Connection: for this hop only, whatever it is called.
class Nominated {
 public:
  explicit Nominated(const http::HeaderMap& fields) {
    for (const http::Field& field : fields) {
      if (field.id != FieldId::kConnection) continue;
      ForEachListElement(field.value, [this](std::string_view name) {
        if (!EqualsIgnoreCase(name, "close") && !EqualsIgnoreCase(name, "keep-alive")) {
          names_.push_back(name);
        }
      });
    }
  }
  bool Has(std::string_view name) const {
    return std::any_of(names_.begin(), names_.end(),
                       [&](std::string_view other) { return EqualsIgnoreCase(other, name); });
  }
  bool empty() const { return names_.empty(); }

 private:
  std::vector<std::string_view> names_;
};

}  // namespace

bool IsSocketHandshake(const Exchange& exchange) {
  return http::CheckWebSocketHandshake(exchange.request) == http::WebSocketHandshake::kValid;
}

Result<ProxyDestination> FindDestination(Exchange& exchange, const ProxyPlan& plan) {
  const config::ProxyPass& pass = exchange.location->proxy_pass;
  if (pass.has_variables) return Evaluate(exchange, pass);
  ProxyDestination destination;
  destination.secure = pass.secure;
  if (pass.has_uri) {
    destination.uri =
        pass.uri.starts_with('/') ? std::string_view(pass.uri) : exchange.arena.Join("/", pass.uri);
  }
  destination.upstream = pass.upstream;
  exchange.proxy_host = pass.host_text;
  exchange.proxy_port = plan.proxy_port;
  return destination;
}

std::string_view BuildTarget(Exchange& exchange, const ProxyPlan& plan,
                             const ProxyDestination& destination) {
  if (destination.uri_is_whole) return destination.uri;
  if (destination.uri.empty() && exchange.valid_unparsed_uri) return UnparsedUri(exchange);

  std::string target;
  std::string_view path = exchange.uri;
  if (exchange.valid_location && !destination.uri.empty()) {
    target.append(destination.uri);
    path.remove_prefix(std::min(plan.location_prefix.size(), path.size()));
  }
  AppendPercentEncoded(target, path, UriEscape::kUri);
  if (!exchange.args.empty()) target.append("?").append(exchange.args);
  return exchange.arena.Copy(target);
}

RewrittenRequest RewriteRequest(Exchange& exchange, const ProxyPlan& plan,
                                const ProxyDestination& destination, http::RequestHead& head) {
  const config::ProxySettings& settings = exchange.settings().proxy;
  RewrittenRequest rewritten;

  head.Clear();
  head.method = exchange.request.method;
  head.method_name = exchange.request.method_name;
  if (!settings.method.empty()) {
    const std::string_view method = exchange.Expand(settings.method);
    // What is no token could end the request line.
    if (IsToken(method)) {
      head.method_name = method;
      head.method = http::FindMethod(method);
    }
  }
  head.version = settings.http11 ? http::Version::kHttp11 : http::Version::kHttp10;
  head.target = BuildTarget(exchange, plan, destination);

  const http::HeaderMap& client = exchange.request.fields;
  head.fields.Reserve(client.size() + plan.set_fields.size() + 1);
  bool has_host = false;
  for (const ProxyPlan::SetField& field : plan.set_fields) {
    if (field.id == FieldId::kHost) has_host = true;
    const std::string_view value = exchange.Expand(*field.value);
    if (value.empty()) continue;
    if (field.id == FieldId::kUpgrade) {
      if (exchange.is_subrequest()) continue;  // nobody could take the other protocol up
      if (ListContainsToken(value, "websocket") && IsSocketHandshake(exchange)) {
        rewritten.upgrade = "websocket";  // WebSocketHandshake::Dress writes the fields
        continue;
      }
      // A tunnel is made only where that is set, for what the client asked for, in 1.1; and never
      // for HTTP/2, whose requests nobody would see.
      if (exchange.settings().websocket.other_upgrades != config::OtherUpgrades::kPass ||
          !settings.http11 || http::UpgradeToken(exchange.request).empty() ||
          ListContainsToken(value, "websocket") || StartsWithIgnoreCase(value, "h2c")) {
        continue;
      }
      rewritten.upgrade = value;
    }
    head.fields.AddView(field.name, value, field.id);
  }
  if (!has_host && !exchange.proxy_host.empty()) {
    head.fields.AddView("Host", exchange.proxy_host, FieldId::kHost);
  }
  if (plan.connection != nullptr) rewritten.connection = exchange.Expand(*plan.connection);

  if (settings.pass_request_headers) {
    const Nominated nominated(client);
    for (const http::Field& field : client) {
      if (plan.not_passed.Has(field)) continue;
      if (!nominated.empty() && nominated.Has(field.name)) continue;
      head.fields.AddView(field.name, field.value, field.id);
    }
  }
  return rewritten;
}

}  // namespace framewall::content
