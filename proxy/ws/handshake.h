// The opening handshake's values (RFC 6455 4): key, accept, sub-protocols. The fields themselves
// belong to HTTP.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"

namespace framewall::ws {

// Sec-WebSocket-Key: 16 octets in base64, spelled the one way there is.
bool IsValidKey(std::string_view key);
// Sec-WebSocket-Accept that answers `key`.
std::string AcceptFor(std::string_view key);
// A key for a handshake of ours, random.
std::string NewKey();

// Sec-WebSocket-Protocol of a request; several fields are joined with commas by the caller. Tokens,
// at least one, none twice (RFC 6455 4.1), at most kMostSubprotocols. Views into `field`.
inline constexpr size_t kMostSubprotocols = 64;
Result<std::vector<std::string_view>> ParseSubprotocols(std::string_view field);
// Sec-WebSocket-Protocol of an answer: one of those asked for, in the same case. Requires: `asked`
// are tokens.
Status CheckSubprotocolAnswer(std::string_view field, const std::vector<std::string_view>& asked);

}  // namespace framewall::ws
