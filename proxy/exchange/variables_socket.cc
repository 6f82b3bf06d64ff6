// $websocket_*: counts and end of a WebSocket, known in its line of the access log.
#include "proxy/exchange/builtin_variables.h"
#include "proxy/exchange/socket_record.h"

namespace framewall::exchange {
namespace {

template <auto Count>
void GetCount(Exchange& exchange, std::string_view, Value& value) {
  if (exchange.socket == nullptr) return SetAbsent(value);
  SetCopy(exchange, value, std::to_string(Count(*exchange.socket)));
}

constexpr auto kMessagesReceived = [](const SocketRecord& socket) {
  return socket.from_client.messages;
};
constexpr auto kMessagesSent = [](const SocketRecord& socket) {
  return socket.from_upstream.messages;
};
constexpr auto kOctetsReceived = [](const SocketRecord& socket) {
  return socket.from_client.octets;
};
constexpr auto kOctetsSent = [](const SocketRecord& socket) { return socket.from_upstream.octets; };
constexpr auto kRefused = [](const SocketRecord& socket) { return socket.refused; };

void GetCloseCode(Exchange& exchange, std::string_view, Value& value) {
  if (exchange.socket == nullptr || exchange.socket->close_code == 0) return SetAbsent(value);
  SetCopy(exchange, value, std::to_string(exchange.socket->close_code));
}
void GetClosedBy(Exchange& exchange, std::string_view, Value& value) {
  if (exchange.socket == nullptr) return SetAbsent(value);
  SetViewOrAbsent(value, exchange.socket->closed_by);
}
void GetReason(Exchange& exchange, std::string_view, Value& value) {
  if (exchange.socket == nullptr || exchange.socket->reason.empty()) return SetAbsent(value);
  SetCopy(exchange, value, exchange.socket->reason);
}

constexpr BuiltinVariable kVariables[] = {
    {.name = "websocket_messages_received", .get = GetCount<kMessagesReceived>},
    {.name = "websocket_messages_sent", .get = GetCount<kMessagesSent>},
    {.name = "websocket_bytes_received", .get = GetCount<kOctetsReceived>},
    {.name = "websocket_bytes_sent", .get = GetCount<kOctetsSent>},
    {.name = "websocket_messages_refused", .get = GetCount<kRefused>},
    {.name = "websocket_close_code", .get = GetCloseCode},
    {.name = "websocket_closed_by", .get = GetClosedBy},
    {.name = "websocket_reason", .get = GetReason},
};

}  // namespace

std::span<const BuiltinVariable> SocketVariables() { return kVariables; }

}  // namespace framewall::exchange
