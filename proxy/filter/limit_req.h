// limit_req: at most so many requests a second for a key, as a leaky bucket.
//
// Two rows of the pipeline: zones whose key is made of identity that has to be verified first
// (config/identity) are counted behind the access phase, all others before it. Each counts the
// exchange once in its life; what passed the first row is counted there even where the second
// refuses.
#pragma once

#include <memory>

#include "proxy/filter/filter.h"
#include "proxy/filter/services.h"

namespace framewall::filter {

// Null where the exchange may go on at once; else a filter that asks, delays or refuses.
std::unique_ptr<Filter> MakeLimitReq(Exchange& exchange, FilterServices& services);
// Of the zones by identity.
std::unique_ptr<Filter> MakeIdentityLimitReq(Exchange& exchange, FilterServices& services);

}  // namespace framewall::filter
