// map, geo and split_clients, computed when a variable of theirs is read.
#pragma once

#include "proxy/config/model/http.h"
#include "proxy/exchange/variables.h"

namespace framewall::route {

// `config` outlives it.
class MapTable final : public exchange::ComputedVariables {
 public:
  explicit MapTable(const config::Config& config) : config_(config) {}
  void Compute(exchange::Exchange& exchange, const config::VariableName& name,
               exchange::Value& value) const override;

 private:
  const config::Config& config_;
};

// MurmurHash2 as split_clients uses it.
uint32_t MurmurHash2(std::string_view text);

}  // namespace framewall::route
