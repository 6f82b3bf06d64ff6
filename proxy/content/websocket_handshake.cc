#include "proxy/content/websocket_handshake.h"

#include <algorithm>
#include <utility>

#include "proxy/base/text.h"
#include "proxy/ws/handshake.h"

namespace framewall::content {
namespace {

using http::FieldId;

constexpr FieldId kHandshakeFields[] = {FieldId::kSecWebSocketKey, FieldId::kSecWebSocketVersion,
                                        FieldId::kSecWebSocketExtensions,
                                        FieldId::kSecWebSocketProtocol, FieldId::kUpgrade};

ws::DeflateSettings SettingsOf(const config::SocketDeflate& deflate) {
  ws::DeflateSettings settings;
  settings.enabled = deflate.enabled;
  settings.server_context_takeover = deflate.context_takeover;
  settings.client_context_takeover = deflate.context_takeover;
  settings.server_max_window_bits = static_cast<int>(deflate.window_bits);
  settings.client_max_window_bits = static_cast<int>(deflate.window_bits);
  return settings;
}

Error Odd(std::string message) {
  return Error{ErrorKind::kSyntax, ErrorSource::kUpstream, std::move(message), 0};
}

}  // namespace

void WebSocketHandshake::Dress(http::RequestHead& request, RewrittenRequest& rewritten) {
  Arena& arena = exchange_.arena;
  const http::HeaderMap& client = exchange_.request.fields;
  for (const FieldId id : kHandshakeFields) request.fields.Remove(id);
  request.version = http::Version::kHttp11;
  request.method = http::Method::kGet;
  request.method_name = "GET";
  request.fields.AddView("Upgrade", "websocket", FieldId::kUpgrade);
  rewritten.upgrade = "websocket";
  rewritten.connection = "upgrade";

  key_ = ws::NewKey();
  request.fields.AddView("Sec-WebSocket-Version", "13", FieldId::kSecWebSocketVersion);
  request.fields.AddView("Sec-WebSocket-Key", key_, FieldId::kSecWebSocketKey);

  asked_.clear();
  const std::string_view wanted = arena.Copy(client.Joined(FieldId::kSecWebSocketProtocol));
  if (auto names = ws::ParseSubprotocols(wanted); names.ok()) {
    const auto& allowed = settings().protocols;
    std::string passed;
    for (const std::string_view name : *names) {
      if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
        continue;
      }
      asked_.push_back(name);
      if (!passed.empty()) passed += ", ";
      passed += name;
    }
    if (!passed.empty()) {
      request.fields.AddView("Sec-WebSocket-Protocol", arena.Copy(passed),
                             FieldId::kSecWebSocketProtocol);
    }
  }
  const std::string offer = ws::OfferText(SettingsOf(settings().upstream_deflate));
  if (!offer.empty()) {
    request.fields.AddView("Sec-WebSocket-Extensions", arena.Copy(offer),
                           FieldId::kSecWebSocketExtensions);
  }
}

Status WebSocketHandshake::Check(const http::ResponseHead& head) {
  const http::HeaderMap& fields = head.fields;
  if (fields.Count(FieldId::kUpgrade) != 1 ||
      !EqualsIgnoreCase(fields.Get(FieldId::kUpgrade), "websocket")) {
    return Odd("its Upgrade is not websocket");
  }
  if (!fields.ListHas(FieldId::kConnection, "upgrade")) return Odd("its Connection has no upgrade");
  if (fields.Count(FieldId::kSecWebSocketAccept) != 1 ||
      fields.Get(FieldId::kSecWebSocketAccept) != ws::AcceptFor(key_)) {
    return Odd("its Sec-WebSocket-Accept does not answer our key");
  }
  auto deflate = ws::CheckAnswer(fields.Joined(FieldId::kSecWebSocketExtensions),
                                 SettingsOf(settings().upstream_deflate));
  if (!deflate.ok()) return deflate.error();
  upstream_deflate_ = *deflate;
  subprotocol_ = {};
  if (fields.Has(FieldId::kSecWebSocketProtocol)) {
    const std::string chosen = fields.Joined(FieldId::kSecWebSocketProtocol);
    FW_TRY(ws::CheckSubprotocolAnswer(chosen, asked_));
    subprotocol_ = exchange_.arena.Copy(chosen);
  }
  return {};
}

void WebSocketHandshake::AnswerClient() {
  http::HeaderMap& fields = exchange_.response.fields;
  fields.Remove(FieldId::kSecWebSocketAccept);
  fields.Remove(FieldId::kSecWebSocketExtensions);
  fields.Remove(FieldId::kSecWebSocketProtocol);
  fields.Add(FieldId::kSecWebSocketAccept,
             ws::AcceptFor(exchange_.request.fields.Get(FieldId::kSecWebSocketKey)));
  if (!subprotocol_.empty()) fields.Add(FieldId::kSecWebSocketProtocol, subprotocol_);
  const auto offers =
      ws::ParseExtensions(exchange_.request.fields.Joined(FieldId::kSecWebSocketExtensions));
  if (!offers.ok()) return;
  ws::DeflateAnswer answer = ws::NegotiateAsServer(*offers, SettingsOf(settings().client_deflate));
  client_deflate_ = answer.params;
  if (!answer.text.empty()) fields.Add(FieldId::kSecWebSocketExtensions, answer.text);
}

}  // namespace framewall::content
