#include "proxy/upstream/least_conn.h"

#include "proxy/upstream/passive_health.h"
#include "proxy/upstream/round_robin.h"

namespace framewall::upstream {
namespace {

// connections/weight of `a` against that of `b`, without dividing.
int64_t CompareLoad(const Peer& a, const Peer& b) {
  return a.state->connections * b.weight - b.state->connections * a.weight;
}

}  // namespace

Peer* LeastConn::Pick(Selection& selection, int64_t now) {
  PeerSet& set = *selection.set;
  const auto usable = [&](size_t i) { return !selection.tried(i) && IsUsable(set.peers[i], now); };
  const size_t none = set.peers.size();
  size_t best = none;
  bool equals = false;
  for (size_t i = 0; i < none; ++i) {
    if (!usable(i)) continue;
    const int64_t order = best == none ? -1 : CompareLoad(set.peers[i], set.peers[best]);
    if (order < 0) {
      best = i;
      equals = false;
    } else if (order == 0) {
      equals = true;
    }
  }
  if (best == none) return nullptr;
  if (equals) {
    const Peer& least = set.peers[best];
    best = WeightedRound(
        set, best, [&](size_t i) { return usable(i) && CompareLoad(set.peers[i], least) == 0; });
  }
  selection.MarkTried(best);
  NoteChosen(set.peers[best], now);
  return &set.peers[best];
}

}  // namespace framewall::upstream
