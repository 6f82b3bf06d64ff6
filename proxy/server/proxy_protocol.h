// The PROXY protocol, versions 1 (text) and 2 (binary), before anything else on a connection.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "proxy/base/address.h"

namespace framewall::server {

struct ProxyProtocolHeader {
  bool has_addresses = false;  // false: UNKNOWN, LOCAL, or a family we do not know
  SocketAddress source;
  SocketAddress destination;
};

struct ProxyProtocolResult {
  enum class Outcome { kDone, kMore, kBroken };
  Outcome outcome = Outcome::kMore;
  size_t size = 0;  // octets of the header, when done
};

// Version 1 is at most 107 octets with its line end; version 2 at most 4096 here.
ProxyProtocolResult ParseProxyProtocol(std::string_view bytes, ProxyProtocolHeader* header);

// The first octets for a log line, unprintable ones as dots.
std::string PrintableStart(std::string_view bytes);

}  // namespace framewall::server
