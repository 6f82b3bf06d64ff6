// hash KEY consistent: ketama. 160 points of a circle for each unit of weight, made from the
// server's name as nginx makes them, so that the same keys land on the same servers.
#pragma once

#include <string>
#include <vector>

#include "proxy/upstream/balancer.h"

namespace framewall::upstream {

class ConsistentHash final : public Balancer {
 public:
  explicit ConsistentHash(const PeerSet& primary);
  Peer* Pick(Selection& selection, int64_t now) override;

 private:
  struct Point {
    uint32_t hash;
    uint32_t server;  // index into servers_
  };
  // The first point at or after `hash`; may be the number of points.
  size_t FindPoint(uint32_t hash) const;

  std::vector<std::string> servers_;  // names, each once
  std::vector<uint32_t> server_of_;   // peer index to server
  std::vector<Point> points_;
};

}  // namespace framewall::upstream
