// $name to value. The catalogue of built-in names, and their binding to a configuration's slots.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/config/model/http.h"
#include "proxy/config/variable_scope.h"
#include "proxy/exchange/exchange.h"

namespace framewall::exchange {

// Fills in the value; leaves it kAbsent where there is none. `suffix` is what follows the prefix
// of a family ("host" of $http_host).
using Getter = void (*)(Exchange&, std::string_view suffix, Value& value);

struct BuiltinVariable {
  std::string_view name;
  Getter get;
  bool is_family = false;   // `name` is a prefix: "http_"
  bool cacheable = false;   // the value cannot change within an exchange
  bool changeable = false;  // `set` may overwrite it
};

// The catalogue, joined in sight from variables_request.cc, variables_connection.cc, …
const BuiltinVariable* FindBuiltin(std::string_view name);
const config::VariableCatalog& BuiltinCatalog();

// Computes map, geo, geoip2 and split_clients variables; implemented by route/map_table.
class ComputedVariables {
 public:
  virtual ~ComputedVariables() = default;
  virtual void Compute(Exchange& exchange, const config::VariableName& name,
                       Value& value) const = 0;
};

// Slots of one configuration, bound once per cycle.
class Variables {
 public:
  // Both outlive it.
  Variables(const config::Config& config, const ComputedVariables& computed);
  ~Variables();
  void Evaluate(Exchange& exchange, config::VariableSlot slot, Value& value) const;
  size_t slot_count() const { return bound_.size(); }
  // `set $args` changes the exchange itself: true where it did, and nothing is to be stored.
  bool Assign(Exchange& exchange, config::VariableSlot slot, std::string_view text) const;
  bool cacheable(config::VariableSlot slot) const;
  // By `set` and its kin, or by a map, geo or split_clients; neither for built-in ones.
  enum class Origin : uint8_t { kBuiltin, kSet, kComputed };
  Origin origin(config::VariableSlot slot) const;
  // Is it made of what a verified token says, also through maps and the like? Not through `set`,
  // which stores what it finds.
  bool depends_on_identity(config::VariableSlot slot) const;

 private:
  struct Bound {
    const BuiltinVariable* builtin = nullptr;
    std::string_view suffix;
    const config::VariableName* name = nullptr;
    bool cacheable = false;
    bool depends_on_identity = false;
  };
  const config::Config& config_;
  const ComputedVariables& computed_;
  std::vector<Bound> bound_;
};

}  // namespace framewall::exchange
