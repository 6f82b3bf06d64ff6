// API keys: a key itself is shown once and is here as its SHA-256.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/store/database.h"
#include "backend/store/users.h"

namespace framewall::backend::store {

struct ApiKey {
  std::string id;
  std::string user;
  std::string name;
  std::string hash;  // 32 octets
  std::string hint;
  bool service = false;
  std::vector<std::string> scopes;
  int64_t created = 0;
  int64_t expires = 0;    // 0: never
  int64_t last_used = 0;  // 0: not yet
};

Status InsertApiKey(Connection& db, const ApiKey& key);

struct KeyOwner {
  ApiKey key;
  User user;
};
// Neither revoked, nor expired at `now`, nor of a locked user.
Result<std::optional<KeyOwner>> FindApiKey(Connection& db, std::string_view hash, int64_t now);

// Whose keys: this user's own, or for administrators all service keys too. Revoked ones are left
// out; by id, those behind `after`.
Result<std::vector<ApiKey>> ListApiKeys(Connection& db, std::string_view user, bool services_too,
                                        std::string_view after, int64_t limit);
// How many of them, revoked ones left out.
Result<int64_t> CountApiKeys(Connection& db, std::string_view user);
// Whose key it was; nothing where there is no such key that `user` may see.
Result<std::optional<std::string>> RevokeApiKey(Connection& db, std::string_view id,
                                                std::string_view user, bool services_too,
                                                int64_t now);
Status TouchApiKey(Connection& db, std::string_view id, int64_t now);

}  // namespace framewall::backend::store
