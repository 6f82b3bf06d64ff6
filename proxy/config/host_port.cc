#include "proxy/config/host_port.h"

#include <netdb.h>

#include <algorithm>
#include <optional>

#include "proxy/base/parse.h"

namespace framewall::config {
namespace {

std::optional<uint16_t> ReadPort(std::string_view text) {
  const auto port = ParseUnsigned(text);
  if (!port || *port < 1 || *port > 65535) return std::nullopt;
  return static_cast<uint16_t>(*port);
}

// "unix:/path", "unix:/path:/uri"
Result<HostPort> ParseUnix(std::string_view text, bool allow_uri) {
  HostPort result;
  std::string_view path = text.substr(5);
  if (allow_uri) {
    if (const size_t colon = path.find(':'); colon != std::string_view::npos) {
      result.uri = std::string(path.substr(colon + 1));
      path = path.substr(0, colon);
    }
  }
  if (path.empty()) return OperatorError("no path in the unix domain socket");
  result.unix_path = std::string(path);
  result.text = "unix:" + result.unix_path;
  FW_ASSIGN(const SocketAddress address, SocketAddress::FromUnixPath(path));
  static_cast<void>(address);
  return result;
}

}  // namespace

Result<HostPort> ParseHostPort(std::string_view text, bool allow_uri) {
  if (text.starts_with("unix:")) return ParseUnix(text, allow_uri);
  HostPort result;
  std::string_view rest = text;
  if (allow_uri) {
    const size_t end = rest.find_first_of("/?#");
    if (end != std::string_view::npos) {
      if (rest[end] != '/') result.uri = "/";
      result.uri += rest.substr(end);
      rest = rest.substr(0, end);
    }
  }
  result.text = std::string(rest);
  std::string_view port;
  bool has_port = false;
  if (rest.starts_with('[')) {
    const size_t close = rest.find(']');
    if (close == std::string_view::npos) return OperatorError("invalid host");
    result.bracketed = true;
    result.host = std::string(rest.substr(1, close - 1));
    const auto ip = IpAddress::Parse(result.host);
    if (!ip || !ip->is_v6()) return OperatorError("invalid IPv6 address");
    const std::string_view after = rest.substr(close + 1);
    if (!after.empty()) {
      if (after[0] != ':') return OperatorError("invalid host");
      has_port = true;
      port = after.substr(1);
    }
  } else {
    const size_t colon = rest.find(':');
    result.host = std::string(rest.substr(0, colon));
    if (colon != std::string_view::npos) {
      has_port = true;
      port = rest.substr(colon + 1);
    }
  }
  if (has_port) {
    const auto number = ReadPort(port);
    if (!number) return OperatorError("invalid port");
    result.port = *number;
  }
  if (result.host.empty()) return OperatorError("no host");
  return result;
}

Result<std::vector<SocketAddress>> ResolveHostPort(const HostPort& where, uint16_t default_port) {
  std::vector<SocketAddress> addresses;
  if (where.is_unix()) {
    FW_ASSIGN(SocketAddress address, SocketAddress::FromUnixPath(where.unix_path));
    addresses.push_back(address);
    return addresses;
  }
  const uint16_t port = where.port != 0 ? where.port : default_port;
  if (const auto ip = IpAddress::Parse(where.host)) {
    if (ip->is_v4() || where.bracketed) {
      addresses.push_back(SocketAddress::FromIp(*ip, port));
      return addresses;
    }
  }
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  if (getaddrinfo(where.host.c_str(), nullptr, &hints, &list) != 0) {
    return OperatorError("host not found");
  }
  // nginx takes the IPv4 addresses first.
  for (const int family : {AF_INET, AF_INET6}) {
    for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
      if (entry->ai_family != family) continue;
      SocketAddress address = SocketAddress::FromSockaddr(entry->ai_addr, entry->ai_addrlen);
      address.set_port(port);
      if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) {
        addresses.push_back(address);
      }
    }
  }
  freeaddrinfo(list);
  if (addresses.empty()) return OperatorError("host not found");
  return addresses;
}

Result<std::vector<SocketAddress>> ParseListenAddress(std::string_view text) {
  constexpr uint16_t kDefaultPort = 80;
  if (text.starts_with("unix:")) {
    FW_ASSIGN(const HostPort where, ParseUnix(text, false));
    return ResolveHostPort(where, 0);
  }
  // The port, alone or after the last colon outside brackets, may be a range.
  std::string_view host = text;
  std::string_view ports;
  const size_t bracket = text.find(']');
  const size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    host = text.substr(0, colon);
    ports = text.substr(colon + 1);
    if (ports.empty()) return OperatorError("invalid port");
  } else if (!text.empty() && text.find_first_not_of("0123456789-") == std::string_view::npos) {
    host = "*";
    ports = text;
  }
  uint16_t first = kDefaultPort;
  uint16_t last = kDefaultPort;
  if (!ports.empty()) {
    const size_t dash = ports.find('-');
    const auto low = ReadPort(ports.substr(0, dash));
    const auto high = dash == std::string_view::npos ? low : ReadPort(ports.substr(dash + 1));
    if (!low || !high) return OperatorError("invalid port");
    if (*high < *low) return OperatorError("invalid port range");
    first = *low;
    last = *high;
  }
  std::vector<SocketAddress> bases;
  if (host == "*") {
    bases.push_back(SocketAddress::FromIp(IpAddress::FromV4(0), first));
  } else {
    FW_ASSIGN(const HostPort where, ParseHostPort(host, false));
    FW_ASSIGN(bases, ResolveHostPort(where, first));
  }
  std::vector<SocketAddress> addresses;
  for (SocketAddress base : bases) {
    for (uint32_t port = first; port <= last; ++port) {
      base.set_port(static_cast<uint16_t>(port));
      addresses.push_back(base);
    }
  }
  return addresses;
}

}  // namespace framewall::config
