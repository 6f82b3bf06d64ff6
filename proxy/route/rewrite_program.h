// Runs the rewrite directives of a server or location: rewrite, set, if, return, break.
#pragma once

#include <string>
#include <string_view>

#include "proxy/config/model/http.h"
#include "proxy/exchange/exchange.h"

namespace framewall::route {

struct RewriteOutcome {
  enum class Kind : uint8_t {
    kContinue,  // go on; exchange.uri_changed tells whether to look for the location anew
    kRespond,   // answer with `status`, error_page applies
    kText,      // `return CODE "text"`: the text is the body
    kRedirect,  // `status` to `text`
  };
  Kind kind = Kind::kContinue;
  int status = 0;
  std::string_view text;  // in the exchange's arena
};

// May change exchange.uri, args and, for an `if` that holds in a location, exchange.location.
RewriteOutcome RunRewrite(exchange::Exchange& exchange, const config::RewriteProgram& program);

}  // namespace framewall::route
