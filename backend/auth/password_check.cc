#include "backend/auth/password_check.h"

#include <chrono>
#include <optional>
#include <utility>

#include "backend/base/time.h"
#include "backend/store/login_audit.h"
#include "proxy/base/clock.h"

namespace framewall::backend::auth {
namespace {

constexpr int64_t kFamiliarFor = 90LL * 86'400'000;

Problem Locked() {
  return {.status = 403,
          .code = "account_locked",
          .detail = "This account is locked; an administrator can unlock it.",
          .fields = {}};
}

Problem Wait(int seconds) {
  return {.status = 429,
          .code = "rate",
          .detail = "Too many wrong passwords; wait before the next one.",
          .fields = {},
          .retry_after = seconds};
}

int64_t SteadyMilliseconds() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             CachedNow().steady.time_since_epoch())
      .count();
}

struct Known {
  std::optional<store::User> user;
  bool familiar = false;
};

class Check : public std::enable_shared_from_this<Check> {
 public:
  Check(ServicesRef services, server::CallRef call, PasswordCheck check, OnPassed passed)
      : services_(std::move(services)),
        call_(std::move(call)),
        check_(std::move(check)),
        passed_(std::move(passed)) {}

  void Start() {
    attempt_.account = check_.name;
    attempt_.address = call_->client_address();
    services_->database.Read<Known>(
        [name = check_.name, address = attempt_.address,
         since = UnixMilliseconds() - kFamiliarFor](store::Connection& db) -> Result<Known> {
          Known known;
          FW_ASSIGN(known.user, store::FindUserByName(db, name));
          // Asked for nobody too, so that both cost the same.
          FW_ASSIGN(known.familiar,
                    store::HasLoggedInFrom(db, known.user ? known.user->id : "", address, since));
          return known;
        },
        [self = shared_from_this()](Result<Known> known) {
          if (!known.ok()) return self->call_->Fail(known.error());
          self->OnKnown(std::move(known).value());
        });
  }

 private:
  void OnKnown(Known known) {
    user_ = std::move(known.user);
    attempt_.familiar = known.familiar;
    const auto cookie = services_->browser.Device(*call_);
    if (cookie && user_) {
      attempt_.device = services_->devices.Check(*cookie, user_->id).value_or(std::string());
    }
    if (const auto refusal = services_->delays.Begin(attempt_, SteadyMilliseconds())) {
      const Problem problem = Wait(refusal->seconds);
      if (!refusal->is_first) return call_->Fail(problem);
      return Refuse(problem, "delayed");
    }
    const bool is_taken =
        services_->hasher.Check(std::move(check_.password), user_ ? user_->password : std::string(),
                                [self = shared_from_this()](bool fits) { self->OnChecked(fits); });
    if (is_taken) return;
    services_->delays.Withdraw(attempt_);
    call_->Fail(TooBusy());
  }

  void OnChecked(bool fits) {
    if (!user_) return Refuse(check_.wrong, "unknown_user");
    if (!fits) return Refuse(check_.wrong, "wrong_password");
    services_->delays.Succeeded(attempt_);
    if (user_->locked) return Refuse(Locked(), "locked");
    passed_(*user_, attempt_);
  }

  // Once it is in the trail. A name that nobody has is left out: people type passwords there.
  void Refuse(const Problem& problem, std::string_view outcome) {
    store::LoginRecord record{.id = 0,
                              .at = UnixMilliseconds(),
                              .name = user_ ? user_->name : std::string(),
                              .user = user_ ? user_->id : std::string(),
                              .address = attempt_.address,
                              .outcome = std::string(outcome)};
    services_->database.Write<bool>(
        [record = std::move(record)](store::Connection& db) -> Result<bool> {
          FW_TRY(store::InsertLogin(db, record));
          return true;
        },
        [self = shared_from_this(), problem](const Result<bool>& done) {
          if (!done.ok()) return self->call_->Fail(done.error());
          self->call_->Fail(problem);
        });
  }

  const ServicesRef services_;
  const server::CallRef call_;
  PasswordCheck check_;
  const OnPassed passed_;
  LoginAttempt attempt_;
  std::optional<store::User> user_;
};

}  // namespace

Problem WrongCredentials() {
  return {.status = 401,
          .code = "wrong_credentials",
          .detail = "No account has this name and this password.",
          .fields = {}};
}

void CheckPassword(const ServicesRef& services, const server::CallRef& call, PasswordCheck check,
                   OnPassed passed) {
  std::make_shared<Check>(services, call, std::move(check), std::move(passed))->Start();
}

}  // namespace framewall::backend::auth
