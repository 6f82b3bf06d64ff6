// The time, read once per turn of the event loop, and HTTP's dates.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace framewall {

using SteadyTime = std::chrono::steady_clock::time_point;

// Both clocks as of the last Update. Filters and logs read this; nobody asks the kernel twice.
struct Now {
  SteadyTime steady;
  int64_t unix_milliseconds = 0;
  int64_t unix_seconds() const { return unix_milliseconds / 1000; }
};

// The cached time of this process. The event loop updates it after each wait.
const Now& CachedNow();
void UpdateCachedNow();
// Sets the cached time for a test; the next UpdateCachedNow replaces it.
void SetCachedNowForTest(const Now& now);

// Strings formatted at most once a second; valid until the next UpdateCachedNow.
std::string_view CachedHttpDate();    // Sun, 06 Nov 1994 08:49:37 GMT
std::string_view CachedLogTime();     // $time_local: 28/Sep/1970:12:00:00 +0600
std::string_view CachedIso8601();     // $time_iso8601: 1970-09-28T12:00:00+06:00
std::string_view CachedErrorTime();   // error log: 1970/09/28 12:00:00
std::string_view CachedSyslogTime();  // Sep 28 12:00:00

// RFC 9110 5.6.7: IMF-fixdate out; all three obsolete forms in.
std::string FormatHttpDate(int64_t unix_seconds);
std::optional<int64_t> ParseHttpDate(std::string_view text);
// nginx's cookie date: Thu, 18-Nov-10 11:27:35 GMT.
std::string FormatCookieDate(int64_t unix_seconds);

}  // namespace framewall
