#include "proxy/route/map_table.h"

#include <cstring>

#include "proxy/base/check.h"
#include "proxy/base/text.h"
#include "proxy/exchange/builtin_variables.h"
#include "proxy/route/forwarded_address.h"
#include "proxy/route/geoip2.h"

namespace framewall::route {
namespace {

using exchange::Exchange;
using exchange::SetView;
using exchange::Value;

const config::Template* FindInMap(Exchange& exchange, const config::MapConfig& map,
                                  std::string_view source) {
  std::string key = ToLower(source);
  if (map.hostnames && !key.empty() && key.back() == '.') key.pop_back();
  if (const auto found = map.exact.find(key); found != map.exact.end()) return &found->second;
  const std::string_view host = key;
  for (size_t dot = host.find('.'); !map.leading_wildcards.empty() && dot != host.npos;
       dot = host.find('.', dot + 1)) {
    const auto found = map.leading_wildcards.find(host.substr(dot + 1));
    if (found != map.leading_wildcards.end()) return &found->second;
  }
  for (size_t dot = host.rfind('.'); !map.trailing_wildcards.empty() && dot != host.npos && dot > 0;
       dot = host.rfind('.', dot - 1)) {
    const auto found = map.trailing_wildcards.find(host.substr(0, dot));
    if (found != map.trailing_wildcards.end()) return &found->second;
  }
  for (const config::MapConfig::RegexValue& entry : map.regexes) {
    if (exchange.MatchRegex(entry.regex, source)) return &entry.value;
  }
  return nullptr;
}

void ComputeMap(Exchange& exchange, const config::MapConfig& map, Value& value) {
  const std::string_view source = exchange.Expand(map.source);
  const config::Template* found = FindInMap(exchange, map, source);
  SetView(value, exchange.Expand(found == nullptr ? map.default_value : *found));
}

void ComputeGeo(Exchange& exchange, const config::GeoConfig& geo, Value& value) {
  const IpAddress named = IpAddress::Parse(exchange.Expand(geo.address)).value_or(IpAddress());
  const IpAddress address = ForwardedAddress(exchange, named, geo.proxies, geo.proxy_recursive);
  const uint32_t found = geo.networks.Find(address);
  SetView(value, found == NetworkMap::kNone ? geo.default_value : geo.values[found]);
}

void ComputeSplit(Exchange& exchange, const config::SplitClientsConfig& split, Value& value) {
  const uint32_t hash = MurmurHash2(exchange.Expand(split.source));
  for (const auto& part : split.parts) {
    if (part.upper == 0 || hash < part.upper) return SetView(value, part.value);
  }
  SetView(value, "");
}

}  // namespace

void MapTable::Compute(Exchange& exchange, const config::VariableName& name, Value& value) const {
  const auto index = static_cast<size_t>(name.index);
  switch (name.kind) {
    case config::VariableKind::kMap:
      return ComputeMap(exchange, config_.http.maps[index], value);
    case config::VariableKind::kGeo:
      return ComputeGeo(exchange, config_.http.geos[index], value);
    case config::VariableKind::kGeoip2:
      FW_CHECK(geoip2_ != nullptr);
      return geoip2_->Compute(exchange, config_.http.geoip2_variables[index], value);
    case config::VariableKind::kSplit:
      return ComputeSplit(exchange, config_.http.split_clients[index], value);
    case config::VariableKind::kReferenced:
    case config::VariableKind::kSet:
    case config::VariableKind::kToken:
      return;
  }
}

uint32_t MurmurHash2(std::string_view text) {
  constexpr uint32_t kMultiplier = 0x5bd1e995;
  size_t left = text.size();
  const char* data = text.data();
  uint32_t hash = static_cast<uint32_t>(left);
  while (left >= 4) {
    uint32_t word;
    std::memcpy(&word, data, 4);
    word *= kMultiplier;
    word ^= word >> 24;
    word *= kMultiplier;
    hash *= kMultiplier;
    hash ^= word;
    data += 4;
    left -= 4;
  }
  uint32_t tail = 0;
  for (size_t i = left; i > 0; --i) tail = (tail << 8) | static_cast<uint8_t>(data[i - 1]);
  if (left > 0) {
    hash ^= tail;
    hash *= kMultiplier;
  }
  hash ^= hash >> 13;
  hash *= kMultiplier;
  hash ^= hash >> 15;
  return hash;
}

}  // namespace framewall::route
