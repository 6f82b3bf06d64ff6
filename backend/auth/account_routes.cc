// POST /api/v1/register and /api/v1/password.
#include <optional>
#include <utility>

#include "backend/auth/account_rules.h"
#include "backend/auth/first_admin.h"
#include "backend/auth/password_check.h"
#include "backend/auth/routes.h"
#include "backend/base/id.h"
#include "backend/base/time.h"
#include "backend/store/login_audit.h"
#include "backend/store/sessions.h"

namespace framewall::backend::auth {
namespace {

bool IsRegistrationOpen(const Services& services) {
  return services.live.registration_open ? services.live.registration_open()
                                         : services.settings.registration_open;
}

void Register(const ServicesRef& services, const server::CallRef& call) {
  if (!IsRegistrationOpen(*services)) {
    return call->Fail({.status = 403,
                       .code = "registration_closed",
                       .detail = "Accounts are made by administrators here.",
                       .fields = {}});
  }
  if (const auto problem = services->browser.CheckOrigin(*call)) return call->Fail(*problem);
  const json::Value* json = call->JsonBody();
  if (json == nullptr) return;
  Body body(*json);
  store::User user;
  std::string password;
  ReadNewAccount(body, services->settings, user, &password);
  if (!Accepted(*call, body)) return;
  const bool is_taken = services->hasher.Hash(
      std::move(password), [services, call, user](Result<std::string> hash) mutable {
        if (!hash.ok()) return call->Fail(hash.error());
        user.password = std::move(hash).value();
        user.created = user.changed = UnixMilliseconds();
        services->database.Write<bool>(
            [user](store::Connection& db) -> Result<bool> {
              FW_TRY(store::InsertUser(db, user));
              return true;
            },
            [call, user](const Result<bool>& done) {
              if (done.ok()) return call->Answer(201, UserNode(user));
              if (done.error().kind != ErrorKind::kRefused) return call->Fail(done.error());
              call->Fail(NameTaken());
            });
      });
  if (!is_taken) call->Fail(TooBusy());
}

struct PasswordChange {
  std::string current;
  std::string fresh;
  Carrier carrier = Carrier::kBody;
};

struct Changed {
  bool is_done = false;  // else it was changed or locked meanwhile
  store::User user;
  std::vector<std::string> ended;
};

void StorePassword(const ServicesRef& services, const server::CallRef& call, Carrier carrier,
                   const store::User& user, std::string hash) {
  const int64_t now = UnixMilliseconds();
  const NewSession session = MakeSession(*call, *services, now);
  services->database.Write<Changed>(
      [user, session, hash = std::move(hash), now](store::Connection& db) -> Result<Changed> {
        Changed changed;
        FW_ASSIGN(auto latest, store::FindUser(db, user.id));
        if (!latest || latest->locked || latest->password != user.password) return changed;
        changed.is_done = true;
        changed.user = std::move(*latest);
        FW_TRY(store::SetPassword(db, user.id, hash, false, now));
        changed.user.must_change_password = false;
        FW_ASSIGN(changed.ended, store::EndSessionsOf(db, user.id, "password", now));
        FW_TRY(StoreSession(db, session, user.id, now));
        FW_TRY(store::InsertLogin(db, {.id = 0,
                                       .at = now,
                                       .name = user.name,
                                       .user = user.id,
                                       .address = session.address,
                                       .outcome = "password"}));
        return changed;
      },
      [services, call, carrier, session, now](const Result<Changed>& result) {
        if (!result.ok()) return call->Fail(result.error());
        const Changed& changed = result.value();
        if (!changed.is_done) {
          return call->Fail({.status = 409,
                             .code = "account_changed",
                             .detail = "The account was changed meanwhile; log in again.",
                             .fields = {}});
        }
        for (const std::string& id : changed.ended) {
          services->ended.End({changed.user.id, id, "password"}, now);
        }
        ForgetAdminPassword(services->settings, changed.user);
        AnswerTokens(*call, *services, changed.user, session.id, session.refresh_token, carrier);
      });
}

void ChangePassword(const ServicesRef& services, const server::CallRef& call) {
  const json::Value* json = call->JsonBody();
  if (json == nullptr) return;
  Body body(*json);
  PasswordChange change;
  change.current = body.AnyText("current_password");
  change.fresh = body.AnyText("new_password");
  if (body.Flag("cookie").value_or(false)) change.carrier = Carrier::kCookie;
  const Settings& settings = services->settings;
  body.Expect("current_password", WhyNotChecked(change.current, settings.password_max));
  body.Expect("new_password", WhyNoPassword(change.fresh, call->identity().name,
                                            settings.password_min, settings.password_max));
  if (change.fresh == change.current) body.Expect("new_password", "another one than the current");
  if (!Accepted(*call, body)) return;
  const Carrier carrier = change.carrier;
  if (const auto problem = carrier == Carrier::kCookie ? services->browser.CheckCookieCall(*call)
                                                       : services->browser.CheckOrigin(*call)) {
    return call->Fail(*problem);
  }
  // No 401: the token holds, and whoever gets a 401 would fetch another one.
  Problem wrong{.status = 403,
                .code = "wrong_password",
                .detail = "This is not the current password.",
                .fields = {}};
  CheckPassword(
      services, call, {call->identity().name, std::move(change.current), std::move(wrong)},
      [services, call, carrier, fresh = std::move(change.fresh)](const store::User& user,
                                                                 const LoginAttempt&) {
        const bool is_taken =
            services->hasher.Hash(fresh, [services, call, carrier, user](Result<std::string> hash) {
              if (!hash.ok()) return call->Fail(hash.error());
              StorePassword(services, call, carrier, user, std::move(hash).value());
            });
        if (!is_taken) call->Fail(TooBusy());
      });
}

}  // namespace

void AddAccountRoutes(Routes& routes, const ServicesRef& services) {
  using Who = server::Access::Who;
  routes.push_back(
      {.method = "POST",
       .pattern = "/api/v1/register",
       .operation = "register",
       .access = {.who = Who::kAnyone},
       .handler = [services](const server::CallRef& call) { Register(services, call); },
       .body_limit = 8192});
  routes.push_back(
      {.method = "POST",
       .pattern = kPasswordPath,
       .operation = "changePassword",
       .access = {.who = Who::kUser},
       .handler = [services](const server::CallRef& call) { ChangePassword(services, call); },
       .body_limit = 8192});
}

}  // namespace framewall::backend::auth
