// hash KEY: CRC32 of the key modulo the weights, as Cache::Memcached does.
#pragma once

#include "proxy/upstream/balancer.h"

namespace framewall::upstream {

class Hash final : public Balancer {
 public:
  Peer* Pick(Selection& selection, int64_t now) override;
};

// The peer whose share of the weights holds `position`. Requires: position < set.total_weight.
size_t PeerAtWeight(const PeerSet& set, uint64_t position);

}  // namespace framewall::upstream
