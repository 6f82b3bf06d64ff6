#include "proxy/upstream/ip_hash.h"

#include "proxy/base/bytes.h"
#include "proxy/upstream/hash.h"
#include "proxy/upstream/passive_health.h"
#include "proxy/upstream/round_robin.h"

namespace framewall::upstream {

Peer* IpHash::Pick(Selection& selection, int64_t now) {
  // Clients of Unix sockets are one client, as in nginx.
  constexpr std::string_view kNoAddress("\0\0\0", 3);
  std::string_view address = kNoAddress;
  if (!selection.client.empty()) {
    address = selection.client.bytes();
    if (selection.client.is_v4()) address = address.substr(0, 3);
  }
  if (!selection.hash_ready) {
    selection.hash = 89;
    selection.hash_ready = true;
  }

  PeerSet& set = *selection.set;
  uint32_t hash = selection.hash;
  while (selection.misses <= kMaxMisses) {
    for (size_t i = 0; i < address.size(); ++i) hash = (hash * 113 + ByteAt(address, i)) % 6271;
    const size_t index = PeerAtWeight(set, hash % static_cast<uint64_t>(set.total_weight));
    if (!selection.tried(index) && IsUsable(set.peers[index], now)) {
      selection.hash = hash;
      selection.MarkTried(index);
      NoteChosen(set.peers[index], now);
      return &set.peers[index];
    }
    ++selection.misses;
  }
  return PickRoundRobin(selection, now);
}

}  // namespace framewall::upstream
