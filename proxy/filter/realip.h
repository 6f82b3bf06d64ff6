// set_real_ip_from, real_ip_header, real_ip_recursive: the client behind trusted hops.
#pragma once

#include "proxy/filter/filter.h"

namespace framewall::filter {

// Sets exchange.client_address. Always Continue.
Verdict ApplyRealIp(Exchange& exchange);

}  // namespace framewall::filter
