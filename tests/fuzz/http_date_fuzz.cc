// HTTP's dates: what is read lies in the years 0 to 9999, is written in the one form that we send,
// and read again as the same second.
#include <cstdint>
#include <string_view>

#include "proxy/base/check.h"
#include "proxy/base/clock.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace framewall;  // NOLINT
  // The year of a date with two digits depends on today.
  SetCachedNowForTest({.unix_milliseconds = 1700000000000});
  const auto date = ParseHttpDate({reinterpret_cast<const char*>(data), size});
  if (!date) return 0;
  constexpr int64_t kYearZero = -62167219200;
  constexpr int64_t kYear10000 = 253402300800;
  FW_CHECK(*date >= kYearZero && *date <= kYear10000);  // a leap second may be the last
  if (*date == kYear10000) return 0;
  const std::string written = FormatHttpDate(*date);
  FW_CHECK(written.size() == 29);
  FW_CHECK(ParseHttpDate(written) == date);
  return 0;
}
