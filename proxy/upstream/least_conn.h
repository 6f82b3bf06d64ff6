// least_conn: the fewest open connections for its weight; round robin among equals.
#pragma once

#include "proxy/upstream/balancer.h"

namespace framewall::upstream {

class LeastConn final : public Balancer {
 public:
  Peer* Pick(Selection& selection, int64_t now) override;
};

}  // namespace framewall::upstream
