// What workers share of their upstreams: balancing state of groups with a `zone`, and counters of
// every peer for metrics. Made in the master before the fork, one for each configuration.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/base/shared_memory.h"
#include "proxy/config/model/http.h"
#include "proxy/upstream/peer.h"

namespace framewall::upstream {

// One group's part. Arrays are in the order of servers and their addresses in the configuration.
struct SharedGroup {
  SharedLock* lock = nullptr;   // null without a zone
  PeerState* states = nullptr;  // null without a zone
  PeerCounters* counters = nullptr;
};

class SharedState {
 public:
  // `config` outlives the result. `previous` (may be null) gives its counters to the peers that are
  // still there, so that sums go on over a reload.
  static Result<std::unique_ptr<SharedState>> Make(const config::Config& config,
                                                   const SharedState* previous);

  const SharedGroup& group(int index) const { return groups_[static_cast<size_t>(index)]; }

  // For metrics: every peer of every defined upstream. `address` as in $upstream_addr.
  using Visit = std::function<void(std::string_view upstream, std::string_view address,
                                   const PeerCounters& counters)>;
  void ForEachPeer(const Visit& visit) const;

 private:
  explicit SharedState(const config::Config& config) : config_(config) {}
  const config::Config& config_;
  SharedMemory memory_;
  std::vector<SharedGroup> groups_;
};

}  // namespace framewall::upstream
