#include "waf/engine.h"

#include <sys/random.h>
#include <unistd.h>

#include <cstdlib>

#include "waf/audit_log.h"
#include "waf/engine_state.h"
#include "waf/rule_match.h"

namespace framewall::waf {

Engine::State::State(std::string_view product) {
  library.setConnectorInformation(std::string(product));
  library.setServerLogCb(&ForwardRuleMessage, lib::RuleMessageLogProperty);
}

Engine& Engine::Create(std::string_view product) {
  static Engine* const engine = new Engine(new State(product));
  return *engine;
}

void Engine::SeedWorker() {
  unsigned seed = 0;
  if (::getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed) {
    seed = static_cast<unsigned>(::getpid()) * 2654435761U;
  }
  std::srand(seed);
}

std::vector<std::string> Engine::ReopenAuditLogs(std::optional<FileOwner> owner) {
  std::vector<std::string> failures;
  std::erase_if(state_->audit_files, [](const auto& file) { return file.expired(); });
  for (const std::weak_ptr<AuditFile>& weak : state_->audit_files) {
    const std::shared_ptr<AuditFile> file = weak.lock();
    std::string error;
    if (!file->Open(&error) || (owner && !file->Give(*owner, &error))) {
      failures.push_back("audit log: " + error);
    }
  }
  return failures;
}

std::vector<std::string> Engine::PrepareAuditStorage(FileOwner owner) {
  std::vector<std::string> failures;
  for (const std::weak_ptr<AuditFile>& weak : state_->audit_files) {
    std::string error;
    if (const auto file = weak.lock(); file && !file->Give(owner, &error)) {
      failures.push_back("audit log: " + error);
    }
  }
  std::erase_if(state_->storages, [](const auto& storage) { return storage.expired(); });
  for (const auto& weak : state_->storages) {
    const auto storage = weak.lock();
    std::string error;
    if (!PrepareStorageDirectory(storage->path, storage->mode, owner, &error)) {
      failures.push_back("audit log storage: " + error);
    }
  }
  return failures;
}

std::string Engine::version() const { return state_->library.whoAmI(); }

}  // namespace framewall::waf
