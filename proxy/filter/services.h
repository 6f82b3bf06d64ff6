// What a worker lends to filters.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proxy/exchange/exchange.h"

namespace framewall::event {
class EventLoop;
}
namespace framewall::json {
class Schema;
}
namespace framewall::metrics {
class Registry;
}
namespace framewall::waf {
class Engine;
class RuleSet;
}  // namespace framewall::waf

namespace framewall::filter {

class JwtKeys;
class LimitRedis;
class LimitZones;
class PasswordChecks;

// What became of a request or message in a zone of limit_req.
enum class LimitCount : uint8_t {
  kPassed,
  kDelayed,
  kRefused,
  kWithoutRedis,  // besides one of the others: decided by redis_down
};

class FilterServices {
 public:
  event::EventLoop* loop = nullptr;
  // By config::LimitZone::index.
  const LimitZones* limit_zones = nullptr;
  // Keys of auth_jwt and tokens verified with them.
  JwtKeys* jwt_keys = nullptr;
  // Null where no zone names a Redis.
  LimitRedis* limit_redis = nullptr;
  // By config::LimitZone::index.
  std::function<void(int zone, LimitCount what)> count_limit;
  // By LocationConfig::id; null where modsecurity is off or has no rules.
  const std::vector<std::shared_ptr<const waf::RuleSet>>* rule_sets = nullptr;
  // By path, as in websocket_schema.
  const std::map<std::string, std::shared_ptr<const json::Schema>>* schemas = nullptr;
  // Octets that bodies held for inspection take in this worker, against waf_worker_hold_limit.
  uint64_t held_octets = 0;
  // The engine of this process; null where no location uses it.
  waf::Engine* engine = nullptr;
  // A rule matched or refused; counts by rule id.
  std::function<void(int64_t rule_id, bool refused)> count_rule;
  // An audit record could not be written.
  std::function<void()> audit_lost;
  // auth_basic's.
  PasswordChecks* passwords = nullptr;
  // A subrequest without a client (exchange/subrequest.h), as if detached: a GET without fields,
  // from nobody's address, in that server. For what is fetched again now and then.
  std::function<std::unique_ptr<exchange::Subrequest>(const config::ServerConfig&,
                                                      const exchange::SubrequestOptions&,
                                                      exchange::SubrequestCallback)>
      start_subrequest;
};

}  // namespace framewall::filter
