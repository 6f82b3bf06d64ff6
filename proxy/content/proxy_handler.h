// proxy_pass: asks an upstream, again where that is safe, and streams both ways.
#pragma once

#include <memory>

#include "proxy/content/handler.h"
#include "proxy/upstream/runtime.h"

namespace framewall::content {

// `exchange` and `runtime` outlive the handler. The handler lives until the exchange has been
// logged: $upstream_http_* are views of its response head.
std::unique_ptr<ContentHandler> MakeProxyHandler(exchange::Exchange& exchange,
                                                 upstream::Runtime& runtime);

}  // namespace framewall::content
