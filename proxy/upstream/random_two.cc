#include "proxy/upstream/random_two.h"

#include <algorithm>
#include <cstring>

#include "proxy/base/digest.h"
#include "proxy/upstream/hash.h"
#include "proxy/upstream/passive_health.h"
#include "proxy/upstream/round_robin.h"

namespace framewall::upstream {
namespace {

// From the kernel: two workers must not choose alike.
uint64_t Seed() {
  char octets[8];
  FillRandom(octets, sizeof octets);
  uint64_t seed;
  std::memcpy(&seed, octets, sizeof seed);
  return seed;
}

}  // namespace

Random::Random(const PeerSet& primary, Choices choices)
    : choices_(choices),
      numbers_(Seed()),
      weights_(0, static_cast<uint64_t>(std::max<int64_t>(1, primary.total_weight) - 1)) {}

Peer* Random::Pick(Selection& selection, int64_t now) {
  PeerSet& set = *selection.set;
  const size_t none = set.peers.size();
  size_t first = none;
  while (selection.misses <= kMaxMisses) {
    size_t index = PeerAtWeight(set, weights_(numbers_));
    if (index == first || selection.tried(index) || !IsUsable(set.peers[index], now)) {
      ++selection.misses;
      continue;
    }
    if (choices_ == Choices::kTwo) {
      if (first == none) {
        first = index;
        ++selection.misses;
        continue;
      }
      const Peer& one = set.peers[first];
      const Peer& two = set.peers[index];
      if (two.state->connections * one.weight > one.state->connections * two.weight) index = first;
    }
    selection.MarkTried(index);
    NoteChosen(set.peers[index], now);
    return &set.peers[index];
  }
  return PickRoundRobin(selection, now);
}

}  // namespace framewall::upstream
