// Networks and ranges of addresses to numbers: which of 100,000 holds this address?
//
// What is added becomes disjoint intervals per family, and the sorted starts of these get a
// level-compressed trie: a node skips what its starts have in common and branches by as many bits
// as it has use for. So a look-up takes two or three steps for a thousand networks and for a
// hundred thousand, however they lie.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "proxy/base/address.h"

namespace framewall {

// Sorted starts of intervals, the first of which is 0, each with the value that holds up to the
// next.
template <class Key>
class IntervalTrie {
 public:
  struct Start {
    Key key;
    uint32_t value;
  };
  // Requires: strictly ascending, starting with 0.
  void Build(std::vector<Start> starts);
  bool empty() const { return starts_.empty(); }
  // Of the last start that is not above `key`. Requires: !empty().
  uint32_t Find(Key key) const;
  size_t memory() const;

 private:
  // At most so many starts are compared one by one: a line of the cache or two.
  static constexpr size_t kLeafSize = 8;
  static constexpr int kMaxBits = 17;
  // Of starts_[begin, end), which all lie in [low, high]; branches by (key - low) >> shift.
  struct Node {
    Key low, high;
    uint32_t begin, end;
    uint32_t slots;  // the first of its slots_, one more than it has branches
    int shift;
  };
  // The first of the branch's starts, which end where those of the next begin; or with kIsNode the
  // node that has them.
  using Slot = uint32_t;
  static constexpr Slot kIsNode = Slot{1} << 31;
  uint32_t AddNode(size_t begin, size_t end);

  std::vector<Start> starts_;
  std::vector<Node> nodes_;
  std::vector<Slot> slots_;
};

class NetworkMap {
 public:
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
  __extension__ typedef unsigned __int128 Wide;

  // Where several hold an address the highest rank answers, of equal ranks the one added last.
  // IPv4 in IPv6 clothes counts as IPv4, as in Cidr::Contains.
  void Add(const Cidr& network, uint32_t value, uint32_t rank);
  // Requires: `first` and `last` of one family, in order.
  void AddRange(const IpAddress& first, const IpAddress& last, uint32_t value, uint32_t rank);
  // Every address of both families.
  void AddAll(uint32_t value, uint32_t rank);
  // Once, after all were added.
  void Build();
  // The value of the network that holds `address`, kNone where there is none. Before Build: kNone.
  uint32_t Find(const IpAddress& address) const;
  // Octets that it takes.
  size_t memory() const;

 private:
  template <class Key>
  struct Interval {
    Key first, last;
    uint32_t value, rank;
  };
  // Gone after Build.
  std::vector<Interval<uint32_t>> added_v4_;
  std::vector<Interval<Wide>> added_v6_;

  IntervalTrie<uint32_t> v4_;
  // By the upper half of the address where no network is longer than 64 bits, else by all of it.
  IntervalTrie<uint64_t> v6_;
  IntervalTrie<Wide> v6_long_;
};

}  // namespace framewall
