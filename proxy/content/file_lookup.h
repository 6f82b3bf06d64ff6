// What the file handlers share: where a URI lies on disk, and nginx's words when it does not.
#pragma once

#include <string>
#include <string_view>

#include "proxy/exchange/exchange.h"

namespace framewall::content {

// False where the location's alias cannot map the URI, because a rewrite replaced the prefix that
// the alias stands for; that is logged, and to be answered with 500.
bool CanMapUri(const exchange::Exchange& exchange);

// GET, HEAD and POST: what nginx's file modules look at before they refuse a method.
bool IsFileMethod(const exchange::Exchange& exchange);

// A directory, to be answered with its index: tries each in order, then 403. Answers always,
// through the driver. Requires: exchange.uri ends with '/'.
void ServeIndex(exchange::Exchange& exchange);

}  // namespace framewall::content
