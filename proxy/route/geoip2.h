// The databases of geoip2 and the variables that are read from them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "proxy/config/diagnostics.h"
#include "proxy/config/model/http.h"
#include "proxy/exchange/exchange.h"
#include "proxy/route/geoip2_database.h"

namespace framewall::route {

// Opened in the master and inherited by the workers, each of which replaces its own (Geoip2Reload).
class Geoip2 {
 public:
  // A database that cannot be used is an error at its place in the configuration. What `previous`
  // (may be null) holds of the same files is shared. `config` outlives it.
  static std::unique_ptr<Geoip2> Open(const config::Config& config, const Geoip2* previous,
                                      config::Diagnostics& diagnostics);

  // Finds the record once for an exchange, database and address.
  void Compute(exchange::Exchange& exchange, const config::Geoip2Variable& variable,
               exchange::Value& value) const;

  const Geoip2Database& database(size_t index) const { return *states_[index].database; }
  // Unix seconds.
  void SetChecked(size_t index, int64_t now) { states_[index].last_check = now; }
  // From now on look-ups go there.
  void Replace(size_t index, std::shared_ptr<const Geoip2Database> database);
  // Searches in databases so far.
  uint64_t searches() const { return searches_; }

 private:
  struct State {
    std::shared_ptr<const Geoip2Database> database;
    uint32_t version = 0;
    int64_t last_check = 0, last_change = 0;
  };
  explicit Geoip2(const config::Config& config) : config_(config) {}
  const exchange::NetworkLookup& Find(exchange::Exchange& exchange, size_t index,
                                      const IpAddress& address) const;

  const config::Config& config_;
  std::vector<State> states_;                    // by Geoip2Variable::database
  std::vector<std::vector<const char*>> paths_;  // by number of the variable, null at the end
  mutable uint64_t searches_ = 0;
};

}  // namespace framewall::route
