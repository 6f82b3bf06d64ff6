// auth_request, auth_request_set: a location of the configuration decides who may come in.
#pragma once

#include <memory>

#include "proxy/filter/filter.h"

namespace framewall::filter {

class FilterServices;

// Null where it is off. The request waits for a subrequest: its 2xx grants access, 401 and 403
// refuse (401 with its WWW-Authenticate), all else is 500. auth_request_set is evaluated in the
// subrequest, whatever it says.
std::unique_ptr<Filter> MakeAuthRequest(Exchange& exchange, FilterServices& services);

}  // namespace framewall::filter
