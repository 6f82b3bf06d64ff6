// May this one come in? The coarse half of who may do what; objects are looked at by handlers.
#pragma once

#include <optional>
#include <string>

#include "backend/base/identity.h"
#include "backend/base/problem.h"
#include "backend/server/router.h"

namespace framewall::backend::server {

// Nothing where `identity` may call such a route. Requires: not kInside, which is decided without
// an identity.
std::optional<Problem> CheckAccess(const Access& access, const Identity& identity);

// WWW-Authenticate for a 401 or 403 (RFC 6750 3). `has_credentials`: the request brought some.
std::string Challenge(const Problem& problem, bool has_credentials, const Access* access);

}  // namespace framewall::backend::server
