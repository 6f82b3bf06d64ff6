// "host:port" in the forms that listen, proxy_pass, server and resolver take, and names to
// addresses. Blocking: only while a configuration is loaded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/base/result.h"

namespace framewall::config {

// "host", "host:port", "1.2.3.4:80", "[::1]:80", "unix:/path[:]", each with "/uri" after it where
// `allow_uri`.
struct HostPort {
  std::string host;   // "[::1]" without brackets; empty for Unix sockets
  uint16_t port = 0;  // 0: none was written
  bool bracketed = false;
  std::string unix_path;
  std::string uri;   // begins with "/", put before a "?" or "#"; empty: none
  std::string text;  // without the URI, as written
  bool is_unix() const { return !unix_path.empty(); }
};
// Errors are nginx's short ones: "invalid port", "no host", "invalid IPv6 address".
Result<HostPort> ParseHostPort(std::string_view text, bool allow_uri);

// Numeric addresses at once, names by getaddrinfo; `default_port` where none was written.
// "host not found" where there is none.
Result<std::vector<SocketAddress>> ResolveHostPort(const HostPort& where, uint16_t default_port);

// What listen takes: also "*", "*:80", "80" and ranges "1.2.3.4:8000-8010".
Result<std::vector<SocketAddress>> ParseListenAddress(std::string_view text);

}  // namespace framewall::config
