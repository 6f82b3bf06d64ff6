// The rooms of the backend, wired: made from settings, run until a signal ends it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/api/answer_wait.h"
#include "backend/api/services.h"
#include "backend/auth/accounts.h"
#include "backend/budgets.h"
#include "backend/chat/chat.h"
#include "backend/data_directory.h"
#include "backend/llm/prompt_log.h"
#include "backend/llm/provider.h"
#include "backend/observer.h"
#include "backend/probes.h"
#include "backend/server/http_server.h"
#include "backend/settings/live_settings.h"
#include "backend/settings/settings.h"
#include "backend/store/database.h"
#include "backend/store/housekeeping.h"
#include "backend/store/timely_probe.h"
#include "backend/usage_writer.h"
#include "proxy/base/result.h"
#include "proxy/event/loop.h"
#include "proxy/event/signal.h"

namespace framewall::backend {

class Program {
 public:
  // Makes the data directory and opens what is in it. An error where another process has it.
  static Result<std::unique_ptr<Program>> Make(Settings settings);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // PATH METHOD OPERATION WHO SCOPE of every route, a line each, sorted; no scope is "-".
  std::string RouteTable() const;

  Status Listen();

  // Until TERM, INT or QUIT, and the drain behind it, which a second one cuts short. HUP and USR1
  // open the log file anew; HUP reads the signing keys again too.
  void Run();

 private:
  explicit Program(Settings settings);
  Status Wire();
  Status OpenAccounts();
  Status OpenModels();
  void OpenChat();
  Status OpenApi();
  void Watch();
  std::vector<server::Route> Routes();
  void BeginDrain();

  const Settings settings_;
  std::optional<DataDirectory> directory_;  // ours until all that is in it is closed
  event::EventLoop loop_;
  std::unique_ptr<Metrics> metrics_;
  std::vector<Dependency> dependencies_;
  std::unique_ptr<store::TimelyProbe> probe_;  // hears the last answer while the database closes
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<store::Housekeeping> housekeeping_;
  std::unique_ptr<auth::Accounts> accounts_;
  std::unique_ptr<Budgets> budgets_;
  std::unique_ptr<UsageWriter> usage_;
  std::unique_ptr<llm::PromptLog> prompts_;  // null: nobody asked for it
  std::unique_ptr<llm::Models> models_;
  std::unique_ptr<LiveSettings> live_;
  std::unique_ptr<chat::Chat> chat_;
  std::unique_ptr<api::AnswerWaits> waits_;
  std::unique_ptr<api::Services> api_;
  std::unique_ptr<server::Router> router_;
  std::unique_ptr<server::HttpServer> server_;
  std::vector<std::unique_ptr<event::Signal>> signals_;
  bool draining_ = false;
};

}  // namespace framewall::backend
