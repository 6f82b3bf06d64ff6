#include "proxy/upstream/consistent_hash.h"

#include <algorithm>

#include "proxy/base/digest.h"
#include "proxy/base/text.h"
#include "proxy/upstream/passive_health.h"
#include "proxy/upstream/round_robin.h"

namespace framewall::upstream {
namespace {

constexpr int64_t kPointsPerWeight = 160;

// "HOST \0 PORT": what is hashed of a server's name, as Cache::Memcached::Fast does.
std::string HashBase(std::string_view server) {
  std::string_view host = server;
  std::string_view port;
  if (StartsWithIgnoreCase(server, "unix:")) {
    host = server.substr(5);
  } else {
    size_t digits = server.size();
    while (digits > 0 && IsDigit(server[digits - 1])) --digits;
    if (digits > 0 && server[digits - 1] == ':') {
      host = server.substr(0, digits - 1);
      port = server.substr(digits);
    }
  }
  std::string base(host);
  base.push_back('\0');
  base.append(port);
  return base;
}

}  // namespace

ConsistentHash::ConsistentHash(const PeerSet& primary) {
  for (const Peer& peer : primary.peers) {
    const auto known = std::find(servers_.begin(), servers_.end(), peer.server);
    const auto server = static_cast<uint32_t>(known - servers_.begin());
    if (known == servers_.end()) servers_.push_back(peer.server);
    server_of_.push_back(server);

    // Each point hashes the one before it, in little-endian octets.
    std::string text = HashBase(peer.server);
    const size_t base_size = text.size();
    text.append(4, '\0');
    for (int64_t i = 0; i < peer.weight * kPointsPerWeight; ++i) {
      const uint32_t hash = Crc32(text);
      points_.push_back({hash, server});
      for (size_t octet = 0; octet < 4; ++octet) {
        text[base_size + octet] = static_cast<char>(hash >> (8 * octet) & 0xff);
      }
    }
  }
  std::stable_sort(points_.begin(), points_.end(),
                   [](const Point& a, const Point& b) { return a.hash < b.hash; });
  points_.erase(std::unique(points_.begin(), points_.end(),
                            [](const Point& a, const Point& b) { return a.hash == b.hash; }),
                points_.end());
}

size_t ConsistentHash::FindPoint(uint32_t hash) const {
  const auto point = std::lower_bound(
      points_.begin(), points_.end(), hash,
      [](const Point& candidate, uint32_t value) { return candidate.hash < value; });
  return static_cast<size_t>(point - points_.begin());
}

Peer* ConsistentHash::Pick(Selection& selection, int64_t now) {
  if (selection.key.empty() || points_.empty()) return PickRoundRobin(selection, now);
  if (!selection.hash_ready) {
    selection.hash = static_cast<uint32_t>(FindPoint(Crc32(selection.key)));
    selection.hash_ready = true;
  }
  PeerSet& set = *selection.set;
  while (selection.misses <= kMaxMisses) {
    const uint32_t server = points_[selection.hash % points_.size()].server;
    // A server with several addresses shares its points among them.
    const size_t chosen = WeightedRound(set, 0, [&](size_t i) {
      return server_of_[i] == server && !selection.tried(i) && IsUsable(set.peers[i], now);
    });
    if (chosen < set.peers.size()) {
      selection.MarkTried(chosen);
      NoteChosen(set.peers[chosen], now);
      return &set.peers[chosen];
    }
    ++selection.hash;
    ++selection.misses;
  }
  return PickRoundRobin(selection, now);
}

}  // namespace framewall::upstream
