// Whom a request comes from by X-Forwarded-For, as geo and geoip2 ask; not the address that access
// rules see (filter/realip).
#pragma once

#include "proxy/base/address.h"
#include "proxy/exchange/exchange.h"

namespace framewall::route {

// `address`, or where that is one of `proxies` the last address of X-Forwarded-For; `recursive`:
// the last one that is no proxy. A hop that cannot be read ends the walk.
IpAddress ForwardedAddress(const exchange::Exchange& exchange, const IpAddress& address,
                           const CidrSet& proxies, bool recursive);

}  // namespace framewall::route
