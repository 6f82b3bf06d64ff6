// Sessions: a log-in and its refresh tokens, each of which is used once. Tokens are here as their
// SHA-256 alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/store/database.h"
#include "backend/store/users.h"

namespace framewall::backend::store {

struct Session {
  std::string id;
  std::string user;
  int64_t created = 0;
  int64_t expires = 0;
  int64_t last_used = 0;
  std::string address;
  std::string user_agent;
};

// With its first refresh token.
Status InsertSession(Connection& db, const Session& session, std::string_view token_hash);

struct Refresh {
  enum class Outcome : uint8_t {
    kDone,
    kUnknown,  // no such token, or its session is over
    kReused,   // it was used before: somebody has a copy. Its session has ended now
    kLocked,   // so is its user
  };
  Outcome outcome = Outcome::kUnknown;
  std::string session;       // kDone, kReused
  std::optional<User> user;  // kDone, kReused
};

// Takes the token `old_hash` and puts `new_hash` into its place; the session lives until `expires`
// then. What ends a session is an outcome and no error, so that it is committed.
Result<Refresh> UseRefreshToken(Connection& db, std::string_view old_hash,
                                std::string_view new_hash, int64_t now, int64_t expires);

// True where it was open.
Result<bool> EndSession(Connection& db, std::string_view id, std::string_view reason, int64_t now);
// All that are open of this user, but `except`; their ids.
Result<std::vector<std::string>> EndSessionsOf(Connection& db, std::string_view user,
                                               std::string_view reason, int64_t now,
                                               std::string_view except = {});
// The session that a refresh token belongs to, open or not; empty: none.
Result<std::string> SessionOfToken(Connection& db, std::string_view hash);

struct EndedSession {
  std::string id;
  int64_t ended = 0;
};
// Ended at or after `since`.
Result<std::vector<EndedSession>> SessionsEndedSince(Connection& db, int64_t since);

// Ends what has expired, forgets what ended before `ended_before`, and used tokens from before
// `used_before`. How many rows went.
Result<int64_t> CleanSessions(Connection& db, int64_t now, int64_t ended_before,
                              int64_t used_before);

}  // namespace framewall::backend::store
