#include "backend/program.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "backend/api/routes.h"
#include "backend/backup.h"
#include "backend/chat/database_records.h"
#include "backend/llm/model_routes.h"
#include "backend/llm/openai_api.h"
#include "proxy/base/log.h"

namespace framewall::backend {
namespace {

// Descriptors besides connections: database, logs, threads' bells, providers.
constexpr rlim_t kOtherDescriptors = 512;

void RaiseDescriptorLimit(size_t connections) {
  const rlim_t needed = static_cast<rlim_t>(connections) + kOtherDescriptors;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed) return;
  limit.rlim_cur = std::min(needed, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < needed) {
    MainLog().Write(LogLevel::kWarn, "server.connection_limit needs " + std::to_string(needed) +
                                         " descriptors, the system allows " +
                                         std::to_string(limit.rlim_cur));
  }
}

std::string_view WhoName(server::Access::Who who) {
  switch (who) {
    case server::Access::Who::kAnyone:
      return "anyone";
    case server::Access::Who::kInside:
      return "inside";
    case server::Access::Who::kUser:
      return "user";
    case server::Access::Who::kAdmin:
      break;
  }
  return "admin";
}

server::Limits LimitsOf(const Settings& settings) {
  const auto seconds = [](int64_t count) { return Milliseconds(count * 1000); };
  server::Limits limits;
  limits.head_timeout = seconds(settings.head_seconds);
  limits.body_timeout = seconds(settings.body_seconds);
  limits.idle_timeout = seconds(settings.idle_seconds);
  limits.send_timeout = seconds(settings.send_seconds);
  limits.connections = settings.connection_limit;
  limits.trust_real_ip = settings.trust_real_ip;
  return limits;
}

}  // namespace

Program::Program(Settings settings) : settings_(std::move(settings)) {}

// What waits for the database is told while everybody who asked is still here; and what retires
// goes while there is still what it speaks to.
Program::~Program() {
  if (usage_) usage_->Flush();
  if (database_) database_->Close();
  server_.reset();
  loop_.RunOnce(std::chrono::milliseconds(0));
  api_.reset();
  waits_.reset();
  chat_.reset();
  loop_.RunOnce(std::chrono::milliseconds(0));
}

Result<std::unique_ptr<Program>> Program::Make(Settings settings) {
  std::unique_ptr<Program> program(new Program(std::move(settings)));
  FW_TRY(program->Wire());
  return program;
}

Status Program::Wire() {
  RaiseDescriptorLimit(settings_.connection_limit);
  FW_ASSIGN(DataDirectory directory, DataDirectory::Open(settings_.data_dir));
  directory_.emplace(std::move(directory));
  FW_ASSIGN(metrics_, Metrics::Make());
  FW_ASSIGN(database_, store::Database::Open(loop_, {.path = DatabasePath(settings_)}));
  housekeeping_ = std::make_unique<store::Housekeeping>(loop_, *database_);
  probe_ = std::make_unique<store::TimelyProbe>(
      loop_, [this](std::function<void(Status)> done) { database_->Probe(std::move(done)); });
  dependencies_.push_back(
      {.name = "database", .decisive = true, .ask = [this](std::function<void(Status)> done) {
         probe_->Ask(std::move(done));
       }});
  live_ = std::make_unique<LiveSettings>(settings_);
  FW_TRY(OpenAccounts());
  FW_ASSIGN(budgets_, Budgets::Make(loop_, settings_));
  FW_TRY(budgets_->Restore(loop_, *database_));
  FW_TRY(OpenModels());
  OpenChat();
  FW_TRY(OpenApi());
  Watch();
  FW_ASSIGN(router_, server::Router::Make(Routes(), llm::LlmErrorPrefixes()));
  server_ = std::make_unique<server::HttpServer>(loop_, *router_, &accounts_->authenticator(),
                                                 metrics_.get(), LimitsOf(settings_));
  return OkStatus();
}

Status Program::Listen() { return server_->Listen(settings_.listen, settings_.socket_mode); }

// What /ready reports besides the database, and what waits.
void Program::Watch() {
  budgets_->Watch(dependencies_, *metrics_);
  for (const llm::Models::ProviderState& state : models_->provider_states()) {
    dependencies_.push_back({.name = "provider " + state.name,
                             .decisive = false,
                             .ask = [this, name = state.name](std::function<void(Status)> done) {
                               for (const auto& now : models_->provider_states()) {
                                 if (now.name != name || !now.left_alone) continue;
                                 return done(Error{ErrorKind::kUnavailable, ErrorSource::kUpstream,
                                                   "left alone after failures in a row", 0});
                               }
                               done(OkStatus());
                             }});
  }
  const auto add = [this](std::string name, std::string help, std::string kind,
                          std::function<uint64_t()> value) {
    metrics_->Add({"framewall_backend_" + std::move(name), std::move(help), std::move(kind),
                   std::move(value)});
  };
  add("database_writes_waiting", "Writes that wait for the database.", "gauge",
      [this] { return database_->counts().writes_waiting; });
  add("database_reads_waiting", "Reads that wait for the database.", "gauge",
      [this] { return database_->counts().reads_waiting; });
  add("database_commits_total", "Transactions, each of a group of writes.", "counter",
      [this] { return database_->counts().commits; });
  add("password_hashes_under_way", "Password hashes that run or wait.", "gauge",
      [this] { return accounts_->hashes_under_way(); });
}

