// Accounts. Functions over a connection: they run in a thread of the store, inside the work of a
// Read or Write.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/base/identity.h"
#include "backend/store/database.h"

namespace framewall::backend::store {

struct User {
  std::string id;
  std::string name;  // lower case, unique
  std::string display_name;
  std::string password;  // crypt(3)
  bool must_change_password = false;
  Role role = Role::kUser;
  bool locked = false;
  int64_t created = 0;
  int64_t changed = 0;
};

// kRefused where the name is taken.
Status InsertUser(Connection& db, const User& user);
Result<std::optional<User>> FindUser(Connection& db, std::string_view id);
Result<std::optional<User>> FindUserByName(Connection& db, std::string_view name);
// By id, which is by the time they were made; those behind `after` (empty: from the first).
Result<std::vector<User>> ListUsers(Connection& db, std::string_view after, int64_t limit);

// Each of them: how many users were changed, 0 or 1.
Result<int64_t> SetPassword(Connection& db, std::string_view id, std::string_view hash,
                            bool must_change, int64_t now);
Result<int64_t> SetLocked(Connection& db, std::string_view id, bool locked, int64_t now);
Result<int64_t> SetRole(Connection& db, std::string_view id, Role role, int64_t now);
Result<int64_t> SetDisplayName(Connection& db, std::string_view id, std::string_view display_name,
                               int64_t now);

// Administrators who are not locked, besides `other_than`.
Result<int64_t> CountAdmins(Connection& db, std::string_view other_than = {});
Result<int64_t> CountAdminsAndLocked(Connection& db);

}  // namespace framewall::backend::store
