#include "backend/base/identity.h"

#include <algorithm>

namespace framewall::backend {

std::string_view RoleName(Role role) { return role == Role::kAdmin ? "admin" : "user"; }

bool Identity::HasScope(std::string_view scope) const {
  if (kind == Kind::kSession) return true;
  return kind == Kind::kKey && std::find(scopes.begin(), scopes.end(), scope) != scopes.end();
}

}  // namespace framewall::backend
