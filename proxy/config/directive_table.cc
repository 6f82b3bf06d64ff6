#include "proxy/config/directive_table.h"

#include <algorithm>
#include <string>

#include "proxy/base/text.h"
#include "proxy/config/block_rows.h"
#include "proxy/config/directives/directives.h"

namespace framewall::config {
namespace {

struct NamedContext {
  Context context;
  std::string_view name;
};

constexpr NamedContext kContextNames[] = {
    {kMain, "main"},
    {kEvents, "events"},
    {kHttp, "http"},
    {kServer, "server"},
    {kLocation, "location"},
    {kUpstream, "upstream"},
    {kIfInServer, "if in server"},
    {kIfInLocation, "if in location"},
    {kLimitExcept, "limit_except"},
    {kRedis, "redis"},
};

}  // namespace

std::string_view ContextName(Context context) {
  for (const NamedContext& each : kContextNames) {
    if (each.context == context) return each.name;
  }
  return "";
}

std::string ContextNames(ContextSet contexts) {
  std::string names;
  for (const NamedContext& each : kContextNames) {
    if ((contexts & each.context) == 0) continue;
    if (!names.empty()) names += ", ";
    names += each.name;
  }
  return names;
}

const DirectiveTable& DirectiveTable::Get() {
  static const DirectiveTable table;
  return table;
}

DirectiveTable::DirectiveTable()
    : pieces_{
          {"Blocks and files", BlockDirectives()},
          {"Processes", MainCoreDirectives()},
          {"Connections of a worker", EventsDirectives()},
          {"HTTP", HttpCoreDirectives()},
          {"Servers", ServerCoreDirectives()},
          {"Locations", LocationCoreDirectives()},
          {"Rewriting", RewriteDirectives()},
          {"Access", AccessDirectives()},
          {"Tokens", JwtDirectives()},
          {"Real client address", RealIpDirectives()},
          {"Response headers", HeadersDirectives()},
          {"Logs", LogDirectives()},
          {"Proxying", ProxyDirectives()},
          {"TLS towards upstreams", ProxyTlsDirectives()},
          {"Upstreams", UpstreamDirectives()},
          {"TLS towards clients", TlsDirectives()},
          {"Computed variables", MapDirectives()},
          {"Countries and networks", Geoip2Directives()},
          {"Limits", LimitsDirectives()},
          {"Redis", RedisDirectives()},
          {"Web application firewall", WafDirectives()},
          {"WebSocket", WebSocketDirectives()},
          {"What nginx has besides", UnsupportedDirectives()},
      } {
  for (const DirectivePiece& piece : pieces_) {
    for (const DirectiveSpec& row : piece.rows) rows_.emplace(row.name, &row);
  }
}

const DirectiveSpec* DirectiveTable::Find(std::string_view name, Context context) const {
  const auto [first, last] = rows_.equal_range(name);
  for (auto each = first; each != last; ++each) {
    if ((each->second->contexts & context) != 0) return each->second;
  }
  return nullptr;
}

const DirectiveSpec* DirectiveTable::FindAnywhere(std::string_view name) const {
  const auto found = rows_.find(name);
  return found == rows_.end() ? nullptr : found->second;
}

std::string_view DirectiveTable::Nearest(std::string_view name, Context context) const {
  // A third of the letters may differ, at most two: "listem" is listen, "foo" is nothing.
  size_t nearest = std::min<size_t>(name.size() / 3, 2) + 1;
  std::string_view found;
  for (const auto& [known, row] : rows_) {
    if ((row->contexts & context) == 0 || row->support == Support::kRefused) continue;
    const size_t distance = EditDistance(name, known, nearest);
    if (distance >= nearest) continue;
    nearest = distance;
    found = known;
  }
  return found;
}

}  // namespace framewall::config
