// Inflates gzip and deflate bodies for inspection, under a cap: what the rules see is what the peer
// behind us will see, and a small body cannot become a large one unnoticed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace framewall::filter {

class BodyInflater {
 public:
  // Null for an encoding we cannot undo ("br", "zstd", several at once). "identity" and empty need
  // no inflater: ask NeedsInflating first.
  static std::unique_ptr<BodyInflater> Make(std::string_view content_encoding, uint64_t cap);
  static bool NeedsInflating(std::string_view content_encoding);
  virtual ~BodyInflater() = default;

  enum class Outcome { kOk, kBroken, kTooLarge };
  // Appends to `out` what `piece` inflates to; at most `cap` octets over all pieces.
  virtual Outcome Inflate(std::string_view piece, std::string& out) = 0;
};

}  // namespace framewall::filter
