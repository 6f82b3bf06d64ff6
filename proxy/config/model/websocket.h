// WebSocket: what is allowed, how messages are inspected, what a socket may cost.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "proxy/base/parse.h"
#include "proxy/config/directive.h"

namespace framewall::config {

// What a refusal by the rules (or a schema) does to the socket. A rule's `drop` resets always.
enum class SocketVerdict : uint8_t {
  kClose,   // close with 1008
  kDrop,    // the message is left out, the socket goes on
  kDetect,  // logged only
};

// A message longer than websocket_inspect_limit.
enum class OverInspectLimit : uint8_t { kRefuse, kPartial, kPass };

// `Upgrade: h2c` and the like.
enum class OtherUpgrades : uint8_t {
  kIgnore,  // proxied without it (RFC 9110 7.8)
  kPass,    // tunnelled, uninspected
};

// Extensions offered that are not permessage-deflate.
enum class UnknownExtensions : uint8_t { kIgnore, kRefuse };

// A token bucket. per_second 0: no limit.
struct SocketRate {
  uint64_t per_second = 0;
  uint64_t burst = 0;
  bool close = false;  // over it: close with 1008; else the sender is read more slowly
};

struct SocketDeflate {
  bool enabled = true;
  bool context_takeover = false;
  uint64_t window_bits = 15;
};

struct WebSocketSettings {
  // Inspection by modsecurity's rules.
  bool inspect_client = true;
  bool inspect_upstream = true;
  uint64_t inspect_limit = 128 * 1024;
  OverInspectLimit over_inspect_limit = OverInspectLimit::kRefuse;
  SocketVerdict verdict = SocketVerdict::kClose;

  // Octets; of a message after inflating.
  uint64_t max_message_size = 1024 * 1024;
  uint64_t max_frame_size = 0;  // 0: as the message
  uint64_t max_control_size = 125;
  uint64_t max_fragments = 1024;
  uint64_t max_inflate_ratio = 100;
  bool allow_text = true;
  bool allow_binary = true;
  bool allow_null = true;  // U+0000 in text

  std::string schema;  // path of the JSON Schema that clients' messages match; empty: none
  SourceLocation schema_at;

  // Empty: any. "same", "none", "https://a.example", "https://*.example".
  std::vector<std::string> origins;
  // Empty: any.
  std::vector<std::string> protocols;
  UnknownExtensions unknown_extensions = UnknownExtensions::kIgnore;

  SocketDeflate client_deflate;
  SocketDeflate upstream_deflate{.enabled = false};

  SocketRate message_rate{.per_second = 100, .burst = 200};
  SocketRate byte_rate;
  SocketRate client_message_rate{.per_second = 1000, .burst = 2000};
  uint64_t client_connections = 0;  // 0: no limit
  int client_zone = -1;             // index into HttpConfig::limit_zones where there is one

  Milliseconds message_timeout{60000};  // from a message's first octet to its last
  Milliseconds close_timeout{5000};     // for the answer to a close
  Milliseconds ping_interval{0};        // 0: none of ours
  Milliseconds idle_timeout{0};         // without a message of either side; 0: no limit
  Milliseconds session_lifetime{0};     // 0: no limit

  // What unfinished messages may hold in a worker, and of one client address there.
  uint64_t worker_memory = 256 * 1024 * 1024;
  uint64_t client_memory = 32 * 1024 * 1024;

  OtherUpgrades other_upgrades = OtherUpgrades::kIgnore;
  SourceLocation other_upgrades_at;
};

}  // namespace framewall::config
