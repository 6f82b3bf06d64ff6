// What limits of models need, wired: the Redis of the settings, where there is one, and the meter.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "backend/llm/meter.h"
#include "backend/observer.h"
#include "backend/probes.h"
#include "backend/settings/settings.h"
#include "backend/store/database.h"
#include "proxy/base/result.h"
#include "proxy/event/loop.h"
#include "proxy/redis/client.h"
#include "proxy/tls/context.h"

namespace framewall::backend {

class Budgets {
 public:
  // Connects to nothing. `loop` outlives it.
  static Result<std::unique_ptr<Budgets>> Make(event::EventLoop& loop, const Settings& settings);

  // Before anybody is served: what users had used of the day when the process before ended. Runs
  // the loop until it is there. Of keys nothing is written down.
  Status Restore(event::EventLoop& loop, store::Database& database);

  llm::Meter& meter() { return *meter_; }
  // For /ready and /metrics; it outlives them.
  void Watch(std::vector<Dependency>& dependencies, Metrics& metrics);

 private:
  Budgets() = default;
  void Probe(std::function<void(Status)> done);

  bool has_day_limit_ = false;
  std::unique_ptr<tls::ClientTlsContext> tls_;
  std::unique_ptr<redis::Client> redis_;  // null: there is none
  std::unique_ptr<llm::Meter> meter_;
  std::vector<std::function<void(Status)>> probing_;
  redis::Pending probe_;
};

}  // namespace framewall::backend
