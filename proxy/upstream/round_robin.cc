#include "proxy/upstream/round_robin.h"

#include "proxy/upstream/consistent_hash.h"
#include "proxy/upstream/hash.h"
#include "proxy/upstream/ip_hash.h"
#include "proxy/upstream/least_conn.h"
#include "proxy/upstream/passive_health.h"
#include "proxy/upstream/random_two.h"

namespace framewall::upstream {

Peer* PickRoundRobin(Selection& selection, int64_t now) {
  PeerSet& set = *selection.set;
  const size_t chosen = WeightedRound(
      set, 0, [&](size_t i) { return !selection.tried(i) && IsUsable(set.peers[i], now); });
  if (chosen == set.peers.size()) return nullptr;
  selection.MarkTried(chosen);
  NoteChosen(set.peers[chosen], now);
  return &set.peers[chosen];
}

std::unique_ptr<Balancer> MakeBalancer(config::BalancerKind kind, const PeerSet& primary) {
  switch (kind) {
    case config::BalancerKind::kRoundRobin:
      break;
    case config::BalancerKind::kLeastConn:
      return std::make_unique<LeastConn>();
    case config::BalancerKind::kIpHash:
      return std::make_unique<IpHash>();
    case config::BalancerKind::kHash:
      return std::make_unique<Hash>();
    case config::BalancerKind::kConsistentHash:
      return std::make_unique<ConsistentHash>(primary);
    case config::BalancerKind::kRandom:
      return std::make_unique<Random>(primary, Random::Choices::kOne);
    case config::BalancerKind::kRandomTwoLeastConn:
      return std::make_unique<Random>(primary, Random::Choices::kTwo);
  }
  return std::make_unique<RoundRobin>();
}

}  // namespace framewall::upstream
