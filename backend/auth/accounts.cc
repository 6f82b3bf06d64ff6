#include "backend/auth/accounts.h"

#include <utility>

#include "backend/auth/first_admin.h"
#include "backend/auth/routes.h"
#include "backend/base/time.h"
#include "backend/settings/secret_files.h"
#include "backend/store/login_audit.h"
#include "backend/store/sessions.h"
#include "proxy/base/log.h"

namespace framewall::backend::auth {
namespace {

constexpr std::chrono::minutes kMinute{1};
constexpr int kMinutesBetweenCleaning = 60;
constexpr int64_t kDay = 86'400'000;
constexpr int64_t kKeepEnded = 30 * kDay;
constexpr int64_t kKeepLogins = 90 * kDay;
constexpr int64_t kMostLogins = 1'000'000;

class KeyJob final : public event::WorkerThreads::Job {
 public:
  void Run() override { made_ = SigningKeys::NewKey(); }
  const Result<std::string>& made() const { return made_; }

 private:
  Result<std::string> made_ = std::string();
};

void LogFailure(std::string_view what, const Error& error) {
  MainLog().Write(LogLevel::kError, std::string(what) + ": " + error.message, nullptr,
                  error.system_errno);
}

}  // namespace

Result<std::unique_ptr<Accounts>> Accounts::Make(event::EventLoop& loop, const Settings& settings,
                                                 store::Database& database, LiveAnswers live) {
  FW_TRY(MakeSecretDirectory(settings.data_dir));
  const std::string own = settings.data_dir + "/keys";
  FW_TRY(MakeSecretDirectory(own));
  FW_TRY(CheckAdminPasswordFile(settings));
  SigningKeys::Options options;
  options.policy = KeyPolicy::Of(settings.signing_key_days, settings.access_token_seconds);
  options.directory = settings.signing_key_dir;
  options.place = SecretPlace::kMounted;
  options.is_inside_ours = IsInside(settings.data_dir, options.directory);
  if (options.directory.empty()) {
    options.directory = own;
    options.place = SecretPlace::kOurs;
  }
  FW_ASSIGN(auto keys, SigningKeys::Load(std::move(options), UnixMilliseconds()));
  FW_ASSIGN(DeviceCookies devices, DeviceCookies::Load(own + "/device-cookies.key"));
  return std::unique_ptr<Accounts>(
      new Accounts(std::make_shared<Services>(loop, settings, database, std::move(keys),
                                              std::move(devices), std::move(live)),
                   loop));
}

Accounts::Accounts(ServicesRef services, event::EventLoop& loop)
    : services_(std::move(services)),
      authenticator_(services_),
      timer_(loop, [this] { EveryMinute(); }),
      threads_(loop, 1, 1) {}

// Callbacks that wait for a hash hold the services, and the services hold them.
Accounts::~Accounts() { services_->hasher.Stop(); }

void Accounts::Prepare(std::function<void(Status)> done) {
  const std::weak_ptr<bool> alive = alive_;
  MakeFirstAdmin(services_, [this, alive, done = std::move(done)](Status made) mutable {
    if (alive.expired()) return;
    if (!made.ok()) return done(std::move(made));
    Remember(std::move(done));
  });
}

void Accounts::Remember(std::function<void(Status)> done) {
  using Ended = std::vector<store::EndedSession>;
  const int64_t since = UnixMilliseconds() - services_->settings.access_token_seconds * 1000;
  services_->database.Read<Ended>(
      [since](store::Connection& db) { return store::SessionsEndedSince(db, since); },
      [this, alive = std::weak_ptr<bool>(alive_),
       done = std::move(done)](const Result<Ended>& ended) {
        if (alive.expired()) return;
        if (!ended.ok()) return done(ended.error());
        for (const store::EndedSession& one : ended.value()) {
          services_->ended.Remember(one.id, one.ended);
        }
        EveryMinute();
        done(OkStatus());
      });
}

std::vector<server::Route> Accounts::Routes() {
  std::vector<server::Route> routes;
  AddLogInRoutes(routes, services_);
  AddSessionRoutes(routes, services_);
  AddAccountRoutes(routes, services_);
  AddKeyRoutes(routes, services_);
  AddUserRoutes(routes, services_);
  AddGatewayRoutes(routes, services_);
  return routes;
}

Status Accounts::Reload() { return services_->keys->Reload(UnixMilliseconds()); }

void Accounts::EveryMinute() {
  timer_.Set(kMinute);
  const int64_t now = UnixMilliseconds();
  services_->ended.Clean(now);
  const Result<bool> make_new = services_->keys->Advance(now);
  if (!make_new.ok()) {
    LogFailure("signing keys", make_new.error());
  } else if (make_new.value()) {
    MakeKey();
  }
  if (minutes_++ % kMinutesBetweenCleaning == 0) CleanUp();
}

void Accounts::MakeKey() {
  if (key_ticket_ != nullptr) return;
  auto job = std::make_shared<KeyJob>();
  key_ticket_ = threads_.Submit(job, [this, job] {
    services_->loop.Retire(std::move(key_ticket_));
    if (!job->made().ok())
      return LogFailure("a key to sign tokens was not made", job->made().error());
    const Status added = services_->keys->Add(job->made().value(), UnixMilliseconds());
    if (!added.ok()) return LogFailure("a new key to sign tokens was not stored", added.error());
    MainLog().Write(LogLevel::kNotice,
                    "made the next key to sign tokens with; it is published, and signs later");
  });
}

void Accounts::CleanUp() {
  const int64_t now = UnixMilliseconds();
  const int64_t used_before = now - services_->settings.refresh_token_seconds * 1000;
  services_->database.Write<int64_t>(
      [now, used_before](store::Connection& db) -> Result<int64_t> {
        FW_ASSIGN(const int64_t sessions,
                  store::CleanSessions(db, now, now - kKeepEnded, used_before));
        FW_ASSIGN(const int64_t logins, store::CleanLogins(db, now - kKeepLogins, kMostLogins));
        return sessions + logins;
      },
      [](const Result<int64_t>& rows) {
        if (!rows.ok()) LogFailure("old sessions were not cleaned away", rows.error());
      });
}

}  // namespace framewall::backend::auth
