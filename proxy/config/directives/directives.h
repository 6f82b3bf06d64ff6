// The rows of the directive table, one piece per feature, and what the builder and the loader need
// of their hand-written parts. directive_table joins the pieces in sight.
#pragma once

#include <cstdint>
#include <span>

#include "proxy/base/result.h"
#include "proxy/config/diagnostics.h"
#include "proxy/config/directive.h"
#include "proxy/config/directive_spec.h"
#include "proxy/config/model/http.h"

namespace framewall::config {

// A name may have several rows with different contexts (`server` in http and in upstream,
// keepalive_timeout, error_log): look up by name and context.
std::span<const DirectiveSpec> MainCoreDirectives();
std::span<const DirectiveSpec> EventsDirectives();
std::span<const DirectiveSpec> HttpCoreDirectives();
std::span<const DirectiveSpec> ServerCoreDirectives();
std::span<const DirectiveSpec> LocationCoreDirectives();
std::span<const DirectiveSpec> RewriteDirectives();
std::span<const DirectiveSpec> AccessDirectives();
std::span<const DirectiveSpec> RealIpDirectives();
std::span<const DirectiveSpec> HeadersDirectives();
std::span<const DirectiveSpec> LogDirectives();
std::span<const DirectiveSpec> ProxyDirectives();
std::span<const DirectiveSpec> ProxyTlsDirectives();
std::span<const DirectiveSpec> UpstreamDirectives();
std::span<const DirectiveSpec> TlsDirectives();
std::span<const DirectiveSpec> MapDirectives();
std::span<const DirectiveSpec> Geoip2Directives();
std::span<const DirectiveSpec> LimitsDirectives();
std::span<const DirectiveSpec> RedisDirectives();
std::span<const DirectiveSpec> WafDirectives();
std::span<const DirectiveSpec> WebSocketDirectives();
std::span<const DirectiveSpec> JwtDirectives();
// Everything else nginx knows: inert, refused, or harmless only in one value.
std::span<const DirectiveSpec> UnsupportedDirectives();

// What holds in http without any directive and is no plain default of the model: root "html",
// index, default types, the "combined" log format. Called when the http block is entered, before
// its leaves.
void SetHttpDefaults(Config& config);

// `location [= | ^~ | ~ | ~*] NAME` and the glued forms. Fills match, name and regex of `location`;
// `context` is the one around it: a location that cannot stand in its parent is an error.
Status ParseLocationMatch(BuildContext& context, const Directive& directive,
                          LocationConfig& location);

// limit_except's methods as bits of http::Method's numbers; GET includes HEAD.
Result<uint32_t> ParseLimitExceptMethods(const Directive& directive);

// `if (...)`: the arguments with their parentheses.
Result<Condition> ParseCondition(BuildContext& context, const Directive& directive);

// The listen of a server that has none: *:80 for root, *:8000 for others, as nginx.
ListenConfig DefaultListen();

// For directives that read a secret from the query argument `name` (auth_jwt token=$arg_NAME): no
// log of the server shows its value, whatever log_mask_arguments says.
void MaskArgument(LocationSettings& settings, std::string_view name);

// After the whole file is built: what each server, and all together, keep out of their logs.
void CollectMaskedArguments(Config& config);

// After the whole file is built: binds each proxy_pass without names to its upstream block, or
// makes an implied upstream of its address, whose name is resolved here (blocking). Reports
// upstreams without servers.
void ResolveProxyPasses(Config& config, Diagnostics& diagnostics);

// After the whole file is built: makes each allow and deny list quick to ask.
void BuildAccessLists(Config& config);

// After the whole file is built and identity is spread: gives each limit_req, limit_conn and
// websocket_limit_message the index of its zone, and each zone that of its redis.
void ResolveLimitZones(Config& config, Diagnostics& diagnostics);
// After the whole file is built: addresses of the redis blocks' servers (blocking), and what does
// not fit in them: no server, a database of a Cluster and the like.
void ResolveRedis(Config& config, Diagnostics& diagnostics);

}  // namespace framewall::config
