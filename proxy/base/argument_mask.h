// Keeps the values of secret query arguments out of logs: "?token=abc&x=1" is "?token=***&x=1".
//
// A name is one of `names` after percent-decoding ('+' is a space), without regard to case, as
// $arg_NAME compares it and more: what an upstream may take for the argument is masked too. Nothing
// is allocated where nothing is masked.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace framewall {

// What stands where a secret was.
constexpr std::string_view kMasked = "***";

// The values of secret arguments, as sent and decoded, to be found again in other text. Shorter
// ones are not taken: they would be found everywhere.
class SecretValues {
 public:
  static constexpr size_t kShortest = 8;

  // At most kMost of them; the rest is left to masking by position.
  void Add(std::string_view value);
  bool empty() const { return values_.empty(); }
  // False where none of them is in `text`; `out` is untouched then.
  bool Replace(std::string_view text, std::string& out) const;

 private:
  static constexpr size_t kMost = 32;
  std::vector<std::string> values_;  // the longest first: one may be part of another
};

class ArgumentMask {
 public:
  // `names` are lower case and outlive this.
  explicit ArgumentMask(std::span<const std::string> names) : names_(names) {}
  bool empty() const { return names_.empty(); }
  // Is `name`, as sent, one of them?
  bool Names(std::string_view name) const;

  // Each returns false, and leaves `out` alone, where there is nothing to mask; otherwise the
  // masked text is appended to `out`. A query comes without its '?'.
  bool MaskQuery(std::string_view query, std::string& out) const;
  // A request target, a Referer: all behind the first '?' or '#', or all where there is none.
  bool MaskUrl(std::string_view url, std::string& out) const;
  // "GET /a?b=c HTTP/1.1"
  bool MaskRequestLine(std::string_view line, std::string& out) const;
  // NAME=VALUE wherever it stands in a sentence of a log.
  bool MaskText(std::string_view text, std::string& out) const;

  // Adds the values of secret arguments of `url` (as MaskUrl reads it).
  void Collect(std::string_view url, SecretValues& values) const;

 private:
  std::span<const std::string> names_;
};

}  // namespace framewall
