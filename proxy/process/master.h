// The master: signals in, cycles out. Serves nobody itself; it waits, forks and signals.
//
//   serving ──QUIT──> quitting ──(last worker gone)──> exit
//      │  └──TERM, INT──> terminating: TERM, again after 50, 100, … ms, KILL after a second
//      ├──HUP: a new cycle; workers of the old generation get QUIT once the new ones are started
//      ├──USR2: a new binary beside us, pid file renamed; WINCH: our workers go, we stay;
//      │        HUP now: they come back; the new binary dies: the pid file (and they) come back
//      └──USR1: logs reopened here and in all workers
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "proxy/process/cycle.h"
#include "proxy/process/signals.h"
#include "proxy/process/worker_process.h"

namespace framewall::process {

struct MasterStart {
  bool daemonized = false;  // WINCH is obeyed
  bool inherited = false;   // a binary before us gave us its sockets
  pid_t parent = 0;         // at the start
};

class Master {
 public:
  // `options` outlives the master. Requires: BlockMasterSignals; the pid file is written.
  Master(const LaunchOptions& options, std::unique_ptr<Cycle> cycle, const MasterStart& start);

  // Starts the workers and returns when all is over, with the exit status.
  int Run();

 private:
  struct Respawn {
    int index;
    SteadyTime when;
  };

  void Handle(const ReceivedSignal& signal);
  const char* ActionOf(int number) const;
  void Reload();
  bool MovePidFile(const Cycle& next);
  void ReopenLogs();
  void ChangeBinary();
  void Quit();
  void Terminate();
  void StopAccepting();

  void StartWorkers();
  void StartOne(int index);
  void SendTo(WorkerProcess& worker, int number);
  void SendToAll(int number);
  void QuitOldGenerations();
  void LimitGenerations();
  std::set<int> OldGenerations() const;
  void CountGenerations() const;
  void Reap();
  void OnWorkerDeath(const WorkerProcess& worker, int status);
  void OnNewBinaryDeath();

  std::optional<std::chrono::milliseconds> UntilNextDeadline() const;
  void RunDeadlines();
  bool stopping() const { return quitting_ || terminating_; }
  bool ParentIsOldBinary() const;
  bool FilesBelongToAnother() const { return new_binary_ > 0 || ParentIsOldBinary(); }
  void CloseSockets();
  int Exit();

  const LaunchOptions& options_;
  std::unique_ptr<Cycle> cycle_;
  const MasterStart start_;
  std::vector<WorkerProcess> workers_;
  std::vector<RespawnBrake> brakes_;  // by index
  std::vector<Respawn> respawns_;
  std::optional<SteadyTime> quit_old_at_;
  std::optional<SteadyTime> terminate_again_at_;
  std::chrono::milliseconds terminate_delay_{50};
  pid_t new_binary_ = 0;
  bool quitting_ = false;
  bool terminating_ = false;
  bool accepting_stopped_ = false;  // WINCH
};

}  // namespace framewall::process
