// Tokens that were verified a short while ago. Found by a keyed digest of the token and of the key
// sets it was verified with, so that other keys are other entries; a token that failed is never in
// it. Whether an entry has expired is asked at each use, by CheckTimes.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxy/jwt/verifier.h"

namespace framewall::jwt {

class TokenCache {
 public:
  struct Limits {
    size_t tokens = 8192;
    size_t octets = 4 << 20;  // of their texts; what was made of them takes a few times as much
  };
  TokenCache() : TokenCache(Limits{}) {}
  explicit TokenCache(Limits limits);

  // What an entry is found by; good for this cache alone.
  std::string Digest(std::string_view token, std::span<const KeySet* const> sets) const;
  // Null where it is not there.
  std::shared_ptr<const VerifiedToken> Find(const std::string& digest);
  // The entries that were used longest ago go where the limits are reached; `octets` of its text.
  void Put(const std::string& digest, std::shared_ptr<const VerifiedToken> token, size_t octets);
  void Remove(const std::string& digest);
  void Clear();
  size_t size() const { return order_.size(); }

 private:
  struct Entry {
    std::string digest;
    std::shared_ptr<const VerifiedToken> token;
    size_t octets = 0;
  };
  using Order = std::list<Entry>;  // used last first
  void Drop(Order::iterator entry);

  const Limits limits_;
  const std::string secret_;
  Order order_;
  std::unordered_map<std::string_view, Order::iterator> by_digest_;  // views of entries' digests
  size_t octets_ = 0;
};

}  // namespace framewall::jwt
