// auth_basic: user and password against an htpasswd file (RFC 7617).
#pragma once

#include "proxy/filter/filter.h"

namespace framewall::filter {

// Continue where it is off, Satisfied for a right password, else Respond(401) with WWW-Authenticate
// in exchange.response; 403 where the file is missing, 500 where it cannot be read.
Verdict CheckAuthBasic(Exchange& exchange);

}  // namespace framewall::filter
