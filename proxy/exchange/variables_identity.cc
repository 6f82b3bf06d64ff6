// Variables of a verified token ($jwt_claim_NAME and its kin): empty until it is verified. And the
// token that a WebSocket handshake carries among its sub-protocols.
#include "proxy/base/encoding.h"
#include "proxy/base/text.h"
#include "proxy/exchange/builtin_variables.h"

namespace framewall::exchange {
namespace {

template <bool (Identity::*kAppend)(std::string_view, std::string&) const>
void GetNamed(Exchange& exchange, std::string_view suffix, Value& value) {
  std::string text;
  if (exchange.identity() == nullptr || !(exchange.identity()->*kAppend)(suffix, text)) {
    return SetAbsent(value);
  }
  SetCopy(exchange, value, text);
}

void GetPayload(Exchange& exchange, std::string_view, Value& value) {
  if (exchange.identity() == nullptr) return SetAbsent(value);
  SetCopy(exchange, value, exchange.identity()->payload());
}

void GetSubprotocolToken(Exchange& exchange, std::string_view, Value& value) {
  if (exchange.subprotocol_token.empty()) {
    exchange.subprotocol_token = exchange.arena.Copy(FindSubprotocolToken(exchange.request).token);
  }
  SetViewOrAbsent(value, exchange.subprotocol_token);
}

constexpr BuiltinVariable kVariables[] = {
    {.name = "jwt_claim_", .get = GetNamed<&Identity::AppendClaimOf>, .is_family = true},
    {.name = "jwt_header_", .get = GetNamed<&Identity::AppendHeaderOf>, .is_family = true},
    {.name = "jwt_payload", .get = GetPayload},
    {.name = "websocket_subprotocol_token", .get = GetSubprotocolToken},
};

// As Kubernetes' API server takes it: the token in base64url behind this.
constexpr std::string_view kEncodedPrefix = "base64url.bearer.authorization.k8s.io.";
// As many browser clients do it: this, then the token itself as the next name.
constexpr std::string_view kMarker = "bearer";

}  // namespace

SubprotocolToken FindSubprotocolToken(const http::RequestHead& request) {
  SubprotocolToken found;
  if (!request.fields.ListHas(http::FieldId::kUpgrade, "websocket")) return found;
  const std::string asked = request.fields.Joined(http::FieldId::kSecWebSocketProtocol);
  size_t tokens = 0;
  bool marked = false;
  ForEachListElement(asked, [&](std::string_view name) {
    if (std::exchange(marked, false)) {
      ++tokens;
      found.token = name;
    } else if (EqualsIgnoreCase(name, kMarker)) {
      found.any = marked = true;
    } else if (name.starts_with(kEncodedPrefix)) {
      ++tokens;
      found.any = true;
      found.token = Base64UrlDecode(name.substr(kEncodedPrefix.size())).value_or(std::string());
    } else {
      if (!found.others.empty()) found.others += ", ";
      found.others += name;
    }
  });
  // Which of two would be judged, and which used behind us?
  if (tokens > 1) found.token.clear();
  return found;
}

std::span<const BuiltinVariable> IdentityVariables() { return kVariables; }

}  // namespace framewall::exchange
