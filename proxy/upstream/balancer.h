// Who is next? A balancer yields one candidate after the other for a request, as nginx would. What
// makes a peer unusable is not its business: it asks passive_health.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/config/model/upstream.h"
#include "proxy/upstream/peer.h"

namespace framewall::upstream {

// One request's way through a group.
class Selection {
 public:
  // What the choice depends on; the text outlives the selection.
  std::string_view key;  // of `hash`
  IpAddress client;      // of `ip_hash`; empty for Unix sockets

  PeerSet* set = nullptr;   // where we choose now: the primaries, then the backups
  Peer* current = nullptr;  // chosen and not yet released
  int tries = 0;            // how many more may be made

  // Positions of hash walks, kept from one candidate to the next.
  uint32_t hash = 0;
  uint32_t rehash = 0;
  uint32_t misses = 0;
  bool hash_ready = false;

  bool tried(size_t index) const {
    const size_t word = index / 64;
    const uint64_t bits = word == 0 ? first_ : word - 1 < more_.size() ? more_[word - 1] : 0;
    return (bits >> (index % 64) & 1) != 0;
  }
  void MarkTried(size_t index) {
    const size_t word = index / 64;
    if (word > more_.size()) more_.resize(word);
    (word == 0 ? first_ : more_[word - 1]) |= uint64_t{1} << (index % 64);
  }
  void ForgetTried() {
    first_ = 0;
    more_.clear();
  }

 private:
  uint64_t first_ = 0;
  std::vector<uint64_t> more_;
};

class Balancer {
 public:
  virtual ~Balancer() = default;
  // The next candidate of `selection.set`, marked as tried; null when none is left. `now` in unix
  // seconds. Requires: the set has more than one peer; the group's lock is held.
  virtual Peer* Pick(Selection& selection, int64_t now) = 0;
};

// After this many misses the hashing and random methods fall back to round robin, as in nginx.
constexpr uint32_t kMaxMisses = 20;

// `primary` outlives the balancer.
std::unique_ptr<Balancer> MakeBalancer(config::BalancerKind kind, const PeerSet& primary);

}  // namespace framewall::upstream
