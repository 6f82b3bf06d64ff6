// Variables of the connection, the process and the time.
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "proxy/base/text.h"
#include "proxy/event/stream.h"
#include "proxy/exchange/builtin_variables.h"

namespace framewall::exchange {
namespace {

void SetPort(Exchange& exchange, const SocketAddress& address, Value& value) {
  if (address.is_unix() || address.empty()) return SetView(value, "");
  SetCopy(exchange, value, std::to_string(address.port()));
}

void GetRemoteAddr(Exchange& exchange, std::string_view, Value& value) {
  SetCopy(exchange, value, exchange.client_address.HostText());
}
void GetRemotePort(Exchange& exchange, std::string_view, Value& value) {
  SetPort(exchange, exchange.client_address, value);
}
void GetBinaryRemoteAddr(Exchange& exchange, std::string_view, Value& value) {
  if (exchange.client_address.is_unix()) return SetView(value, "unix:");
  SetCopy(exchange, value, exchange.client_address.ip().bytes());
}
void GetRealipRemoteAddr(Exchange& exchange, std::string_view, Value& value) {
  SetCopy(exchange, value, exchange.connection.peer.HostText());
}
void GetRealipRemotePort(Exchange& exchange, std::string_view, Value& value) {
  SetPort(exchange, exchange.connection.peer, value);
}
void GetServerAddr(Exchange& exchange, std::string_view, Value& value) {
  if (exchange.connection.local.is_unix()) {
    return SetCopy(exchange, value, exchange.connection.local.ToText());
  }
  SetCopy(exchange, value, exchange.connection.local.HostText());
}
void GetServerPort(Exchange& exchange, std::string_view, Value& value) {
  SetPort(exchange, exchange.connection.local, value);
}
void GetConnection(Exchange& exchange, std::string_view, Value& value) {
  SetCopy(exchange, value, std::to_string(exchange.connection.number));
}
void GetConnectionRequests(Exchange& exchange, std::string_view, Value& value) {
  SetCopy(exchange, value, std::to_string(exchange.connection.requests));
}
void GetConnectionTime(Exchange& exchange, std::string_view, Value& value) {
  const int64_t ms =
      std::chrono::duration_cast<Milliseconds>(CachedNow().steady - exchange.connection.accepted)
          .count();
  SetCopy(exchange, value, fmt::format("{}.{:03}", ms / 1000, ms % 1000));
}
void GetPid(Exchange& exchange, std::string_view, Value& value) {
  SetCopy(exchange, value, std::to_string(::getpid()));
}
void GetMsec(Exchange& exchange, std::string_view, Value& value) {
  const int64_t ms = CachedNow().unix_milliseconds;
  SetCopy(exchange, value, fmt::format("{}.{:03}", ms / 1000, ms % 1000));
}
void GetTimeIso8601(Exchange& exchange, std::string_view, Value& value) {
  SetCopy(exchange, value, CachedIso8601());
}
void GetTimeLocal(Exchange& exchange, std::string_view, Value& value) {
  SetCopy(exchange, value, CachedLogTime());
}
void GetPipe(Exchange& exchange, std::string_view, Value& value) {
  SetView(value, exchange.connection.requests > 1 ? "p" : ".");
}
void GetProxyProtocol(Exchange& exchange, std::string_view suffix, Value& value) {
  const ProxyProtocolInfo& info = exchange.connection.proxy_protocol;
  if (suffix != "addr" && suffix != "port" && suffix != "server_addr" && suffix != "server_port") {
    return SetAbsent(value);
  }
  if (!info.present) return SetView(value, "");
  if (suffix == "addr") return SetCopy(exchange, value, info.source.HostText());
  if (suffix == "port") return SetPort(exchange, info.source, value);
  if (suffix == "server_addr") return SetCopy(exchange, value, info.destination.HostText());
  SetPort(exchange, info.destination, value);
}

constexpr BuiltinVariable kVariables[] = {
    {.name = "remote_addr", .get = GetRemoteAddr},
    {.name = "remote_port", .get = GetRemotePort},
    {.name = "binary_remote_addr", .get = GetBinaryRemoteAddr},
    {.name = "realip_remote_addr", .get = GetRealipRemoteAddr},
    {.name = "realip_remote_port", .get = GetRealipRemotePort},
    {.name = "server_addr", .get = GetServerAddr},
    {.name = "server_port", .get = GetServerPort},
    {.name = "connection", .get = GetConnection},
    {.name = "connection_requests", .get = GetConnectionRequests},
    {.name = "connection_time", .get = GetConnectionTime},
    {.name = "pid", .get = GetPid},
    {.name = "msec", .get = GetMsec},
    {.name = "time_iso8601", .get = GetTimeIso8601},
    {.name = "time_local", .get = GetTimeLocal},
    {.name = "pipe", .get = GetPipe},
    {.name = "proxy_protocol_", .get = GetProxyProtocol, .is_family = true},
};

}  // namespace

std::span<const BuiltinVariable> ConnectionVariables() { return kVariables; }

}  // namespace framewall::exchange
