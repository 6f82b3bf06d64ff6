#include "proxy/route/geoip2.h"

#include <string>
#include <utility>

#include "proxy/base/clock.h"
#include "proxy/exchange/builtin_variables.h"
#include "proxy/route/forwarded_address.h"

namespace framewall::route {
namespace {

using config::Geoip2Variable;
using exchange::Exchange;

IpAddress AddressFor(Exchange& exchange, const config::HttpConfig& http,
                     const Geoip2Variable& variable) {
  if (variable.source) {
    return IpAddress::Parse(exchange.Expand(*variable.source)).value_or(IpAddress());
  }
  return ForwardedAddress(exchange, exchange.client_address.ip(), http.geoip2_proxies,
                          http.geoip2_proxy_recursive);
}

}  // namespace

std::unique_ptr<Geoip2> Geoip2::Open(const config::Config& config, const Geoip2* previous,
                                     config::Diagnostics& diagnostics) {
  std::unique_ptr<Geoip2> made(new Geoip2(config));
  for (const config::Geoip2Database& setting : config.http.geoip2_databases) {
    State& state = made->states_.emplace_back();
    state.last_check = state.last_change = CachedNow().unix_seconds();
    const FileIdentity identity = IdentityOf(setting.path);
    for (size_t i = 0; previous != nullptr && i < previous->states_.size(); ++i) {
      if (previous->states_[i].database->identity() == identity) {
        state.database = previous->states_[i].database;
      }
    }
    if (state.database != nullptr) continue;
    auto opened = Geoip2Database::Open(setting.path);
    if (opened.ok()) {
      state.database = std::move(opened).value();
    } else {
      diagnostics.Error(setting.at, opened.error().message);
    }
  }
  for (const Geoip2Variable& variable : config.http.geoip2_variables) {
    auto& path = made->paths_.emplace_back();
    for (const std::string& step : variable.path) path.push_back(step.c_str());
    path.push_back(nullptr);
  }
  return made;
}

const exchange::NetworkLookup& Geoip2::Find(Exchange& exchange, size_t index,
                                            const IpAddress& address) const {
  const State& state = states_[index];
  for (const exchange::NetworkLookup& known : exchange.network_lookups) {
    if (known.database == index && known.version == state.version && known.address == address) {
      return known;
    }
  }
  exchange::NetworkLookup lookup{index, state.version, address};
  lookup.found = state.database->Find(address, &lookup.record);
  ++searches_;
  return exchange.network_lookups.emplace_back(lookup);
}

void Geoip2::Compute(Exchange& exchange, const Geoip2Variable& variable,
                     exchange::Value& value) const {
  const State& state = states_[variable.database];
  switch (variable.kind) {
    case Geoip2Variable::Kind::kBuildEpoch:
      return SetCopy(exchange, value, std::to_string(state.database->build_epoch()));
    case Geoip2Variable::Kind::kLastCheck:
      return SetCopy(exchange, value, std::to_string(state.last_check));
    case Geoip2Variable::Kind::kLastChange:
      return SetCopy(exchange, value, std::to_string(state.last_change));
    case Geoip2Variable::Kind::kRecord:
      break;
  }
  const auto number = static_cast<size_t>(&variable - config_.http.geoip2_variables.data());
  const IpAddress address = AddressFor(exchange, config_.http, variable);
  std::string text;
  if (!address.empty()) {
    const exchange::NetworkLookup& lookup = Find(exchange, variable.database, address);
    if (lookup.found && state.database->AppendValue(lookup.record, paths_[number].data(), text)) {
      return SetCopy(exchange, value, text);
    }
  }
  SetViewOrAbsent(value, variable.default_value);
}

void Geoip2::Replace(size_t index, std::shared_ptr<const Geoip2Database> database) {
  State& state = states_[index];
  state.database = std::move(database);
  ++state.version;
  state.last_change = state.database->identity().modified_seconds;
}

}  // namespace framewall::route
