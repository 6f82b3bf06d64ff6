// A JWK Set (RFC 7517 5): the keys of it that verify. Keys that cannot be used are left out, as the
// RFC has it, and named for the log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/jwt/key.h"

namespace framewall::jwt {

inline constexpr size_t kMostSetOctets = 1 << 20;
inline constexpr size_t kMostKeys = 128;

class KeySet {
 public:
  // An error where the text is too long, no JSON object with an array "keys" of objects, or holds
  // more than kMostKeys. It names line and column, never a piece of the text. A set without any
  // usable key is no error: keys() is empty.
  static Result<KeySet> Parse(std::string_view text);

  const std::vector<Key>& keys() const { return keys_; }
  // `key 2 (kid "a"): its "use" is not "sig"`
  const std::vector<std::string>& skipped() const { return skipped_; }
  // Another number for each set that this process parses.
  uint64_t generation() const { return generation_; }

 private:
  std::vector<Key> keys_;
  std::vector<std::string> skipped_;
  uint64_t generation_ = 0;
};

// `"text"` for a log line; "(unprintable)" where it is long or holds anything but printable ASCII.
std::string Quoted(std::string_view text);

}  // namespace framewall::jwt
