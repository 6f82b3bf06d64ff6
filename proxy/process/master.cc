#include "proxy/process/master.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "proxy/process/pid_file.h"
#include "proxy/process/process_title.h"
#include "proxy/process/upgrade.h"
#include "proxy/server/worker_metrics.h"

namespace framewall::process {
namespace {

// New workers get this long to start before the old ones stop accepting. Nothing is lost without
// it, since both have the same sockets; it spares waiting clients the start-up.
constexpr std::chrono::milliseconds kOldWorkersStay{100};
constexpr std::chrono::milliseconds kKillAfter{1000};

}  // namespace

Master::Master(const LaunchOptions& options, std::unique_ptr<Cycle> cycle, const MasterStart& start)
    : options_(options), cycle_(std::move(cycle)), start_(start) {}

int Master::Run() {
  std::string title = "master process";
  for (const std::string& argument : SavedArguments()) title += " " + argument;
  SetProcessTitle(title);
  StartWorkers();
  while (!(stopping() && workers_.empty())) {
    const auto signal = WaitForSignal(UntilNextDeadline());
    UpdateCachedNow();
    if (signal) Handle(*signal);
    RunDeadlines();
  }
  return Exit();
}

const char* Master::ActionOf(int number) const {
  switch (number) {
    case SIGQUIT:
      return ", shutting down";
    case SIGTERM:
    case SIGINT:
      return ", exiting";
    case SIGWINCH:
      return start_.daemonized ? ", stop accepting connections" : "";
    case SIGHUP:
      return ", reconfiguring";
    case SIGUSR1:
      return ", reopening logs";
    case SIGUSR2:
      return FilesBelongToAnother() ? ", ignoring" : ", changing binary";
    default:
      return "";
  }
}

void Master::Handle(const ReceivedSignal& signal) {
  std::string text = "signal " + std::to_string(signal.number) + " (" +
                     std::string(SignalName(signal.number)) + ") received";
  if (signal.sender != 0) text += " from " + std::to_string(signal.sender);
  MainLog().Write(LogLevel::kNotice, text + ActionOf(signal.number));

  switch (signal.number) {
    case SIGCHLD:
      return Reap();
    case SIGTERM:
    case SIGINT:
      return Terminate();
    case SIGQUIT:
      return Quit();
    default:
      break;
  }
  // Who is leaving changes nothing else any more; logs may be rotated to the end.
  if (stopping() && signal.number != SIGUSR1) return;
  switch (signal.number) {
    case SIGHUP:
      return Reload();
    case SIGUSR1:
      return ReopenLogs();
    case SIGUSR2:
      return ChangeBinary();
    case SIGWINCH:
      return StopAccepting();
    default:
      break;
  }
}

void Master::Reload() {
  if (new_binary_ > 0) {
    // The way back from an exchange of binaries: our workers again, with what they had.
    accepting_stopped_ = false;
    StartWorkers();
    return;
  }
  MainLog().Write(LogLevel::kNotice, "reconfiguring");
  std::unique_ptr<Cycle> next =
      Cycle::Build(options_, cycle_.get(), nullptr, Cycle::Purpose::kServe);
  if (next == nullptr || !MovePidFile(*next)) {
    MainLog().Write(LogLevel::kError, "reconfiguration failed, the running configuration is kept");
    return;
  }
  // Reloads that follow fast must not keep putting off the end of those before.
  QuitOldGenerations();
  UseMainLog(next->log(), Console::kDrop);
  RedirectStandardError(next->log());
  // Closes what only the old cycle wanted, before workers inherit it.
  cycle_->sockets().LeaveFiles(FilesBelongToAnother());
  cycle_ = std::move(next);
  respawns_.clear();
  brakes_.clear();
  StartWorkers();
  LimitGenerations();
  quit_old_at_ = CachedNow().steady + kOldWorkersStay;
}

bool Master::MovePidFile(const Cycle& next) {
  const std::string& old_path = cycle_->main().pid_path;
  const std::string& path = next.main().pid_path;
  if (path == old_path) return true;
  if (Status written = WritePidFile(path, ::getpid()); !written.ok()) {
    LogError(LogLevel::kEmerg, written.error());
    return false;
  }
  if (::unlink(old_path.c_str()) != 0) {
    MainLog().Write(LogLevel::kAlert, "unlink() \"" + old_path + "\" failed", nullptr, errno);
  }
  return true;
}

void Master::ReopenLogs() {
  MainLog().Write(LogLevel::kNotice, "reopening logs");
  // Files are given to the workers' user again: else workers could not open them.
  cycle_->resources().ReopenLogs();
  RedirectStandardError(cycle_->log());
  SendToAll(SIGUSR1);
}

void Master::ChangeBinary() {
  if (FilesBelongToAnother()) {
    MainLog().Write(LogLevel::kCrit,
                    "the changing binary signal is ignored: you should shutdown or terminate "
                    "before either old or new binary's process");
    return;
  }
  MainLog().Write(LogLevel::kNotice, "changing binary");
  const auto started = StartNewBinary(cycle_->main().pid_path, cycle_->sockets(),
                                      AllowedEnvironment(cycle_->main().env));
  if (!started.ok()) {
    LogError(LogLevel::kAlert, started.error());
    return;
  }
  new_binary_ = *started;
}

void Master::Quit() {
  quitting_ = true;
  respawns_.clear();
  SendToAll(SIGQUIT);
  CloseSockets();
}

void Master::Terminate() {
  terminating_ = true;
  respawns_.clear();
  SendToAll(SIGTERM);
  if (!terminate_again_at_) terminate_again_at_ = CachedNow().steady + terminate_delay_;
}

void Master::StopAccepting() {
  if (!start_.daemonized) return;
  accepting_stopped_ = true;
  respawns_.clear();
  SendToAll(SIGQUIT);
}

void Master::StartWorkers() {
  MainLog().Write(LogLevel::kNotice, "start worker processes");
  brakes_.resize(static_cast<size_t>(cycle_->main().worker_processes));
  for (int index = 0; index < cycle_->main().worker_processes; ++index) StartOne(index);
}

void Master::StartOne(int index) {
  auto started = StartWorker(*cycle_, index, *options_.registry);
  if (!started.ok()) {
    LogError(LogLevel::kAlert, started.error());
    // Out of processes or memory: later, perhaps.
    const auto delay = brakes_[static_cast<size_t>(index)].AfterDeath(std::chrono::milliseconds(0));
    respawns_.push_back({index, CachedNow().steady + delay});
    return;
  }
  workers_.push_back(*started);
  CountGenerations();
}

void Master::SendTo(WorkerProcess& worker, int number) {
  if (worker.exiting && number == SIGQUIT) return;
  if (::kill(worker.pid, number) != 0 && errno != ESRCH) {
    MainLog().Write(
        LogLevel::kAlert,
        "kill(" + std::to_string(worker.pid) + ", " + std::to_string(number) + ") failed", nullptr,
        errno);
  }
  if (number != SIGUSR1) worker.exiting = true;
}

void Master::SendToAll(int number) {
  for (WorkerProcess& worker : workers_) SendTo(worker, number);
}

void Master::QuitOldGenerations() {
  for (WorkerProcess& worker : workers_) {
    if (worker.generation != cycle_->generation()) SendTo(worker, SIGQUIT);
  }
}

std::set<int> Master::OldGenerations() const {
  std::set<int> old;
  for (const WorkerProcess& worker : workers_) {
    if (worker.generation != cycle_->generation()) old.insert(worker.generation);
  }
  return old;
}

void Master::CountGenerations() const {
  const bool has_present = std::any_of(
      workers_.begin(), workers_.end(),
      [this](const WorkerProcess& worker) { return worker.generation == cycle_->generation(); });
  server::SetWorkerGenerations(*options_.registry, OldGenerations().size() + has_present);
}

void Master::LimitGenerations() {
  std::set<int> old = OldGenerations();
  while (old.size() > std::max<uint64_t>(cycle_->main().worker_old_generations, 1)) {
    const int oldest = *old.begin();
    old.erase(old.begin());
    MainLog().Write(LogLevel::kWarn,
                    "workers of " + std::to_string(old.size() + 1) +
                        " old generations are still draining, terminating the oldest; see "
                        "worker_old_generations and worker_shutdown_timeout");
    for (WorkerProcess& worker : workers_) {
      if (worker.generation == oldest) SendTo(worker, SIGTERM);
    }
  }
}

void Master::Reap() {
  int status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid == new_binary_) {
      LogExit("new binary process", pid, status);
      OnNewBinaryDeath();
      continue;
    }
    const auto found = std::find_if(workers_.begin(), workers_.end(),
                                    [pid](const auto& worker) { return worker.pid == pid; });
    if (found == workers_.end()) {
      LogExit("unknown process", pid, status);
      continue;
    }
    const WorkerProcess worker = *found;
    workers_.erase(found);
    if (worker.metrics_slot) options_.registry->ReleaseSlot(*worker.metrics_slot);
    OnWorkerDeath(worker, status);
  }
  CountGenerations();
}

