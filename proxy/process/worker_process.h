// One worker process, from the fork to its death.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "proxy/base/clock.h"
#include "proxy/metrics/counters.h"
#include "proxy/process/cycle.h"

namespace framewall::process {

// A child of the master that serves.
struct WorkerProcess {
  pid_t pid = -1;
  int index = 0;       // in 0..worker_processes-1
  int generation = 0;  // of the cycle it was started for
  // In the metrics registry; nothing where all were taken.
  std::optional<size_t> metrics_slot;
  SteadyTime started{};
  bool exiting = false;  // was told QUIT or TERM: its end is no surprise
};

// Forks, with a slot of `registry`. The child serves and never returns. The error is fork's.
Result<WorkerProcess> StartWorker(Cycle& cycle, int index, metrics::Registry& registry);

// master_process off: this process serves, signals and all. Returns the exit status.
int ServeInThisProcess(Cycle& cycle, metrics::Registry& registry);

// Exit status of a worker that must not be started again: it would fail in the same way.
inline constexpr int kFatalExit = 2;

// Logs how a child ended, in nginx's words. `status` is waitpid's.
void LogExit(const std::string& name, pid_t pid, int status);

// How long to wait before a dead worker is started again. Who lived shorter than a second waits
// 100 ms, and twice as long with each such death, up to ten seconds.
class RespawnBrake {
 public:
  std::chrono::milliseconds AfterDeath(std::chrono::milliseconds lifetime);

 private:
  std::chrono::milliseconds delay_{0};
};

}  // namespace framewall::process
