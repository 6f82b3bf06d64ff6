#include "proxy/upstream/hash.h"

#include <string>

#include "proxy/base/digest.h"
#include "proxy/upstream/passive_health.h"
#include "proxy/upstream/round_robin.h"

namespace framewall::upstream {

size_t PeerAtWeight(const PeerSet& set, uint64_t position) {
  size_t index = 0;
  while (position >= static_cast<uint64_t>(set.peers[index].weight)) {
    position -= static_cast<uint64_t>(set.peers[index].weight);
    ++index;
  }
  return index;
}

Peer* Hash::Pick(Selection& selection, int64_t now) {
  if (selection.key.empty()) return PickRoundRobin(selection, now);
  PeerSet& set = *selection.set;
  std::string text;
  while (selection.misses <= kMaxMisses) {
    // ((crc32([REHASH] KEY) >> 16) & 0x7fff) + the hashes before; REHASH is left out at first.
    text.clear();
    if (selection.rehash > 0) text = std::to_string(selection.rehash);
    text.append(selection.key);
    selection.hash += (Crc32(text) >> 16) & 0x7fff;
    ++selection.rehash;

    const size_t index =
        PeerAtWeight(set, selection.hash % static_cast<uint64_t>(set.total_weight));
    if (!selection.tried(index) && IsUsable(set.peers[index], now)) {
      selection.MarkTried(index);
      NoteChosen(set.peers[index], now);
      return &set.peers[index];
    }
    ++selection.misses;
  }
  return PickRoundRobin(selection, now);
}

}  // namespace framewall::upstream