void Master::OnWorkerDeath(const WorkerProcess& worker, int status) {
  LogExit("worker process", worker.pid, status);
  if (worker.exiting || stopping() || accepting_stopped_) return;
  if (worker.generation != cycle_->generation()) return;
  if (WIFEXITED(status) && WEXITSTATUS(status) == kFatalExit) {
    MainLog().Write(LogLevel::kAlert, "worker process " + std::to_string(worker.pid) +
                                          " exited with fatal code " + std::to_string(kFatalExit) +
                                          " and cannot be respawned");
    return;
  }
  const auto lifetime =
      std::chrono::duration_cast<std::chrono::milliseconds>(CachedNow().steady - worker.started);
  const auto delay = brakes_[static_cast<size_t>(worker.index)].AfterDeath(lifetime);
  respawns_.push_back({worker.index, CachedNow().steady + delay});
}

void Master::OnNewBinaryDeath() {
  new_binary_ = 0;
  RestorePidFile(cycle_->main().pid_path);
  if (!accepting_stopped_ || stopping()) return;
  accepting_stopped_ = false;
  StartWorkers();
}

std::optional<std::chrono::milliseconds> Master::UntilNextDeadline() const {
  std::optional<SteadyTime> next;
  const auto consider = [&next](SteadyTime when) {
    if (!next || when < *next) next = when;
  };
  for (const Respawn& respawn : respawns_) consider(respawn.when);
  if (quit_old_at_) consider(*quit_old_at_);
  if (terminate_again_at_) consider(*terminate_again_at_);
  if (!next) return std::nullopt;
  UpdateCachedNow();
  return std::chrono::ceil<std::chrono::milliseconds>(
      std::max(*next - CachedNow().steady, SteadyTime::duration::zero()));
}

