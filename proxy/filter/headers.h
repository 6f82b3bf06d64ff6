// add_header, add_trailer, expires: fields that the configuration adds to a response.
#pragma once

#include "proxy/filter/filter.h"

namespace framewall::filter {

// Adds to exchange.response.fields, right before the head is sent.
void ApplyHeaders(Exchange& exchange);
// The part of it that conditions and ranges depend on: add_header of Last-Modified and ETag, which
// replace. May be called before ApplyHeaders, by who cuts ranges; the outcome is the same.
void ApplyValidators(Exchange& exchange);
// Does the location add trailers at all?
bool WantsTrailers(const Exchange& exchange);
// add_trailer, evaluated at the end of the body, into `trailers`. The exchange keeps a copy for the
// log ($sent_trailer_name).
void CollectTrailers(Exchange& exchange, http::HeaderMap& trailers);

}  // namespace framewall::filter
