// What a log-in may do with itself: refresh, log out, log out everywhere, a ticket for a socket.
#include <optional>
#include <utility>

#include "backend/auth/routes.h"
#include "backend/base/time.h"
#include "backend/store/login_audit.h"
#include "backend/store/sessions.h"
#include "proxy/base/digest.h"
#include "proxy/base/encoding.h"

namespace framewall::backend::auth {
namespace {

Problem BadRefreshToken(std::string code, std::string detail) {
  return {.status = 401, .code = std::move(code), .detail = std::move(detail), .fields = {}};
}

struct RefreshRequest {
  std::string token;
  Carrier carrier = Carrier::kBody;
};

// From the body, or where it names none from the cookie. Nothing: the call is answered.
std::optional<RefreshRequest> ReadRefresh(const Services& services, server::Call& call) {
  RefreshRequest request;
  if (!call.body().empty()) {
    const json::Value* json = call.JsonBody();
    if (json == nullptr) return std::nullopt;
    Body body(*json);
    const auto token = body.OptionalAnyText("refresh_token");
    if (!Accepted(call, body)) return std::nullopt;
    if (token) {
      if (const auto problem = services.browser.CheckOrigin(call)) {
        call.Fail(*problem);
        return std::nullopt;
      }
      request.token = *token;
      return request;
    }
  }
  if (const auto problem = services.browser.CheckCookieCall(call)) {
    call.Fail(*problem);
    return std::nullopt;
  }
  request.carrier = Carrier::kCookie;
  request.token = services.browser.RefreshToken(call).value_or(std::string_view());
  return request;
}

void RefuseRefresh(server::Call& call, const Services& services, Carrier carrier,
                   const Problem& problem) {
  if (carrier == Carrier::kBody) return call.Fail(problem);
  // The cookie is of no use any more.
  call.Answer(server::Reply{.status = problem.status,
                            .body = ProblemText(problem),
                            .content_type = "application/problem+json",
                            .fields = {services.browser.SetRefreshToken({})}});
}

void Refresh(const ServicesRef& services, const server::CallRef& call) {
  const std::optional<RefreshRequest> request = ReadRefresh(*services, *call);
  if (!request) return;
  const Carrier carrier = request->carrier;
  if (!request->token.starts_with(kRefreshPrefix)) {
    return RefuseRefresh(*call, *services, carrier,
                         BadRefreshToken("invalid_refresh_token", "There is no such session."));
  }
  const int64_t now = UnixMilliseconds();
  const int64_t expires = now + services->settings.refresh_token_seconds * 1000;
  const std::string fresh = std::string(kRefreshPrefix) + Base64UrlEncode(RandomBytes(32));
  services->database.Write<store::Refresh>(
      [old_hash = Sha256(request->token), new_hash = Sha256(fresh), now, expires,
       address = call->client_address()](store::Connection& db) -> Result<store::Refresh> {
        FW_ASSIGN(store::Refresh refresh,
                  store::UseRefreshToken(db, old_hash, new_hash, now, expires));
        if (refresh.outcome == store::Refresh::Outcome::kReused && refresh.user) {
          FW_TRY(store::InsertLogin(db, {.id = 0,
                                         .at = now,
                                         .name = refresh.user->name,
                                         .user = refresh.user->id,
                                         .address = address,
                                         .outcome = "reuse"}));
        }
        return refresh;
      },
      [services, call, carrier, fresh, now](Result<store::Refresh> result) {
        if (!result.ok()) return call->Fail(result.error());
        const store::Refresh& refresh = result.value();
        const auto end = [&](std::string reason) {
          if (!refresh.user) return;
          services->ended.End({refresh.user->id, refresh.session, std::move(reason)}, now);
        };
        switch (refresh.outcome) {
          case store::Refresh::Outcome::kDone:
            return AnswerTokens(*call, *services, *refresh.user, refresh.session, fresh, carrier);
          case store::Refresh::Outcome::kReused:
            end("reuse");
            return RefuseRefresh(
                *call, *services, carrier,
                BadRefreshToken("refresh_token_reused",
                                "This refresh token was used before, so somebody has a copy of it. "
                                "The session has ended; log in again."));
          case store::Refresh::Outcome::kLocked:
            end("lock");
            break;
          case store::Refresh::Outcome::kUnknown:
            break;
        }
        RefuseRefresh(*call, *services, carrier,
                      BadRefreshToken("invalid_refresh_token", "There is no such session."));
      });
}

void AnswerLoggedOut(server::Call& call, const Services& services) {
  call.Answer(server::Reply{.status = 204,
                            .body = {},
                            .content_type = {},
                            .fields = {services.browser.SetRefreshToken({})}});
}

void LogOut(const ServicesRef& services, const server::CallRef& call) {
  const int64_t now = UnixMilliseconds();
  const Identity& identity = call->identity();
  services->database.Write<bool>(
      [session = identity.session, now](store::Connection& db) {
        return store::EndSession(db, session, "logout", now);
      },
      [services, call, now](const Result<bool>& done) {
        if (!done.ok()) return call->Fail(done.error());
        services->ended.End({call->identity().user, call->identity().session, "logout"}, now);
        AnswerLoggedOut(*call, *services);
      });
}

void LogOutEverywhere(const ServicesRef& services, const server::CallRef& call) {
  const int64_t now = UnixMilliseconds();
  using Ids = std::vector<std::string>;
  services->database.Write<Ids>(
      [user = call->identity().user, now](store::Connection& db) {
        return store::EndSessionsOf(db, user, "logout", now);
      },
      [services, call, now](const Result<Ids>& ids) {
        if (!ids.ok()) return call->Fail(ids.error());
        for (const std::string& id : ids.value()) {
          services->ended.End({call->identity().user, id, "logout"}, now);
        }
        AnswerLoggedOut(*call, *services);
      });
}

void GiveTicket(const ServicesRef& services, const server::CallRef& call) {
  const auto ticket = services->tickets.Issue(call->identity(), UnixMilliseconds());
  if (!ticket) {
    return call->Fail({.status = 429,
                       .code = "rate",
                       .detail = "There are too many tickets that nobody used yet.",
                       .fields = {},
                       .retry_after = static_cast<int>(SocketTickets::kLife / 1000)});
  }
  call->Answer(
      201,
      json::Node::Object().Set("ticket", *ticket).Set("expires_in", SocketTickets::kLife / 1000));
}

}  // namespace

void AddSessionRoutes(Routes& routes, const ServicesRef& services) {
  using Who = server::Access::Who;
  const auto add = [&](std::string_view pattern, std::string_view operation, server::Access access,
                       void (*handle)(const ServicesRef&, const server::CallRef&)) {
    routes.push_back(
        {.method = "POST",
         .pattern = pattern,
         .operation = operation,
         .access = access,
         .handler = [services, handle](const server::CallRef& call) { handle(services, call); },
         .body_limit = 8192});
  };
  add(kRefreshPath, "refresh", {.who = Who::kAnyone}, Refresh);
  add("/api/v1/logout", "logOut", {.who = Who::kUser}, LogOut);
  add("/api/v1/logout-everywhere", "logOutEverywhere", {.who = Who::kUser}, LogOutEverywhere);
  add("/api/v1/socket-ticket", "makeSocketTicket", {.who = Who::kUser, .scope = "chat"},
      GiveTicket);
}

}  // namespace framewall::backend::auth
