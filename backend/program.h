// The rooms of the backend, wired: made from settings, run until a signal ends it.
#pragma once

#include <memory>
#include <vector>

#include "backend/auth/accounts.h"
#include "backend/llm/provider.h"
#include "backend/observer.h"
#include "backend/probes.h"
#include "backend/server/http_server.h"
#include "backend/settings/settings.h"
#include "backend/store/database.h"
#include "backend/store/housekeeping.h"
#include "proxy/base/result.h"
#include "proxy/event/loop.h"
#include "proxy/event/signal.h"

namespace framewall::backend {

class Program {
 public:
  // Makes the data directory, opens what is in it, and listens.
  static Result<std::unique_ptr<Program>> Make(Settings settings);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Until TERM, INT or QUIT, and the drain behind it. HUP and USR1 open the log file anew;
  // HUP reads the signing keys again too.
  void Run();

 private:
  explicit Program(Settings settings);
  Status Wire();
  Status OpenAccounts();
  void AddUsage(const llm::Payer& payer, const std::string& model, const llm::Usage& usage);
  std::vector<server::Route> Routes();
  void BeginDrain();

  const Settings settings_;
  event::EventLoop loop_;
  std::unique_ptr<Metrics> metrics_;
  std::vector<Dependency> dependencies_;
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<store::Housekeeping> housekeeping_;
  std::unique_ptr<auth::Accounts> accounts_;
  std::unique_ptr<llm::Models> models_;
  std::unique_ptr<server::Router> router_;
  std::unique_ptr<server::HttpServer> server_;
  std::vector<std::unique_ptr<event::Signal>> signals_;
};

}  // namespace framewall::backend
