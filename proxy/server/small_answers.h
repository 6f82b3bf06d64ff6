// What the driver knows of clients and statuses beside the phases.
#pragma once

#include "proxy/exchange/exchange.h"

namespace framewall::server {

// nginx answers 400 where it thinks 494 to 497.
int PublicStatus(int status);

// keepalive_disable: clients that cannot be trusted with an open connection, as nginx knows them.
bool IsKeepAliveBroken(const exchange::Exchange& exchange);

// OpenSSL's verify results that `ssl_verify_client optional_no_ca` lets pass.
bool IsMissingCa(long verify_result);

}  // namespace framewall::server
