// Smooth weighted round robin, nginx's: every usable peer gains its effective weight, the richest
// is chosen and pays the total. Weights 5,1,1 give a a b a c a a.
#pragma once

#include "proxy/upstream/balancer.h"

namespace framewall::upstream {

// Also the last resort of the other methods.
Peer* PickRoundRobin(Selection& selection, int64_t now);

// One round over the peers that `may_be_chosen(index)` allows: the index of the winner, which has
// paid, or the number of peers when there is none. Usability is the caller's to check.
template <class MayBeChosen>
size_t WeightedRound(PeerSet& set, size_t from, MayBeChosen may_be_chosen) {
  size_t best = set.peers.size();
  int64_t total = 0;
  for (size_t i = from; i < set.peers.size(); ++i) {
    if (!may_be_chosen(i)) continue;
    PeerState& state = *set.peers[i].state;
    state.current_weight += state.effective_weight;
    total += state.effective_weight;
    // It recovers one step a round after failures.
    if (state.effective_weight < set.peers[i].weight) ++state.effective_weight;
    if (best == set.peers.size() || state.current_weight > set.peers[best].state->current_weight) {
      best = i;
    }
  }
  if (best < set.peers.size()) set.peers[best].state->current_weight -= total;
  return best;
}

class RoundRobin final : public Balancer {
 public:
  Peer* Pick(Selection& selection, int64_t now) override { return PickRoundRobin(selection, now); }
};

}  // namespace framewall::upstream
