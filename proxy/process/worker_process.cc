#include "proxy/process/worker_process.h"

#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "proxy/process/process_title.h"
#include "proxy/process/signals.h"
#include "proxy/server/worker_metrics.h"

namespace framewall::process {
namespace {

server::WorkerInputs InputsFor(Cycle& cycle, int index, metrics::Registry& registry) {
  server::WorkerInputs inputs;
  inputs.config = &cycle.config();
  inputs.resources = &cycle.resources();
  inputs.registry = &registry;
  inputs.listeners = cycle.sockets().ForWorker(index, cycle.main().worker_processes);
  inputs.index = index;
  inputs.generation = cycle.generation();
  inputs.logs_reopened = [&cycle] { RedirectStandardError(cycle.log()); };
  return inputs;
}

// libmodsecurity and others draw from rand(): without a seed of its own every worker would draw the
// same numbers.
void SeedRandom() {
  unsigned seed = static_cast<unsigned>(::getpid());
  if (::getrandom(&seed, sizeof(seed), 0) != static_cast<ssize_t>(sizeof(seed))) {
    seed ^= static_cast<unsigned>(CachedNow().unix_milliseconds);
  }
  std::srand(seed);
  ::srandom(seed);
}

int Serve(Cycle& cycle, int index, std::optional<size_t> slot, metrics::Registry& registry) {
  SetProcessTitle("worker process");
  ReplaceEnvironment(AllowedEnvironment(cycle.main().env));
  cycle.sockets().CloseForeign(index, cycle.main().worker_processes);
  if (Status entered = EnterWorker(cycle.main(), cycle.credentials()); !entered.ok()) {
    LogError(LogLevel::kEmerg, entered.error());
    return kFatalExit;
  }
  SeedRandom();
  server::WorkerInputs inputs = InputsFor(cycle, index, registry);
  inputs.metrics_slot = static_cast<int>(slot.value_or(0));
  inputs.signals_handled = UnblockSignalsInWorker;
  inputs.signals_unhandled = BlockSignalsInWorker;
  return server::RunWorker(inputs);
}

}  // namespace

Result<WorkerProcess> StartWorker(Cycle& cycle, int index, metrics::Registry& registry) {
  const std::optional<size_t> slot = registry.AcquireSlot();
  const pid_t pid = ::fork();
  if (pid < 0) {
    const int reason = errno;
    if (slot) registry.ReleaseSlot(*slot);
    return SystemError("fork() failed while spawning \"worker process\"", reason);
  }
  if (pid == 0) {
    UpdateCachedNow();
    const int status = Serve(cycle, index, slot, registry);
    std::fflush(nullptr);
    // No destructors: what they would tidy up is the master's.
    ::_exit(status);
  }
  MainLog().Write(LogLevel::kNotice, "start worker process " + std::to_string(pid));
  WorkerProcess worker;
  worker.pid = pid;
  worker.index = index;
  worker.generation = cycle.generation();
  worker.metrics_slot = slot;
  worker.started = CachedNow().steady;
  return worker;
}

int ServeInThisProcess(Cycle& cycle, metrics::Registry& registry) {
  server::SetWorkerGenerations(registry, 1);
  ReplaceEnvironment(AllowedEnvironment(cycle.main().env));
  SeedRandom();
  server::WorkerInputs inputs = InputsFor(cycle, 0, registry);
  inputs.single_process = true;
  inputs.signals_handled = UnblockSignalsInWorker;
  inputs.signals_unhandled = BlockSignalsInWorker;
  return server::RunWorker(inputs);
}

void LogExit(const std::string& name, pid_t pid, int status) {
  std::string text = name + " " + std::to_string(pid) + " exited ";
  if (WIFSIGNALED(status)) {
    text += "on signal " + std::to_string(WTERMSIG(status));
    if (WCOREDUMP(status)) text += " (core dumped)";
    MainLog().Write(LogLevel::kAlert, text);
    return;
  }
  text += "with code " + std::to_string(WEXITSTATUS(status));
  MainLog().Write(LogLevel::kNotice, text);
}

std::chrono::milliseconds RespawnBrake::AfterDeath(std::chrono::milliseconds lifetime) {
  using std::chrono::milliseconds;
  if (lifetime >= milliseconds(1000)) {
    delay_ = milliseconds(0);
  } else {
    delay_ = std::clamp(delay_ * 2, milliseconds(100), milliseconds(10000));
  }
  return delay_;
}

}  // namespace framewall::process
