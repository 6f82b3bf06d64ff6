// allow and deny: the first rule that fits the client's address decides.
#pragma once

#include <vector>

#include "proxy/filter/filter.h"

namespace framewall::filter {

// Satisfied where an `allow` fits, Respond(403) where a `deny` does, Continue where none does.
Verdict CheckAccess(Exchange& exchange);

// The first rule of the list (allow, deny, set_real_ip_from) that fits this address; null: none.
const config::AccessRule* FirstThatFits(const config::AccessList& list,
                                        const SocketAddress& address);

}  // namespace framewall::filter
