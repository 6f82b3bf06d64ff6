// What the routes of this room share. Callbacks of the database and of threads keep it alive.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "backend/auth/access_tokens.h"
#include "backend/auth/browser.h"
#include "backend/auth/device_cookies.h"
#include "backend/auth/ended_sessions.h"
#include "backend/auth/login_delays.h"
#include "backend/auth/password_hasher.h"
#include "backend/auth/signing_keys.h"
#include "backend/auth/socket_tickets.h"
#include "backend/server/call.h"
#include "backend/server/page.h"
#include "backend/settings/settings.h"
#include "backend/store/database.h"
#include "backend/store/users.h"
#include "proxy/event/loop.h"
#include "proxy/json/node.h"

namespace framewall::backend::auth {

// What may change while the program runs, asked at each use.
struct LiveAnswers {
  std::function<bool()> registration_open;  // null: as the settings say
  std::function<int64_t()> keys_per_user;   // null: 50
};

struct Services {
  Services(event::EventLoop& loop, const Settings& settings, store::Database& database,
           std::unique_ptr<SigningKeys> signing_keys, DeviceCookies device_cookies,
           LiveAnswers live);

  server::PageLimits page_limits() const {
    return {.otherwise = settings.page_size, .most = settings.page_limit};
  }

  event::EventLoop& loop;
  const Settings& settings;
  store::Database& database;
  LiveAnswers live;
  PasswordHasher hasher;
  LoginDelays delays;
  std::unique_ptr<SigningKeys> keys;
  DeviceCookies devices;
  EndedSessions ended;
  AccessTokens tokens;
  SocketTickets tickets;
  Browser browser;
  // When the last use of a key was written down; by the key's id.
  std::unordered_map<std::string, int64_t> key_uses;
};

using ServicesRef = std::shared_ptr<Services>;

inline constexpr std::string_view kPasswordPath = "/api/v1/password";
inline constexpr std::string_view kRefreshPrefix = "fwr_";
inline constexpr std::string_view kKeyPrefix = "fw_";

// --- answers ---

Problem TooBusy();  // 503: as many passwords as there is room for are being hashed
// {id, name, display_name, role, must_change_password, created}
json::Node UserNode(const store::User& user);

// A new log-in of `user`: a session with its first refresh token, and what the client is told. The
// work of it in the database, and the answer, are two steps.
struct NewSession {
  std::string id;
  std::string refresh_token;
  std::string address;
  std::string user_agent;  // cut to 200 octets
  int64_t expires = 0;     // milliseconds since 1970
};
NewSession MakeSession(const server::Call& call, const Services& services, int64_t now);
Status StoreSession(store::Connection& db, const NewSession& session, const std::string& user,
                    int64_t now);

// Where the refresh token goes.
enum class Carrier : uint8_t { kBody, kCookie };
// 200 with access and refresh token.
void AnswerTokens(server::Call& call, Services& services, const store::User& user,
                  const std::string& session, const std::string& refresh_token, Carrier carrier,
                  server::Fields fields = {});

}  // namespace framewall::backend::auth
