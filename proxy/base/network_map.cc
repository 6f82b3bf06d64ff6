#include "proxy/base/network_map.h"

#include <algorithm>
#include <bit>
#include <queue>
#include <utility>

#include "proxy/base/check.h"

namespace framewall {
namespace {

using Wide = NetworkMap::Wide;

int BitWidth(uint32_t number) { return static_cast<int>(std::bit_width(number)); }
int BitWidth(uint64_t number) { return static_cast<int>(std::bit_width(number)); }
int BitWidth(Wide number) {
  const auto high = static_cast<uint64_t>(number >> 64);
  if (high != 0) return 64 + static_cast<int>(std::bit_width(high));
  return static_cast<int>(std::bit_width(static_cast<uint64_t>(number)));
}

template <class Key>
Key KeyOf(const IpAddress& address) {
  Key key = 0;
  for (const char octet : address.bytes()) {
    key = static_cast<Key>((key << 8) | static_cast<uint8_t>(octet));
  }
  return key;
}

// The lowest `bits` bits; of all of them too, where a shift would not do.
template <class Key>
Key LowMask(int bits) {
  constexpr int kAll = static_cast<int>(sizeof(Key)) * 8;
  return bits >= kAll ? static_cast<Key>(~Key{0}) : static_cast<Key>((Key{1} << bits) - 1);
}

// The parts of the line of numbers on which one interval answers: the highest rank, of equal ranks
// the one added last. Goes through the ends of all intervals in order, with those that are open in
// a heap.
template <class Key, class Intervals>
std::vector<typename IntervalTrie<Key>::Start> Disjoint(const Intervals& added) {
  std::vector<Key> points{0};
  points.reserve(added.size() * 2 + 1);
  std::vector<uint32_t> order(added.size());
  for (uint32_t i = 0; i < added.size(); ++i) {
    order[i] = i;
    points.push_back(added[i].first);
    if (added[i].last != LowMask<Key>(sizeof(Key) * 8)) {
      points.push_back(static_cast<Key>(added[i].last + 1));
    }
  }
  std::sort(points.begin(), points.end());
  points.erase(std::unique(points.begin(), points.end()), points.end());
  std::sort(order.begin(), order.end(),
            [&](uint32_t a, uint32_t b) { return added[a].first < added[b].first; });

  const auto yields = [&](uint32_t a, uint32_t b) {
    return std::pair(added[a].rank, a) < std::pair(added[b].rank, b);
  };
  std::priority_queue<uint32_t, std::vector<uint32_t>, decltype(yields)> open(yields);
  std::vector<typename IntervalTrie<Key>::Start> starts;
  size_t next = 0;
  for (const Key point : points) {
    while (next < order.size() && added[order[next]].first == point) open.push(order[next++]);
    while (!open.empty() && added[open.top()].last < point) open.pop();
    const uint32_t value = open.empty() ? NetworkMap::kNone : added[open.top()].value;
    if (starts.empty() || starts.back().value != value) starts.push_back({point, value});
  }
  starts.shrink_to_fit();
  return starts;
}

}  // namespace

template <class Key>
void IntervalTrie<Key>::Build(std::vector<Start> starts) {
  FW_CHECK(!starts.empty() && starts.front().key == 0 && starts.size() < kIsNode);
  starts_ = std::move(starts);
  nodes_.clear();
  slots_.clear();
  // Without the 0, so that what the others have in common is skipped.
  if (starts_.size() > kLeafSize) AddNode(1, starts_.size());
}

// Each level takes at least one bit off the keys, so that it ends.
template <class Key>
uint32_t IntervalTrie<Key>::AddNode(size_t begin, size_t end) {
  const Key lowest = starts_[begin].key;
  const int width = BitWidth(static_cast<Key>(lowest ^ starts_[end - 1].key));
  const int useful = static_cast<int>(std::bit_width(end - begin)) - 1;
  const int bits = std::min({width, kMaxBits, std::max(useful, 1)});
  Node node;
  node.low = static_cast<Key>(lowest & static_cast<Key>(~LowMask<Key>(width)));
  node.high = static_cast<Key>(node.low | LowMask<Key>(width));
  node.begin = static_cast<uint32_t>(begin);
  node.end = static_cast<uint32_t>(end);
  node.slots = static_cast<uint32_t>(slots_.size());
  node.shift = width - bits;
  const auto id = static_cast<uint32_t>(nodes_.size());
  nodes_.push_back(node);

  const size_t branches = size_t{1} << bits;
  slots_.resize(slots_.size() + branches + 1);
  size_t at = begin;
  for (size_t branch = 0; branch <= branches; ++branch) {
    while (at < end && static_cast<size_t>(static_cast<Key>(starts_[at].key - node.low) >>
                                           node.shift) < branch) {
      ++at;
    }
    slots_[node.slots + branch] = static_cast<Slot>(at);
  }
  size_t to = end;
  for (size_t branch = branches; branch-- > 0;) {
    const size_t from = slots_[node.slots + branch];
    if (to - from > kLeafSize) {
      const uint32_t child = AddNode(from, to);
      slots_[node.slots + branch] = child | kIsNode;
    }
    to = from;
  }
  return id;
}

template <class Key>
uint32_t IntervalTrie<Key>::Find(Key key) const {
  size_t from = 0;
  size_t to = starts_.size();
  for (uint32_t id = 0; id < nodes_.size();) {
    const Node& node = nodes_[id];
    // Outside of what the node's starts have in common; below all of them is the first.
    if (key < node.low) return starts_[node.begin - 1].value;
    if (key > node.high) return starts_[node.end - 1].value;
    const size_t branch = static_cast<size_t>(static_cast<Key>(key - node.low) >> node.shift);
    const Slot slot = slots_[node.slots + branch];
    if ((slot & kIsNode) == 0) {
      from = slot;
      const Slot next = slots_[node.slots + branch + 1];
      to = (next & kIsNode) == 0 ? next : nodes_[next & ~kIsNode].begin;
      break;
    }
    id = slot & ~kIsNode;
  }
  while (from < to && starts_[from].key <= key) ++from;
  return starts_[from - 1].value;
}

template <class Key>
size_t IntervalTrie<Key>::memory() const {
  return starts_.capacity() * sizeof(Start) + nodes_.capacity() * sizeof(Node) +
         slots_.capacity() * sizeof(Slot);
}

void NetworkMap::Add(const Cidr& network, uint32_t value, uint32_t rank) {
  const Cidr plain = network.Unmapped();
  AddRange(plain.base(), plain.last(), value, rank);
}

void NetworkMap::AddRange(const IpAddress& first, const IpAddress& last, uint32_t value,
                          uint32_t rank) {
  FW_CHECK(first.is_v4() == last.is_v4() && first <= last);
  if (first.is_v4()) {
    added_v4_.push_back({KeyOf<uint32_t>(first), KeyOf<uint32_t>(last), value, rank});
  } else {
    added_v6_.push_back({KeyOf<Wide>(first), KeyOf<Wide>(last), value, rank});
  }
}

void NetworkMap::AddAll(uint32_t value, uint32_t rank) {
  added_v4_.push_back({0, LowMask<uint32_t>(32), value, rank});
  added_v6_.push_back({0, LowMask<Wide>(128), value, rank});
}

void NetworkMap::Build() {
  if (!added_v4_.empty()) v4_.Build(Disjoint<uint32_t>(added_v4_));
  if (!added_v6_.empty()) {
    const Wide low = LowMask<Wide>(64);
    const bool is_short = std::all_of(added_v6_.begin(), added_v6_.end(), [&](const auto& each) {
      return (each.first & low) == 0 && (each.last & low) == low;
    });
    if (is_short) {
      std::vector<Interval<uint64_t>> halves;
      halves.reserve(added_v6_.size());
      for (const auto& each : added_v6_) {
        halves.push_back({static_cast<uint64_t>(each.first >> 64),
                          static_cast<uint64_t>(each.last >> 64), each.value, each.rank});
      }
      v6_.Build(Disjoint<uint64_t>(halves));
    } else {
      v6_long_.Build(Disjoint<Wide>(added_v6_));
    }
  }
  added_v4_ = {};
  added_v6_ = {};
}

uint32_t NetworkMap::Find(const IpAddress& address) const {
  const IpAddress asked = address.Unmapped();
  if (asked.is_v4()) return v4_.empty() ? kNone : v4_.Find(KeyOf<uint32_t>(asked));
  if (!asked.is_v6()) return kNone;
  const Wide key = KeyOf<Wide>(asked);
  if (!v6_.empty()) return v6_.Find(static_cast<uint64_t>(key >> 64));
  return v6_long_.empty() ? kNone : v6_long_.Find(key);
}

size_t NetworkMap::memory() const { return v4_.memory() + v6_.memory() + v6_long_.memory(); }

}  // namespace framewall
