// One configuration with all that belongs to it: resources, listening sockets, log, workers' user.
#pragma once

#include <memory>
#include <string>

#include "proxy/config/loader.h"
#include "proxy/config/model/http.h"
#include "proxy/process/listen_sockets.h"
#include "proxy/process/main_log.h"
#include "proxy/process/privileges.h"
#include "proxy/server/resources.h"

namespace framewall::process {

// What stays the same from cycle to cycle: the command line, and what lives as long as the master.
struct LaunchOptions {
  config::LoadOptions load;
  std::string error_log;  // absolute; where no error_log is set. Empty: standard error
  metrics::Registry* registry = nullptr;  // of the master; may be null where nothing is served
};

class Cycle {
 public:
  enum class Purpose { kServe, kTest };

  // Reads and opens everything; what is wrong stands on the main log. Null on any error: then
  // `previous` (null at the start) is as it was. `inherited` (may be null): sockets of the binary
  // before us, in the place of a previous cycle's.
  static std::unique_ptr<Cycle> Build(const LaunchOptions& options, Cycle* previous,
                                      const ListenSockets* inherited, Purpose purpose);

  const config::Config& config() const { return *config_; }
  const config::MainConfig& main() const { return config_->main; }
  server::Resources& resources() { return *resources_; }
  ListenSockets& sockets() { return *sockets_; }
  const MainLogTargets& log() const { return log_; }
  const Credentials& credentials() const { return credentials_; }
  // 1 for the first, counted by reloads.
  int generation() const { return generation_; }

  // QUIT: nobody shall wait in a backlog that is never read again.
  void CloseSockets() { sockets_ = std::make_unique<ListenSockets>(); }

 private:
  Cycle() = default;

  std::unique_ptr<config::Config> config_;
  std::unique_ptr<server::Resources> resources_;
  std::unique_ptr<ListenSockets> sockets_;
  MainLogTargets log_;
  Credentials credentials_;
  int generation_ = 1;
};

}  // namespace framewall::process
