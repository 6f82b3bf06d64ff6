// What a handshake of the chat shows: which credentials, and from which page it comes.
#pragma once

#include <string>
#include <string_view>

#include "backend/server/call.h"

namespace framewall::backend::chat {

inline constexpr std::string_view kChatSubprotocol = "framewall.chat";

struct Handshake {
  enum class Credentials : uint8_t {
    kField,        // Authorization or nothing: the call's identity
    kTicket,       // ?ticket=
    kSubprotocol,  // "bearer" and a token behind it, in Sec-WebSocket-Protocol
  };
  Credentials credentials = Credentials::kField;
  std::string secret;  // the ticket, the token
  // A page must come from `public_url`. Programs have no page; they show a token, no ticket, for
  // tickets are for pages.
  bool origin_allowed = false;
};

Handshake ReadHandshake(const server::Call& call, std::string_view public_url);
// Does the client offer kChatSubprotocol?
bool OffersChat(const http::RequestHead& head);

}  // namespace framewall::backend::chat
