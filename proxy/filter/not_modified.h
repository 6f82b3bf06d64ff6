// If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since (RFC 9110 13).
#pragma once

#include "proxy/filter/filter.h"

namespace framewall::filter {

// 304 or 412 where a condition of the request says so for exchange.response (status 200, its ETag
// and exchange.last_modified); 0 where the response is to be sent.
int CheckNotModified(Exchange& exchange);

}  // namespace framewall::filter
