// Sec-WebSocket-Extensions (RFC 6455 9.1) and what we make of it: permessage-deflate (RFC 7692 7.1)
// or nothing.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/ws/deflate.h"

namespace framewall::ws {

struct ExtensionParam {
  std::string name;
  std::optional<std::string> value;  // without quotes
  bool operator==(const ExtensionParam&) const = default;
};
struct Extension {
  std::string name;
  std::vector<ExtensionParam> params;
  bool operator==(const Extension&) const = default;
};

// Above these a field is refused.
inline constexpr size_t kMostExtensions = 32;
inline constexpr size_t kMostExtensionParams = 16;

// Several fields are joined with commas by the caller. Names are as they came; empty list elements
// are skipped, but one element there must be. What breaks the grammar fails the handshake.
Result<std::vector<Extension>> ParseExtensions(std::string_view field);

// The setting of one side.
struct DeflateSettings {
  bool enabled = false;
  // May a sender refer to earlier messages? Costs memory for each connection: see Inflater,
  // Deflater.
  bool server_context_takeover = false;
  bool client_context_takeover = false;
  int server_max_window_bits = 15;  // 9..15
  int client_max_window_bits = 15;
  DeflateEffort effort;
  size_t min_size = 1024;  // shorter messages are sent as they are
};

struct DeflateAnswer {
  std::optional<DeflateParams> params;  // nothing: no extension
  std::string text;                     // for Sec-WebSocket-Extensions; empty: no such field
};
// Takes the first offer of permessage-deflate that is well-formed (RFC 7692 7.1: others are
// declined) and narrows it to the settings. A client that does not offer client_max_window_bits may
// use 15 whatever the setting: it cannot be told otherwise.
DeflateAnswer NegotiateAsServer(const std::vector<Extension>& offers,
                                const DeflateSettings& settings);

// What we offer as a client; empty where disabled.
std::string OfferText(const DeflateSettings& settings);
// Reads the server's answer to OfferText(settings); `field` is empty where it sent none. Whatever
// was not offered is an error of the upstream, and so is an answer without a parameter that the
// offer made a condition (server_no_context_takeover, server_max_window_bits).
Result<std::optional<DeflateParams>> CheckAnswer(std::string_view field,
                                                 const DeflateSettings& settings);

}  // namespace framewall::ws
