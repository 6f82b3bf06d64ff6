#include "proxy/route/map_table.h"

#include <cstring>

#include "proxy/base/text.h"
#include "proxy/exchange/builtin_variables.h"

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

// The address geo looks at: the client's, or the one a trusted proxy names in X-Forwarded-For.
IpAddress GeoAddress(Exchange& exchange, const config::GeoConfig& geo) {
  const std::string_view text = exchange.Expand(geo.address);
  IpAddress address = IpAddress::Parse(text).value_or(IpAddress());
  const auto trusted = [&](const IpAddress& candidate) {
    for (const Cidr& proxy : geo.proxies) {
      if (proxy.Contains(candidate)) return true;
    }
    return false;
  };
  if (geo.proxies.empty() || !trusted(address)) return address;
  std::vector<IpAddress> hops;
  for (const http::Field& field : exchange.request.fields) {
    if (field.id != http::FieldId::kXForwardedFor) continue;
    ForEachListElement(field.value, [&](std::string_view hop) {
      hops.push_back(IpAddress::Parse(hop).value_or(IpAddress()));
    });
  }
  for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
    if (hop->empty()) break;
    address = *hop;
    if (!geo.proxy_recursive || !trusted(address)) break;
  }
  return address;
}

void ComputeGeo(Exchange& exchange, const config::GeoConfig& geo, Value& value) {
  const IpAddress address = GeoAddress(exchange, geo).Unmapped();
  SetView(value, geo.default_value);
  if (address.empty()) return;
  int best = -1;
  for (const auto& entry : geo.entries) {
    if (entry.network.prefix_length() > best && entry.network.Contains(address)) {
      best = entry.network.prefix_length();
      SetView(value, entry.value);
    }
  }
  for (const auto& range : geo.range_entries) {
    if (range.first.is_v4() == address.is_v4() && range.first <= address && address <= range.last) {
      SetView(value, range.value);
    }
  }
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
