// auth_jwt: a signed token in the place of a password (RFC 7519, RFC 6750), with nginx Plus's
// directives.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/filter/filter.h"
#include "proxy/jwt/verifier.h"

namespace framewall::filter {

class FilterServices;

// The row of the access phase. Null where it is off; then the exchange knows no identity. Satisfied
// for a token that holds and passes auth_jwt_require, else 401 with a challenge (or what
// auth_jwt_require says); 503 as long as there are no keys. The log says why, never the token.
std::unique_ptr<Filter> MakeAuthJwt(Exchange& exchange, FilterServices& services);

// The row before that: where auth_jwt takes its token from $websocket_subprotocol_token, the
// handshake goes on without it, whatever the access phase will say.
Verdict TakeSubprotocolToken(Exchange& exchange);

// Makes `token` the exchange's identity, if auth_jwt_require agrees. Nothing where it does; else
// the status, and the identity is what it was before.
std::optional<int> AdoptToken(Exchange& exchange, std::shared_ptr<const jwt::VerifiedToken> token);

}  // namespace framewall::filter
