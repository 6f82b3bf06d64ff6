// Which variables say who the client is and are empty until the access phase has verified it.
//
// A zone of limits whose key is made of them is counted behind the access phase, the others before
// it: decided here, once, when the configuration is built. The marks stand in VariableScope
// (VariableName::is_identity).
#pragma once

#include <string_view>

#include "proxy/config/model/http.h"

namespace framewall::config {

// $jwt_claim_NAME, $jwt_header_NAME, $jwt_payload; `name` in lower case. Other directives that
// define such variables call VariableScope::MarkIdentity.
bool IsIdentityName(std::string_view name);

// Marks what auth_request_set fills, and then every variable that is made of marked ones by map,
// geo, split_clients, set or a named capture, until nothing changes.
void SpreadIdentity(Config& config);

// Is any of its variables marked? (After SpreadIdentity.)
bool DependsOnIdentity(const Template& text, const VariableScope& variables);

}  // namespace framewall::config
