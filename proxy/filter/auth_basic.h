// auth_basic: user and password against an htpasswd file (RFC 7617).
#pragma once

#include <memory>

#include "proxy/filter/filter.h"

namespace framewall::filter {

class FilterServices;

// Null where it is off. A right password grants access; a wrong one is 401 with WWW-Authenticate in
// exchange.response, a missing file 403, one that cannot be read 500, and 503 where more passwords
// are to be checked than there is room for. It waits for what is slow to check.
std::unique_ptr<Filter> MakeAuthBasic(Exchange& exchange, FilterServices& services);

}  // namespace framewall::filter
