// Pieces of the driver's own answers: Location made absolute, statuses that nginx keeps to itself.
#pragma once

#include <string_view>

#include "proxy/exchange/exchange.h"

namespace framewall::server {

// nginx answers 400 where it thinks 494 to 497.
int PublicStatus(int status);

// `location` with scheme, host and port in front where it begins with '/' and absolute_redirect is on
// (server_name_in_redirect, port_in_redirect); in the arena.
std::string_view AbsoluteLocation(exchange::Exchange& exchange, std::string_view location);

// keepalive_disable: clients that cannot be trusted with an open connection, as nginx knows them.
bool IsKeepAliveBroken(const exchange::Exchange& exchange);

// OpenSSL's verify results that `ssl_verify_client optional_no_ca` lets pass.
bool IsMissingCa(long verify_result);

}  // namespace framewall::server
