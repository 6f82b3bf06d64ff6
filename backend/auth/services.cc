#include "backend/auth/services.h"

#include <utility>

#include "backend/base/id.h"
#include "backend/base/time.h"
#include "backend/store/sessions.h"
#include "proxy/base/digest.h"
#include "proxy/base/encoding.h"

namespace framewall::backend::auth {
namespace {

constexpr size_t kUserAgentOctets = 200;

}  // namespace

Services::Services(event::EventLoop& its_loop, const Settings& its_settings,
                   store::Database& its_database, std::unique_ptr<SigningKeys> signing_keys,
                   DeviceCookies device_cookies, LiveAnswers live_answers)
    : loop(its_loop),
      settings(its_settings),
      database(its_database),
      live(std::move(live_answers)),
      hasher(loop, settings.password_threads, settings.password_queue),
      keys(std::move(signing_keys)),
      devices(std::move(device_cookies)),
      ended(settings.access_token_seconds * 1000),
      tokens({settings.public_url, settings.audience, settings.access_token_seconds}, *keys, ended),
      tickets(ended),
      browser(settings.public_url, settings.refresh_token_seconds) {}

Problem TooBusy() {
  return {.status = 503,
          .code = "busy",
          .detail = "Too many passwords are being checked; try again in a moment.",
          .fields = {},
          .retry_after = 2};
}

json::Node UserNode(const store::User& user) {
  return json::Node::Object()
      .Set("id", user.id)
      .Set("name", user.name)
      .Set("display_name", user.display_name)
      .Set("role", RoleName(user.role))
      .Set("must_change_password", user.must_change_password)
      .Set("created", Rfc3339(user.created));
}

NewSession MakeSession(const server::Call& call, const Services& services, int64_t now) {
  NewSession session;
  session.id = NewId();
  session.refresh_token = std::string(kRefreshPrefix) + Base64UrlEncode(RandomBytes(32));
  session.address = call.client_address();
  session.user_agent = call.head().fields.Get("User-Agent").substr(0, kUserAgentOctets);
  for (char& c : session.user_agent) {
    if (c < ' ' || c > '~') c = '?';
  }
  session.expires = now + services.settings.refresh_token_seconds * 1000;
  return session;
}

Status StoreSession(store::Connection& db, const NewSession& session, const std::string& user,
                    int64_t now) {
  return store::InsertSession(db,
                              {.id = session.id,
                               .user = user,
                               .created = now,
                               .expires = session.expires,
                               .last_used = now,
                               .address = session.address,
                               .user_agent = session.user_agent},
                              Sha256(session.refresh_token));
}

void AnswerTokens(server::Call& call, Services& services, const store::User& user,
                  const std::string& session, const std::string& refresh_token, Carrier carrier,
                  server::Fields fields) {
  const int64_t now = UnixMilliseconds();
  const Result<AccessToken> token = services.tokens.Make(user, session, now);
  if (!token.ok()) return call.Fail(token.error());
  json::Node answer = json::Node::Object();
  answer.Set("access_token", token->text)
      .Set("token_type", "Bearer")
      .Set("expires_in", (token->expires - now) / 1000)
      .Set("session", session)
      .Set("user", UserNode(user));
  if (carrier == Carrier::kBody) {
    answer.Set("refresh_token", refresh_token);
  } else {
    fields.push_back(services.browser.SetRefreshToken(refresh_token));
  }
  call.Answer(server::Reply{.status = 200,
                            .body = answer.Text(),
                            .content_type = "application/json",
                            .fields = std::move(fields)});
}

}  // namespace framewall::backend::auth
