// A fresh token on a socket: {"type":"auth","token":"..."}, names by websocket_auth_message.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "proxy/filter/message/message_filter.h"

namespace framewall::filter {

class FilterServices;

// Sockets are closed so when their token has ended, or a fresh one is wrong: 401 among the codes
// that are left to applications (RFC 6455 7.4.2).
inline constexpr uint16_t kTokenCloseCode = 4401;

// Null where the handshake came in without a token, or websocket_auth_message is off. A fresh token
// is judged as the handshake's was, and must be of the same `sub`; the socket then ends with it.
// The message goes no further, unless websocket_auth_forward is on.
std::unique_ptr<MessageFilter> MakeMessageToken(Exchange& exchange, FilterServices& services,
                                                std::string_view subprotocol);

}  // namespace framewall::filter
