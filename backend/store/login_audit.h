// The trail of log-ins: who tried, from where, and how it ended.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "backend/store/database.h"

namespace framewall::backend::store {

struct LoginRecord {
  int64_t id = 0;
  int64_t at = 0;
  std::string name;  // of the account; empty: nobody has that name
  std::string user;  // empty: nobody of that name
  std::string address;
  std::string outcome;  // success, wrong_password, unknown_user, locked, delayed, reuse, password
};

Status InsertLogin(Connection& db, const LoginRecord& record);
// The newest first; those before `before` (0: from the newest).
Result<std::vector<LoginRecord>> ListLogins(Connection& db, std::string_view user, int64_t before,
                                            int64_t limit);
// Did this user log in from there at or after `since`?
Result<bool> HasLoggedInFrom(Connection& db, std::string_view user, std::string_view address,
                             int64_t since);
// Forgets what is older, and all but the newest `most`. How many rows went.
Result<int64_t> CleanLogins(Connection& db, int64_t before, int64_t most);

}  // namespace framewall::backend::store
