#include "proxy/process/cycle.h"

#include <unistd.h>

#include <utility>

#include "proxy/process/pid_file.h"

namespace framewall::process {
namespace {

// The value, or null after saying why.
template <class T>
bool Take(Result<T> result, T& into) {
  if (!result.ok()) {
    LogError(LogLevel::kEmerg, result.error());
    return false;
  }
  into = std::move(result).value();
  return true;
}

}  // namespace

std::unique_ptr<Cycle> Cycle::Build(const LaunchOptions& options, Cycle* previous,
                                    const ListenSockets* inherited, Purpose purpose) {
  const bool test = purpose == Purpose::kTest;
  std::unique_ptr<Cycle> cycle(new Cycle);
  if (previous != nullptr) cycle->generation_ = previous->generation_ + 1;

  config::Diagnostics diagnostics;
  cycle->config_ = config::Load(options.load, diagnostics);
  LogDiagnostics(diagnostics);
  if (cycle->config_ == nullptr) return nullptr;
  const config::MainConfig& main = cycle->config_->main;
  if (main.user_set && ::geteuid() != 0) {
    MainLog().Write(LogLevel::kWarn,
                    "the \"user\" directive makes sense only if the master process runs with "
                    "super-user privileges, ignored");
  }
  if (!Take(ResolveCredentials(main), cycle->credentials_)) return nullptr;
  if (test) {
    if (Status pid = CheckPidFile(main.pid_path); !pid.ok()) {
      LogError(LogLevel::kEmerg, pid.error());
      return nullptr;
    }
  }
  if (!Take(OpenMainLog(*cycle->config_, options.error_log), cycle->log_)) {
    return nullptr;
  }
  // Rules and certificates take long and fail often; sockets come last, because they are seen from
  // outside.
  config::Diagnostics problems;
  cycle->resources_ =
      server::Resources::Build(*cycle->config_, previous ? previous->resources_.get() : nullptr,
                               options.registry, test, problems);
  LogDiagnostics(problems);
  if (cycle->resources_ == nullptr) return nullptr;
  const ListenSockets* open_ones = previous != nullptr ? previous->sockets_.get() : inherited;
  auto sockets = ListenSockets::Open(
      cycle->config_->http, main.master_process ? main.worker_processes : 1, open_ones,
      test ? ListenSockets::Mode::kTest : ListenSockets::Mode::kServe);
  if (!sockets.ok()) return nullptr;  // the log knows
  cycle->sockets_ = std::move(sockets).value();
  if (!test && cycle->credentials_.change) {
    const Status given =
        cycle->resources_->GiveTo(cycle->credentials_.uid, cycle->credentials_.gid);
    if (!given.ok()) {
      LogError(LogLevel::kEmerg, given.error());
      return nullptr;
    }
    ChownLogFiles(cycle->credentials_.uid, cycle->credentials_.gid);
  }
  return cycle;
}

}  // namespace framewall::process
