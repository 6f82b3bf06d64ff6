// Peer: one address of a server in a group, with its weight and its state.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "proxy/base/address.h"

namespace framewall::upstream {

// What balancing and passive health remember. Lives in the group (one a worker), or in shared
// memory where the group has a `zone`; then guarded by the group's lock. All zero but
// effective_weight.
struct PeerState {
  int64_t connections = 0;
  int64_t fails = 0;
  int64_t current_weight = 0;
  int64_t effective_weight = 0;
  int64_t checked = 0;   // unix seconds: last failure or last probe of a failed peer
  int64_t accessed = 0;  // unix seconds: last failure
};

// Sums over all workers, for metrics; in shared memory.
struct PeerCounters {
  std::atomic<uint64_t> requests{0};
  std::atomic<uint64_t> failures{0};
  std::atomic<uint64_t> response_ms{0};
  std::atomic<uint64_t> bytes_sent{0};
  std::atomic<uint64_t> bytes_received{0};
};

struct Peer {
  SocketAddress address;
  std::string name;    // "127.0.0.1:8081", "unix:/x": $upstream_addr
  std::string server;  // as written in the configuration; several peers may share it
  int64_t weight = 1;
  int64_t max_connections = 0;  // 0: no limit
  int64_t max_fails = 1;        // 0: failures do not count
  int64_t fail_timeout = 10;    // seconds
  bool down = false;
  PeerState* state = nullptr;        // never null in a group
  PeerCounters* counters = nullptr;  // null: nobody counts (a name resolved at run time)
};

// The primary servers of a group, or its backups.
struct PeerSet {
  std::vector<Peer> peers;
  int64_t total_weight = 0;
  int tries = 0;        // peers that are not down
  bool single = false;  // the only peer of its group: always chosen, its failures do not count
};

}  // namespace framewall::upstream
