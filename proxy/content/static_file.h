// Files from disk: root, alias, index, types, conditions and ranges.
#pragma once

#include <memory>

#include "proxy/content/handler.h"

namespace framewall::content {

// GET and HEAD of the file that exchange.uri names; a directory leads to its index (an internal
// redirect) or 403, a missing slash to a redirect, anything else to nginx's status and log line.
std::unique_ptr<ContentHandler> MakeStaticHandler(exchange::Exchange& exchange);

// try_files: finds the first that exists and sets exchange.uri to it, or goes to the last by an
// internal redirect, a named location or a status through the driver. True where it has answered.
bool RunTryFiles(exchange::Exchange& exchange);

}  // namespace framewall::content
