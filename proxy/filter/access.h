// allow and deny: the first rule that fits the client's address decides.
#pragma once

#include <vector>

#include "proxy/filter/filter.h"

namespace framewall::filter {

// Satisfied where an `allow` fits, Respond(403) where a `deny` does, Continue where none does.
Verdict CheckAccess(Exchange& exchange);

// Does `rule` (allow, deny, set_real_ip_from) fit this address?
bool AddressFits(const config::AccessRule& rule, const SocketAddress& address);

}  // namespace framewall::filter
