// map, geo, geoip2 and split_clients, computed when a variable of theirs is read.
#pragma once

#include "proxy/config/model/http.h"
#include "proxy/exchange/variables.h"

namespace framewall::route {

class Geoip2;

class MapTable final : public exchange::ComputedVariables {
 public:
  // Both outlive it. `geoip2` may be null where no variable needs it.
  explicit MapTable(const config::Config& config, const Geoip2* geoip2 = nullptr)
      : config_(config), geoip2_(geoip2) {}
  void Compute(exchange::Exchange& exchange, const config::VariableName& name,
               exchange::Value& value) const override;

 private:
  const config::Config& config_;
  const Geoip2* geoip2_;
};

// MurmurHash2 as split_clients uses it.
uint32_t MurmurHash2(std::string_view text);

}  // namespace framewall::route
