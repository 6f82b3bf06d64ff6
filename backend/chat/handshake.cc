#include "backend/chat/handshake.h"

#include <optional>
#include <vector>

#include "proxy/base/text.h"
#include "proxy/http/header_name.h"

namespace framewall::backend::chat {
namespace {

std::vector<std::string> Offered(const http::RequestHead& head) {
  std::vector<std::string> offered;
  const std::string list = head.fields.Joined(http::FieldId::kSecWebSocketProtocol);
  ForEachListElement(list, [&](std::string_view name) { offered.emplace_back(name); });
  return offered;
}

}  // namespace

Handshake ReadHandshake(const server::Call& call, std::string_view public_url) {
  Handshake handshake;
  if (std::optional<std::string> ticket = call.Argument("ticket")) {
    handshake.credentials = Handshake::Credentials::kTicket;
    handshake.secret = *std::move(ticket);
  } else if (!call.identity().known()) {
    const std::vector<std::string> offered = Offered(call.head());
    for (size_t i = 0; i + 1 < offered.size(); ++i) {
      if (offered[i] != "bearer") continue;
      handshake.credentials = Handshake::Credentials::kSubprotocol;
      handshake.secret = offered[i + 1];
      break;
    }
  }
  size_t origins = 0;
  std::string_view origin;
  for (const http::Field& field : call.head().fields) {
    if (!EqualsIgnoreCase(field.name, "origin")) continue;
    ++origins;
    origin = field.value;
  }
  handshake.origin_allowed = origins == 0 ? handshake.credentials != Handshake::Credentials::kTicket
                                          : origins == 1 && EqualsIgnoreCase(origin, public_url);
  return handshake;
}

bool OffersChat(const http::RequestHead& head) {
  for (const std::string& name : Offered(head)) {
    if (name == kChatSubprotocol) return true;
  }
  return false;
}

}  // namespace framewall::backend::chat
