// access_log: lines of finished exchanges, as log_format says.
#pragma once

#include <memory>

#include "proxy/config/diagnostics.h"
#include "proxy/config/model/http.h"
#include "proxy/event/loop.h"
#include "proxy/exchange/exchange.h"

namespace framewall::observe {

// Every access log of a configuration. Opened in the master (so that root's directories work),
// used in each worker; one write(2) a line unless `buffer=`.
class AccessLogs {
 public:
  // Opens files without names in their path and syslog sockets; errors into `diagnostics`.
  // `default_path`: where a location without access_log writes (combined).
  static std::unique_ptr<AccessLogs> Open(const config::Config& config, bool test_only,
                                          config::Diagnostics& diagnostics);
  virtual ~AccessLogs() = default;
  // In the worker, before the first line: timers of flush= run on `loop`.
  virtual void StartWorker(event::EventLoop& loop) = 0;
  // The log phase of an exchange.
  virtual void Write(exchange::Exchange& exchange) = 0;
  virtual void Flush() = 0;
  virtual void Reopen() = 0;
  // Gives the files to the workers' user, so that they may reopen them.
  virtual void Chown(unsigned uid, unsigned gid) = 0;
};

}  // namespace framewall::observe
