#include "proxy/jwt/token_cache.h"

#include <utility>

#include "proxy/base/bytes.h"
#include "proxy/base/digest.h"

namespace framewall::jwt {

TokenCache::TokenCache(Limits limits) : limits_(limits), secret_(RandomBytes(32)) {}

// The secret stands first and the digest never leaves this process.
std::string TokenCache::Digest(std::string_view token, std::span<const KeySet* const> sets) const {
  std::string input = secret_;
  input.reserve(input.size() + 8 * (sets.size() + 1) + token.size());
  char number[8];
  const auto append = [&](uint64_t value) {
    WriteBig64(number, value);
    input.append(number, sizeof number);
  };
  append(sets.size());
  for (const KeySet* set : sets) append(set->generation());
  input.append(token);
  return Sha256(input);
}

std::shared_ptr<const VerifiedToken> TokenCache::Find(const std::string& digest) {
  const auto found = by_digest_.find(digest);
  if (found == by_digest_.end()) return nullptr;
  order_.splice(order_.begin(), order_, found->second);
  return found->second->token;
}

void TokenCache::Put(const std::string& digest, std::shared_ptr<const VerifiedToken> token,
                     size_t octets) {
  Remove(digest);
  if (limits_.tokens == 0 || octets > limits_.octets) return;
  while (!order_.empty() &&
         (order_.size() >= limits_.tokens || octets_ + octets > limits_.octets)) {
    Drop(std::prev(order_.end()));
  }
  order_.push_front(Entry{digest, std::move(token), octets});
  by_digest_.emplace(order_.front().digest, order_.begin());
  octets_ += octets;
}

void TokenCache::Remove(const std::string& digest) {
  const auto found = by_digest_.find(digest);
  if (found != by_digest_.end()) Drop(found->second);
}

void TokenCache::Drop(Order::iterator entry) {
  octets_ -= entry->octets;
  by_digest_.erase(entry->digest);
  order_.erase(entry);
}

void TokenCache::Clear() {
  by_digest_.clear();
  order_.clear();
  octets_ = 0;
}

}  // namespace framewall::jwt
