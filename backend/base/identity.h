// Who is asking, as far as it has been proven.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace framewall::backend {

enum class Role : uint8_t { kUser, kAdmin };
std::string_view RoleName(Role role);

struct Identity {
  enum class Kind : uint8_t {
    kAnonymous,
    kSession,  // an access token of a log-in: may do whatever its role may
    kKey,      // an API key: only what its scopes say
  };
  Kind kind = Kind::kAnonymous;
  std::string user;  // id; empty for the anonymous
  std::string name;  // the account's name, lower case
  Role role = Role::kUser;
  std::string session;  // the refresh family (kSession) or the key's id (kKey)
  std::vector<std::string> scopes;
  int64_t expires = 0;  // milliseconds since 1970; 0: never

  bool known() const { return kind != Kind::kAnonymous; }
  bool is_admin() const { return role == Role::kAdmin; }
  // A session has every scope of its role.
  bool HasScope(std::string_view scope) const;
};

}  // namespace framewall::backend
