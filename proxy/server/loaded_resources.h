// Resources as they are: what a worker takes from the master.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proxy/filter/jwt_keys.h"
#include "proxy/filter/limit_zone.h"
#include "proxy/json/schema.h"
#include "proxy/observe/access_log.h"
#include "proxy/route/geoip2.h"
#include "proxy/server/resources.h"
#include "proxy/server/tls_contexts.h"
#include "proxy/upstream/client_tls.h"
#include "proxy/upstream/shared_state.h"
#include "waf/engine.h"
#include "waf/rule_set.h"

namespace framewall::server {

struct LoadedResources final : public Resources {
  const config::Config* config = nullptr;
  std::unique_ptr<TlsContexts> tls;
  std::unique_ptr<upstream::ClientTls> client_tls;
  // By RedisConfig::index; null where it speaks plain text.
  std::vector<std::unique_ptr<tls::ClientTlsContext>> redis_tls;
  std::unique_ptr<upstream::SharedState> upstream_state;
  std::unique_ptr<filter::LimitZones> limit_zones;
  std::unique_ptr<filter::JwtKeyFiles> jwt_key_files;
  std::unique_ptr<route::Geoip2> geoip2;
  std::unique_ptr<observe::AccessLogs> access_logs;
  std::vector<std::unique_ptr<Log>> error_logs;
  // Null where no location uses rules.
  waf::Engine* engine = nullptr;
  // By LocationConfig::id.
  std::vector<std::shared_ptr<const waf::RuleSet>> rule_sets;
  // By path, as in websocket_schema.
  std::map<std::string, std::shared_ptr<const json::Schema>> schemas;

  Status GiveTo(unsigned uid, unsigned gid) override;
  void ReopenLogs() override;
  // In the master the files belong to the workers' user, who must be able to open them anew.
  unsigned uid = 0;
  unsigned gid = 0;
  bool given = false;
};

}  // namespace framewall::server