void Master::RunDeadlines() {
  const SteadyTime now = CachedNow().steady;
  if (quit_old_at_ && *quit_old_at_ <= now) {
    quit_old_at_.reset();
    QuitOldGenerations();
  }
  if (terminate_again_at_ && *terminate_again_at_ <= now) {
    terminate_delay_ *= 2;
    SendToAll(terminate_delay_ > kKillAfter ? SIGKILL : SIGTERM);
    terminate_again_at_ = now + terminate_delay_;
  }
  std::vector<Respawn> due;
  std::erase_if(respawns_, [&due, now](const Respawn& respawn) {
    if (respawn.when <= now) due.push_back(respawn);
    return respawn.when <= now;
  });
  for (const Respawn& respawn : due) StartOne(respawn.index);
}

bool Master::ParentIsOldBinary() const { return start_.inherited && ::getppid() == start_.parent; }

void Master::CloseSockets() {
  cycle_->sockets().LeaveFiles(FilesBelongToAnother());
  cycle_->CloseSockets();
}

int Master::Exit() {
  const std::string& path = cycle_->main().pid_path;
  const std::string own = new_binary_ > 0 ? OldPidPath(path) : path;
  if (::unlink(own.c_str()) != 0) {
    MainLog().Write(LogLevel::kAlert, "unlink() \"" + own + "\" failed", nullptr, errno);
  }
  CloseSockets();
  MainLog().Write(LogLevel::kNotice, "exit");
  return 0;
}

}  // namespace framewall::process