// Before anybody is served: what ended stays ended, and there is an administrator.
Status Program::OpenAccounts() {
  FW_ASSIGN(accounts_, auth::Accounts::Make(
                           loop_, settings_, *database_,
                           {.registration_open = [this] { return live_->registration_open(); },
                            .keys_per_user = [this] { return live_->keys_per_user(); }}));
  std::optional<Status> prepared;
  accounts_->Prepare([&prepared](Status status) { prepared = std::move(status); });
  while (!prepared) loop_.RunOnce(std::chrono::milliseconds(100));
  return std::move(*prepared);
}

Status Program::OpenModels() {
  usage_ = std::make_unique<UsageWriter>(loop_, *database_);
  if (!settings_.llm_prompt_log.empty()) {
    FW_ASSIGN(prompts_,
              llm::PromptLog::Open(settings_.llm_prompt_log, settings_.llm_prompt_log_octets));
    MainLog().Write(LogLevel::kNotice, "prompts and answers are written into \"" +
                                           settings_.llm_prompt_log + "\" (llm.prompt_log)");
  }
  FW_ASSIGN(models_, llm::MakeModels(
                         loop_, settings_, budgets_->meter(),
                         [this](const llm::Payer& payer, const std::string& model,
                                const llm::Usage& usage) { usage_->Add(payer, model, usage); },
                         prompts_.get()));
  return OkStatus();
}

void Program::OpenChat() {
  chat_ = std::make_unique<chat::Chat>(
      chat::Chat::Needs{.loop = loop_,
                        .records = chat::MakeDatabaseRecords(*database_),
                        .tickets = accounts_->tickets(),
                        .tokens = accounts_->token_verifier(),
                        .session_events = accounts_->session_events(),
                        .models = *models_,
                        .public_url = settings_.public_url,
                        .limits = chat::LimitsOf(settings_)});
}

// Before anybody is served: what administrators have set counts.
Status Program::OpenApi() {
  waits_ = std::make_unique<api::AnswerWaits>(chat_->fanout());
  api_ = std::make_unique<api::Services>(api::Services{.database = *database_,
                                                       .settings = settings_,
                                                       .live = *live_,
                                                       .models = *models_,
                                                       .announcer = chat_->announcer(),
                                                       .waits = *waits_,
                                                       .version = std::string(VersionNumber())});
  std::optional<Status> loaded;
  api::LoadLiveSettings(*api_, [&loaded](Status status) { loaded = std::move(status); });
  while (!loaded) loop_.RunOnce(std::chrono::milliseconds(100));
  return std::move(*loaded);
}

std::vector<server::Route> Program::Routes() {
  std::vector<server::Route> routes;
  const auto add = [&routes](std::vector<server::Route> more) {
    for (server::Route& route : more) routes.push_back(std::move(route));
  };
  add(ProbeRoutes(*metrics_, dependencies_));
  add(accounts_->Routes());
  add(llm::LlmRoutes(*models_));
  add(chat_->Routes());
  add(api::Routes(*api_));
  return routes;
}

std::string Program::RouteTable() const {
  std::vector<std::string> lines;
  for (const server::Route& route : router_->routes()) {
    lines.push_back(fmt::format("{} {} {} {} {}\n", route.pattern, route.method, route.operation,
                                WhoName(route.access.who),
                                route.access.scope.empty() ? "-" : route.access.scope));
  }
  std::sort(lines.begin(), lines.end());
  return fmt::format("{}", fmt::join(lines, ""));
}

void Program::Run() {
  ::signal(SIGPIPE, SIG_IGN);
  for (const int number : {SIGTERM, SIGINT, SIGQUIT}) {
    signals_.push_back(std::make_unique<event::Signal>(loop_, number, [this] { BeginDrain(); }));
  }
  for (const int number : {SIGHUP, SIGUSR1}) {
    signals_.push_back(std::make_unique<event::Signal>(loop_, number, [this, number] {
      for (const std::string& failure : ReopenLogFiles()) {
        MainLog().Write(LogLevel::kError, failure);
      }
      if (prompts_ != nullptr) {
        if (const Status opened = prompts_->Reopen(); !opened.ok()) {
          MainLog().Write(LogLevel::kError, opened.error().message);
        }
      }
      MainLog().Write(LogLevel::kNotice, "log file opened anew");
      if (number != SIGHUP) return;
      if (const Status keys = accounts_->Reload(); !keys.ok()) {
        MainLog().Write(LogLevel::kError,
                        "the signing keys stay as they were: " + keys.error().message);
      }
    }));
  }
  MainLog().Write(LogLevel::kNotice, "framewall-backend " + std::string(VersionNumber()) +
                                         " listens on " + server_->address().ToText());
  loop_.Run();
  MainLog().Write(LogLevel::kNotice, "ended");
}

void Program::BeginDrain() {
  if (std::exchange(draining_, true)) {
    MainLog().Write(LogLevel::kNotice, "told twice: ending at once");
    return loop_.Stop();
  }
  MainLog().Write(LogLevel::kNotice, "draining");
  chat_->Drain();
  server_->Drain(Milliseconds(settings_.drain_seconds * 1000), [this] { loop_.Stop(); });
}

}  // namespace framewall::backend
