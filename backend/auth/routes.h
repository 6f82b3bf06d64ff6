// The routes of this room, a function for each subject; accounts.cc joins them. All answers are
// described in docs/backend.md, "Accounts and tokens".
#pragma once

#include <vector>

#include "backend/auth/services.h"
#include "backend/server/body.h"
#include "backend/server/page.h"
#include "backend/server/query.h"
#include "backend/server/router.h"

namespace framewall::backend::auth {

using server::Body;
using server::PageRequest;
using server::Query;
using Routes = std::vector<server::Route>;

// log_in.cc: POST /api/v1/login, GET /api/v1/csrf
void AddLogInRoutes(Routes& routes, const ServicesRef& services);
// session_routes.cc: refresh, logout, logout-everywhere, socket-ticket
void AddSessionRoutes(Routes& routes, const ServicesRef& services);
// account_routes.cc: register, password
void AddAccountRoutes(Routes& routes, const ServicesRef& services);
// key_routes.cc: /api/v1/keys
void AddKeyRoutes(Routes& routes, const ServicesRef& services);
// user_routes.cc: /api/v1/users, for administrators
void AddUserRoutes(Routes& routes, const ServicesRef& services);
// gateway_routes.cc: /.well-known/jwks.json, /internal/auth
void AddGatewayRoutes(Routes& routes, const ServicesRef& services);

}  // namespace framewall::backend::auth
