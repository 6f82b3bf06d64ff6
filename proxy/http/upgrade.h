// Does a request ask for another protocol, and is it a WebSocket handshake (RFC 6455 4.2.1)?
// Decided on the parsed head alone.
#pragma once

#include <string_view>

#include "proxy/http/message.h"

namespace framewall::http {

enum class WebSocketHandshake {
  kNone,        // does not ask for "websocket"
  kValid,       // every rule of RFC 6455 4.2.1 holds
  kBadVersion,  // asks for a version other than 13: 426 with Sec-WebSocket-Version: 13
  kMalformed,   // asks, but breaks a rule: 400
};

WebSocketHandshake CheckWebSocketHandshake(const RequestHead& head);

// The first token of Upgrade, where Connection names it too and the version is 1.1; empty
// otherwise. "websocket", "h2c", in the sender's spelling.
std::string_view UpgradeToken(const RequestHead& head);

}  // namespace framewall::http
