// Range and If-Range: ranges lie inside the content, are not empty, and are no more than allowed.
// Octets 0 and 1 choose the content's length and how many ranges are allowed.
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "proxy/base/check.h"
#include "proxy/base/clock.h"
#include "proxy/content/range.h"

namespace framewall::content {
namespace {

constexpr std::array<int64_t, 8> kLengths = {
    0, 1, 10, 1000, 65536, 4294967296, 1000000007, std::numeric_limits<int64_t>::max()};

void CheckRanges(std::string_view field, int64_t length, std::optional<uint64_t> most) {
  std::vector<ByteRange> ranges = {{1, 2}};
  const RangeAnswer answer = ParseRange(field, length, most, ranges);
  if (answer != RangeAnswer::kPartial) return;
  FW_CHECK(!ranges.empty() && (!most || ranges.size() <= *most));
  uint64_t octets = 0;
  for (const ByteRange& range : ranges) {
    FW_CHECK(range.begin >= 0 && range.begin < range.end && range.end <= length);
    octets += static_cast<uint64_t>(range.end - range.begin);
    FW_CHECK(octets <= static_cast<uint64_t>(length));
  }
}

void CheckIfRange(std::string_view text) {
  constexpr std::string_view kEtag = "\"abc\"";
  const bool is_tag = IfRangeHolds(text, &kEtag, -1);
  FW_CHECK(is_tag == (text == kEtag));
  FW_CHECK(!IfRangeHolds(text, nullptr, -1));
  const auto date = ParseHttpDate(text);
  if (date && *date != -1) FW_CHECK(IfRangeHolds(text, nullptr, *date));
}

}  // namespace
}  // namespace framewall::content

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace framewall::content;
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::optional<uint64_t> most;
  if (data[1] % 8 != 0) most = data[1] % 8 - 1;
  CheckRanges(text, kLengths[data[0] % kLengths.size()], most);
  CheckIfRange(text);
  return 0;
}
