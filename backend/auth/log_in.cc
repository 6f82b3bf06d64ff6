// POST /api/v1/login: name and password to tokens. GET /api/v1/csrf before it, for browsers.
#include <optional>
#include <utility>

#include "backend/auth/account_rules.h"
#include "backend/auth/password_check.h"
#include "backend/auth/routes.h"
#include "backend/base/time.h"
#include "backend/store/login_audit.h"
#include "backend/store/sessions.h"
#include "proxy/base/digest.h"
#include "proxy/base/encoding.h"

namespace framewall::backend::auth {
namespace {

constexpr std::string_view kSuccess = "success";

struct LogInRequest {
  PasswordCheck check;
  Carrier carrier = Carrier::kBody;
};

// Nothing: the call is answered.
std::optional<LogInRequest> ReadLogIn(const Services& services, server::Call& call) {
  const json::Value* json = call.JsonBody();
  if (json == nullptr) return std::nullopt;
  Body body(*json);
  LogInRequest request;
  const std::string_view name = body.AnyText("name");
  const std::string_view password = body.AnyText("password");
  if (body.Flag("cookie").value_or(false)) request.carrier = Carrier::kCookie;
  body.Expect("password", WhyNotChecked(password, services.settings.password_max));
  if (!Accepted(call, body)) return std::nullopt;
  request.check.name = AccountName(name).value_or(std::string());
  request.check.password = password;
  return request;
}

enum class LogInOutcome : uint8_t { kDone, kChanged };

void LogIn(const ServicesRef& services, const server::CallRef& call) {
  std::optional<LogInRequest> request = ReadLogIn(*services, *call);
  if (!request) return;
  const Carrier carrier = request->carrier;
  if (const auto problem = carrier == Carrier::kCookie ? services->browser.CheckCookieCall(*call)
                                                       : services->browser.CheckOrigin(*call)) {
    return call->Fail(*problem);
  }
  CheckPassword(
      services, call, std::move(request->check),
      [services, call, carrier](const store::User& user, const LoginAttempt& attempt) {
        const int64_t now = UnixMilliseconds();
        const NewSession session = MakeSession(*call, *services, now);
        services->database.Write<LogInOutcome>(
            [session, user, now](store::Connection& db) -> Result<LogInOutcome> {
              // Between the check and here somebody may have locked the account or changed the
              // password.
              FW_ASSIGN(const auto latest, store::FindUser(db, user.id));
              if (!latest || latest->locked || latest->password != user.password) {
                return LogInOutcome::kChanged;
              }
              FW_TRY(StoreSession(db, session, user.id, now));
              FW_TRY(store::InsertLogin(db, {.id = 0,
                                             .at = now,
                                             .name = user.name,
                                             .user = user.id,
                                             .address = session.address,
                                             .outcome = std::string(kSuccess)}));
              return LogInOutcome::kDone;
            },
            [services, call, carrier, session, user,
             has_device = !attempt.device.empty()](const Result<LogInOutcome>& outcome) {
              if (!outcome.ok()) return call->Fail(outcome.error());
              if (outcome.value() == LogInOutcome::kChanged) {
                return call->Fail({.status = 409,
                                   .code = "account_changed",
                                   .detail = "The account was changed meanwhile; log in again.",
                                   .fields = {}});
              }
              server::Fields fields;
              if (carrier == Carrier::kCookie && !has_device) {
                fields.push_back(services->browser.SetDevice(services->devices.Make(user.id)));
              }
              AnswerTokens(*call, *services, user, session.id, session.refresh_token, carrier,
                           std::move(fields));
            });
      });
}

void GiveCsrfToken(const Services& services, server::Call& call) {
  if (const auto problem = services.browser.CheckOrigin(call)) return call.Fail(*problem);
  // The same again for another tab: both pages have to go on working.
  const auto known = services.browser.CsrfToken(call);
  const bool is_good = known && known->size() == 43 && Base64UrlDecode(*known).has_value();
  const std::string token = is_good ? std::string(*known) : Base64UrlEncode(RandomBytes(32));
  call.Answer(server::Reply{.status = 200,
                            .body = json::Node::Object().Set("csrf_token", token).Text(),
                            .content_type = "application/json",
                            .fields = {services.browser.SetCsrfToken(token)}});
}

}  // namespace

void AddLogInRoutes(Routes& routes, const ServicesRef& services) {
  routes.push_back({.method = "POST",
                    .pattern = kLoginPath,
                    .operation = "logIn",
                    .access = {.who = server::Access::Who::kAnyone},
                    .handler = [services](const server::CallRef& call) { LogIn(services, call); },
                    .body_limit = 8192});
  routes.push_back(
      {.method = "GET",
       .pattern = "/api/v1/csrf",
       .operation = "getCsrfToken",
       .access = {.who = server::Access::Who::kAnyone},
       .handler = [services](const server::CallRef& call) { GiveCsrfToken(*services, *call); }});
}

}  // namespace framewall::backend::auth
