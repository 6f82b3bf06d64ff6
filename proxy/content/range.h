// Range and If-Range (RFC 9110 14), as nginx reads them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace framewall::content {

// Octets from `begin` up to, but not with, `end`.
struct ByteRange {
  int64_t begin = 0;
  int64_t end = 0;
  bool operator==(const ByteRange&) const = default;
};

enum class RangeAnswer : uint8_t {
  kWhole,          // there is no range to honour: 200
  kPartial,        // 206 with `ranges`, at least one, each inside the content and not empty
  kUnsatisfiable,  // 416
};

// `field` is the value of Range, empty where there is none. More ranges than `max_ranges`, or more
// octets than the content has, are answered with the whole content.
RangeAnswer ParseRange(std::string_view field, int64_t content_length,
                       std::optional<uint64_t> max_ranges, std::vector<ByteRange>& ranges);

// Does If-Range let the range pass? `etag` is the response's, null where it has none;
// `last_modified` is -1 where it is not known.
bool IfRangeHolds(std::string_view if_range, const std::string_view* etag, int64_t last_modified);

}  // namespace framewall::content
