#include "proxy/content/range.h"

#include <algorithm>
#include <limits>

#include "proxy/base/clock.h"
#include "proxy/base/text.h"

namespace framewall::content {
namespace {

constexpr std::string_view kUnit = "bytes=";

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  void SkipSpaces() {
    while (text_.starts_with(' ')) text_.remove_prefix(1);
  }
  bool Take(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool AtElementEnd() const { return text_.empty() || text_.front() == ','; }
  // At least one digit; nothing where the number does not fit.
  std::optional<int64_t> TakeNumber() {
    if (text_.empty() || !IsDigit(text_.front())) return std::nullopt;
    constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
    int64_t number = 0;
    for (; !text_.empty() && IsDigit(text_.front()); text_.remove_prefix(1)) {
      const int digit = text_.front() - '0';
      if (number > (kMost - digit) / 10) return std::nullopt;
      number = number * 10 + digit;
    }
    return number;
  }

 private:
  std::string_view text_;
};

// One of "10-19", "10-", "-5"; nothing where it is malformed. The range may be empty or lie beyond
// the content.
std::optional<ByteRange> TakeRange(Reader& reader, int64_t content_length) {
  reader.SkipSpaces();
  if (reader.Take('-')) {
    const auto suffix = reader.TakeNumber();
    reader.SkipSpaces();
    if (!suffix || !reader.AtElementEnd()) return std::nullopt;
    return ByteRange{std::max<int64_t>(content_length - *suffix, 0), content_length};
  }
  const auto first = reader.TakeNumber();
  reader.SkipSpaces();
  if (!first || !reader.Take('-')) return std::nullopt;
  reader.SkipSpaces();
  if (reader.AtElementEnd()) return ByteRange{*first, content_length};
  const auto last = reader.TakeNumber();
  reader.SkipSpaces();
  if (!last || !reader.AtElementEnd()) return std::nullopt;
  return ByteRange{*first, *last >= content_length ? content_length : *last + 1};
}

}  // namespace

RangeAnswer ParseRange(std::string_view field, int64_t content_length,
                       std::optional<uint64_t> max_ranges, std::vector<ByteRange>& ranges) {
  ranges.clear();
  if (max_ranges == 0) return RangeAnswer::kWhole;
  if (field.size() <= kUnit.size() || !StartsWithIgnoreCase(field, kUnit)) {
    return RangeAnswer::kWhole;
  }
  Reader reader(field.substr(kUnit.size()));
  const auto content = static_cast<uint64_t>(content_length);
  uint64_t octets = 0;  // of all ranges; no longer counted once it is more than the content
  do {
    const auto range = TakeRange(reader, content_length);
    if (!range) return RangeAnswer::kUnsatisfiable;
    if (range->begin < range->end) {
      if (max_ranges && ranges.size() >= *max_ranges) return RangeAnswer::kWhole;
      if (octets <= content) octets += static_cast<uint64_t>(range->end - range->begin);
      ranges.push_back(*range);
    } else if (range->begin == 0) {
      return RangeAnswer::kWhole;
    }
  } while (reader.Take(','));
  if (ranges.empty()) return RangeAnswer::kUnsatisfiable;
  // Overlapping ranges that add up to more than the content are an attack, or of no use.
  return octets > content ? RangeAnswer::kWhole : RangeAnswer::kPartial;
}

bool IfRangeHolds(std::string_view if_range, const std::string_view* etag, int64_t last_modified) {
  if (if_range.size() >= 2 && if_range.back() == '"') return etag != nullptr && if_range == *etag;
  return last_modified != -1 && ParseHttpDate(if_range) == last_modified;
}

}  // namespace framewall::content
