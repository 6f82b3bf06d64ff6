// Cross references of a built Config: what one directive can know only when all have been read.
#pragma once

#include "proxy/config/diagnostics.h"
#include "proxy/config/model/http.h"
#include "proxy/config/variable_scope.h"

namespace framewall::config {

// Gives servers without a listen nginx's default, binds proxy_pass to upstreams and limits to
// zones, collects the arguments that logs mask, and reports what does not fit: variables nobody
// knows, two defaults for one address, names twice on one address, TLS without a certificate.
// `variables` may be null: then no name is looked up.
void Validate(Config& config, const VariableCatalog* variables, Diagnostics& diagnostics);

}  // namespace framewall::config
