// The checks of WebSocket messages, in their order. Frames, sizes, fragments and UTF-8 are judged
// by the codec, rates by the relay, before a message comes here.
#pragma once

#include <memory>
#include <vector>

#include "proxy/filter/message/message_filter.h"

namespace framewall::filter {

class FilterServices;

// Those that are on in the exchange's location. `services` outlives them.
std::vector<std::unique_ptr<MessageFilter>> MakeMessageFilters(Exchange& exchange,
                                                               FilterServices& services,
                                                               std::string_view subprotocol);

}  // namespace framewall::filter
