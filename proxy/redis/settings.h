// What a Redis is made from: plain data, filled from a `redis NAME { ... }` block by those above.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/base/result.h"

namespace framewall::tls {
class ClientTlsContext;
}

namespace framewall::redis {

enum class Mode { kSingle, kSentinel, kCluster };

// Where a server is. A name is asked anew (getaddrinfo in a thread of its own) whenever a
// connection to it failed; what `addresses` says is used first and when the name has no answer.
struct Endpoint {
  std::string host;                      // a name or an address without brackets
  uint16_t port = 6379;                  // 26379 is usual for a Sentinel
  std::string unix_path;                 // instead of host and port; kSingle only
  std::vector<SocketAddress> addresses;  // known at the start; may be empty

  bool is_unix() const { return !unix_path.empty(); }
  // "cache.example:6379", "[::1]:6379", "unix:/path".
  std::string ToText() const;
  bool operator==(const Endpoint& other) const {
    return host == other.host && port == other.port && unix_path == other.unix_path;
  }
};

struct Settings {
  std::string name;  // of the block: stands in every message
  Mode mode = Mode::kSingle;
  // kSingle: exactly one. kSentinel: the Sentinels. kCluster: some of the nodes, the others are
  // learned from them.
  std::vector<Endpoint> servers;
  std::string master_name;  // kSentinel: what the Sentinels call it

  std::string user;      // ACL user; empty: the default user
  std::string password;  // empty: no AUTH is sent
  std::string sentinel_user;
  std::string sentinel_password;
  int database = 0;                       // not with kCluster
  std::string key_prefix;                 // put before every key
  std::string client_name = "framewall";  // CLIENT SETNAME: no spaces; empty: none is sent

  // Null: plain text. They outlive the client. `tls_name` is what certificates are checked against
  // and SNI says; empty: the host of each server, as configured or learned.
  const tls::ClientTlsContext* tls = nullptr;
  const tls::ClientTlsContext* sentinel_tls = nullptr;
  std::string tls_name;

  // A command is over after this, whatever happened to it.
  std::chrono::milliseconds deadline{100};
  // From the name to the answer of the last command of the greeting (AUTH, SELECT, ROLE).
  std::chrono::milliseconds connect_timeout{1000};
  // Between failed attempts to connect: doubled from the first to the last, with jitter.
  std::chrono::milliseconds reconnect_min{50};
  std::chrono::milliseconds reconnect_max{2000};
  // A connection whose oldest command has waited for so many deadlines is dropped.
  int stalled_after_deadlines = 3;
  // Commands that a connection holds without an answer; one more fails at once.
  size_t max_outstanding = 4096;

  // The breaker opens after so many failures in a row, and asks again after each pause.
  int breaker_failures = 5;
  std::chrono::milliseconds breaker_pause{1000};

  // Octets of one reply; one that is longer, or announces to be, ends the connection.
  size_t max_reply_size = 1 << 20;

  // kSentinel: how often the master's address is asked for while all is well.
  std::chrono::milliseconds sentinel_interval{2000};
  // kCluster: at least so long between two questions for the topology.
  std::chrono::milliseconds topology_min_interval{250};
};

// Settings that cannot work: no server, two for kSingle, a database in a Cluster, no master name,
// a Unix socket as a Sentinel. Source kOperator; the message begins with what is wrong and names
// no file.
Status Validate(const Settings& settings);

}  // namespace framewall::redis
