// ModSecurity over WebSocket messages: the adapter between a socket and waf/message.
#pragma once

#include <memory>
#include <string_view>

#include "proxy/filter/message/message_filter.h"

namespace framewall::filter {

class FilterServices;

// Null where modsecurity or websocket_inspect is off, or no rule would ever judge a message.
std::unique_ptr<MessageFilter> MakeMessageWaf(Exchange& exchange, FilterServices& services,
                                              std::string_view subprotocol);

}  // namespace framewall::filter
