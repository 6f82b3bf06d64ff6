// random, random two: by weight, and of two the one with fewer connections.
#pragma once

#include <random>
#include <vector>

#include "proxy/upstream/balancer.h"

namespace framewall::upstream {

class Random final : public Balancer {
 public:
  enum class Choices { kOne, kTwo };
  Random(const PeerSet& primary, Choices choices);
  Peer* Pick(Selection& selection, int64_t now) override;

 private:
  Choices choices_;
  std::mt19937_64 numbers_;
  std::uniform_int_distribution<uint64_t> weights_;
};

}  // namespace framewall::upstream
