// ModSecurity over an exchange: the only adapter between the exchange and waf/.
#pragma once

#include <memory>

#include "proxy/filter/filter.h"

namespace framewall::filter {

class FilterServices;

// Null where modsecurity is off or the location's order is the other one.
std::unique_ptr<Filter> MakeWafConnectorOrder(Exchange& exchange, FilterServices& services);
std::unique_ptr<Filter> MakeWafLateOrder(Exchange& exchange, FilterServices& services);

}  // namespace framewall::filter
