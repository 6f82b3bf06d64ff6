// The media type of what a URI names.
#pragma once

#include <string_view>

#include "proxy/exchange/exchange.h"

namespace framewall::content {

// By the extension of exchange.uri in `types`, else default_type (which may be empty). In the
// exchange's arena or its configuration.
std::string_view MediaTypeFor(exchange::Exchange& exchange);

// What follows the last dot of the last segment: "/a.b/c.tar.gz" has "gz". Empty for a name that
// begins with its only dot, as ".htaccess".
std::string_view FileExtension(std::string_view uri);

}  // namespace framewall::content
