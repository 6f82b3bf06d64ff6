// The first administrator: made at the first start with a random password, which is in a file of
// the data directory alone and has to be changed at the first log-in.
#pragma once

#include <functional>
#include <string>

#include "backend/auth/services.h"

namespace framewall::backend::auth {

std::string AdminPasswordPath(const Settings& settings);

// It is a secret while it is there: an error where others may read it.
Status CheckAdminPasswordFile(const Settings& settings);

// Nothing happens where there is an administrator. `done` is called once, from the loop. An error
// (kOperator) says what stands in the way.
void MakeFirstAdmin(const ServicesRef& services, std::function<void(Status)> done);

// The file is of no use once the password of that account was changed: deletes it.
void ForgetAdminPassword(const Settings& settings, const store::User& user);

}  // namespace framewall::backend::auth
