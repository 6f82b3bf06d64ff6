// listen, server_name: where a server is reached.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/base/regex.h"
#include "proxy/config/directive.h"
#include "proxy/config/template.h"

namespace framewall::config {

struct ListenConfig {
  SocketAddress address;
  std::string text;  // as written
  bool default_server = false;
  bool ssl = false;
  bool http2 = false;
  bool proxy_protocol = false;
  // Options of the socket; the first listen of an address that sets any decides for all.
  bool has_socket_options = false;
  bool reuseport = false;
  bool deferred = false;
  bool bind = false;
  std::optional<bool> ipv6only;  // on unless set
  int backlog = -1;              // -1: 511, as nginx on Linux
  int receive_buffer = 0;        // rcvbuf=
  int send_buffer = 0;           // sndbuf=
  int fastopen = -1;
  std::optional<bool> keepalive;  // so_keepalive=on|off
  int keepalive_idle = 0;         // seconds; 0 leaves it
  int keepalive_interval = 0;
  int keepalive_count = 0;
  SourceLocation at;
};

struct ServerName {
  enum class Kind : uint8_t { kExact, kLeadingWildcard, kTrailingWildcard, kRegex };
  Kind kind = Kind::kExact;
  // Lower case. kLeadingWildcard: "example.com" of "*.example.com" or ".example.com";
  // kTrailingWildcard: "www.example" of "www.example.*".
  std::string name;
  bool also_exact = false;  // ".example.com" matches "example.com" too
  std::string source;       // as written: $server_name of the first
  const Regex* regex = nullptr;
  // Slots of the named captures, in the order of regex->names().
  std::vector<VariableSlot> capture_slots;
};

}  // namespace framewall::config
