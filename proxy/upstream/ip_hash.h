// ip_hash: the same client address, the same server. IPv4 counts by its first three octets.
#pragma once

#include "proxy/upstream/balancer.h"

namespace framewall::upstream {

class IpHash final : public Balancer {
 public:
  Peer* Pick(Selection& selection, int64_t now) override;
};

}  // namespace framewall::upstream
