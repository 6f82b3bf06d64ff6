// A worker: one event loop that serves connections until it is told to stop.
#pragma once

#include <functional>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/config/model/http.h"
#include "proxy/server/resources.h"

namespace framewall::server {

// A listening descriptor that the master opened. With reuseport each worker has its own.
struct ListenSocket {
  int fd = -1;
  SocketAddress address;
};

struct WorkerInputs {
  const config::Config* config = nullptr;
  Resources* resources = nullptr;
  metrics::Registry* registry = nullptr;
  std::vector<ListenSocket> listeners;
  // Number of this worker in 0..worker_processes-1, and its slot in the metrics registry.
  int index = 0;
  int metrics_slot = 0;
  // Counts reloads: which generation of workers this is.
  int generation = 0;
  // Called once, when the handlers of signals are installed: the caller lets them come from then
  // on. May be empty.
  std::function<void()> signals_handled;
  // Called once, when all is done and the handlers are about to go: the caller holds signals back
  // from then on. May be empty.
  std::function<void()> signals_unhandled;
  // USR1 was obeyed: the files of all logs are new. May be empty.
  std::function<void()> logs_reopened;
  // master_process off: the process is master and worker at once; HUP and USR2 are not handled
  // here.
  bool single_process = false;
};

// Runs in the child after privileges were dropped. Handles signals itself: QUIT drains (stop
// accepting, close idle connections, wait for the rest up to worker_shutdown_timeout), TERM and INT
// end at once, USR1 reopens logs. Returns the exit status; 0 when it ended as asked.
int RunWorker(const WorkerInputs& inputs);

}  // namespace framewall::server
