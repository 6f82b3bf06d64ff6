// limit_req_headers: what an answer tells its client of the limits that counted it.
//
// RateLimit and RateLimit-Policy as of draft-ietf-httpapi-ratelimit-headers-10, one item for each
// zone by its name:
//
//   RateLimit-Policy: "api";q=21;w=2      q: requests that may come at once (burst + 1)
//                                         w: seconds in which that grows whole again at the rate
//   RateLimit: "api";r=7;t=1              r: requests that may come now
//                                         t: seconds until r grows (r=0), else until it is q
//   Retry-After: 1                        refusals only: as t of the zone that refused
#pragma once

#include "proxy/exchange/exchange.h"

namespace framewall::filter {

// Into exchange.response.fields, behind what an upstream says of limits of its own (both fields are
// lists); nothing where exchange.limit_reports is empty.
void ApplyLimitHeaders(exchange::Exchange& exchange);

}  // namespace framewall::filter
