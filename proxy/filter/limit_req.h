// limit_req: at most so many requests a second for a key, as a leaky bucket.
#pragma once

#include <memory>

#include "proxy/filter/filter.h"
#include "proxy/filter/services.h"

namespace framewall::filter {

// Counts the exchange in every zone of its location, once in its life. Null where it may go on at
// once; else a filter that delays or refuses it.
std::unique_ptr<Filter> MakeLimitReq(Exchange& exchange, FilterServices& services);

}  // namespace framewall::filter
