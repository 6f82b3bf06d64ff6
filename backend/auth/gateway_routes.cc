// What the gateway asks: the keys that verify tokens, and who is behind a key or token.
#include <utility>

#include "backend/auth/routes.h"

namespace framewall::backend::auth {
namespace {

void GiveKeys(const Services& services, server::Call& call) {
  // New keys are published a day before they sign, so that a copy may be some minutes old.
  call.Answer(server::Reply{.status = 200,
                            .body = services.keys->published(),
                            .content_type = "application/jwk-set+json",
                            .fields = {{"cache-control", "public, max-age=300"}}});
}

// For auth_request of /v1/. Whoever reaches it from outside learns what their own credentials say,
// and nothing else, so it needs no protection of its own; the gateway has it `internal` anyway.
void TellIdentity(server::Call& call) {
  const Identity& identity = call.identity();
  const bool is_key = identity.kind == Identity::Kind::kKey;
  std::string scopes;
  for (const std::string& scope : identity.scopes) scopes += (scopes.empty() ? "" : " ") + scope;
  call.Answer(server::Reply{.status = 204,
                            .body = {},
                            .content_type = {},
                            .fields = {{"X-Auth-User", identity.user},
                                       {"X-Auth-Name", identity.name},
                                       {"X-Auth-Role", std::string(RoleName(identity.role))},
                                       {"X-Auth-Kind", is_key ? "key" : "session"},
                                       {"X-Auth-Key", is_key ? identity.session : ""},
                                       {"X-Auth-Session", is_key ? "" : identity.session},
                                       {"X-Auth-Scope", scopes}}});
}

}  // namespace

void AddGatewayRoutes(Routes& routes, const ServicesRef& services) {
  using Who = server::Access::Who;
  routes.push_back(
      {.method = "GET",
       .pattern = "/.well-known/jwks.json",
       .operation = "getSigningKeys",
       .access = {.who = Who::kAnyone},
       .handler = [services](const server::CallRef& call) { GiveKeys(*services, *call); }});
  routes.push_back({.method = "GET",
                    .pattern = "/internal/auth",
                    .operation = "whoAsks",
                    .access = {.who = Who::kUser, .scope = "llm"},
                    .handler = [](const server::CallRef& call) { TellIdentity(*call); }});
}

}  // namespace framewall::backend::auth
