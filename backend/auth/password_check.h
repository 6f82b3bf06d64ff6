// Is this the password of that account? Delays before, the hash in a thread, a line in the trail
// behind; the same for log-ins and for changing a password.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "backend/auth/services.h"
#include "backend/server/call.h"
#include "backend/store/users.h"

namespace framewall::backend::auth {

Problem WrongCredentials();  // 401, for log-ins

struct PasswordCheck {
  std::string name;      // of the account, lower case; empty: no name that an account can have
  std::string password;  // no longer than may be
  Problem wrong = WrongCredentials();
};

// `passed` is called where the password fits and the account is not locked. In every other case the
// call is answered: `wrong` (the same for an unknown name, after the same time), 403, 429, 503.
using OnPassed = std::function<void(const store::User& user, const LoginAttempt& attempt)>;
void CheckPassword(const ServicesRef& services, const server::CallRef& call, PasswordCheck check,
                   OnPassed passed);

}  // namespace framewall::backend::auth
