// websocket_schema: messages of clients are JSON of a required shape.
#pragma once

#include <memory>
#include <string_view>

#include "proxy/filter/message/message_filter.h"

namespace framewall::filter {

class FilterServices;

// Null where the location has no schema.
std::unique_ptr<MessageFilter> MakeMessageSchema(Exchange& exchange, FilterServices& services,
                                                 std::string_view subprotocol);

}  // namespace framewall::filter
