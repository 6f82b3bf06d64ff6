// What a configuration needs besides itself, made in the master before the fork and shared by its
// workers: rules, TLS contexts, shared memory for upstream state and limits, open logs.
#pragma once

#include <memory>
#include <string>

#include "proxy/base/log.h"
#include "proxy/config/diagnostics.h"
#include "proxy/config/model/http.h"

namespace framewall::metrics {
class Registry;
}

namespace framewall::server {

class Resources {
 public:
  virtual ~Resources() = default;

  // Loads everything. `previous` (may be null) lends what outlives a reload: shared memory of zones
  // that have not changed. Every problem is an error in `diagnostics`, then null is returned and
  // nothing has changed. `test_only`: -t; opens nothing for writing.
  static std::unique_ptr<Resources> Build(const config::Config& config, Resources* previous,
                                          metrics::Registry* registry, bool test_only,
                                          config::Diagnostics& diagnostics);

  // Hands files and directories that workers write (temp paths, logs, audit storage) to the
  // workers' user. Called as root, after Build.
  virtual Status GiveTo(unsigned uid, unsigned gid) = 0;
  // USR1, in the master: opens access, error and audit logs anew.
  virtual void ReopenLogs() = 0;
};

}  // namespace framewall::server
