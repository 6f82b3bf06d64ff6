// The cached time of the process, its log forms, and HTTP dates both ways.
#include "proxy/base/clock.h"

#include <fmt/format.h>
#include <time.h>

#include <array>
#include <cstdlib>

#include "proxy/base/text.h"

namespace framewall {
namespace {

constexpr std::array<std::string_view, 7> kWeekDays = {"Sun", "Mon", "Tue", "Wed",
                                                       "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// The cached time and its texts. The texts follow the time lazily: a process that logs nothing
// formats nothing.
struct CachedClock {
  CachedClock() {
    ::tzset();  // localtime_r need not read TZ by itself
    Read();
  }
  void Read() {
    now.steady = std::chrono::steady_clock::now();
    now.unix_milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(
                                std::chrono::system_clock::now().time_since_epoch())
                                .count();
  }
  // Brings the texts to the current second.
  const CachedClock& Formatted();

  Now now;
  bool has_texts = false;
  int64_t second_of_texts = 0;
  std::string http_date;
  std::string log_time;
  std::string iso8601;
  std::string error_time;
  std::string syslog_time;
};

CachedClock& Clock() {
  static CachedClock clock;
  return clock;
}

std::string_view WeekDayName(const tm& time) {
  return kWeekDays[static_cast<size_t>(time.tm_wday)];
}
std::string_view MonthName(const tm& time) { return kMonths[static_cast<size_t>(time.tm_mon)]; }

tm UtcTime(int64_t unix_seconds) {
  const time_t seconds = unix_seconds;
  tm result{};
  ::gmtime_r(&seconds, &result);
  return result;
}

const CachedClock& CachedClock::Formatted() {
  const int64_t second = now.unix_seconds();
  if (has_texts && second == second_of_texts) return *this;
  has_texts = true;
  second_of_texts = second;
  const time_t seconds = second;
  tm local{};
  ::localtime_r(&seconds, &local);
  const int year = local.tm_year + 1900;
  const int month = local.tm_mon + 1;
  const char sign = local.tm_gmtoff < 0 ? '-' : '+';
  const long offset = std::labs(local.tm_gmtoff) / 60;
  const std::string clock_time =
      fmt::format("{:02}:{:02}:{:02}", local.tm_hour, local.tm_min, local.tm_sec);

  http_date = FormatHttpDate(second);
  log_time = fmt::format("{:02}/{}/{}:{} {}{:02}{:02}", local.tm_mday, MonthName(local), year,
                         clock_time, sign, offset / 60, offset % 60);
  iso8601 = fmt::format("{:04}-{:02}-{:02}T{}{}{:02}:{:02}", year, month, local.tm_mday, clock_time,
                        sign, offset / 60, offset % 60);
  error_time = fmt::format("{:04}/{:02}/{:02} {}", year, month, local.tm_mday, clock_time);
  syslog_time = fmt::format("{} {:2} {}", MonthName(local), local.tm_mday, clock_time);
  return *this;
}

// Reads a date from left to right; every step says whether the text went along.
class DateScanner {
 public:
  explicit DateScanner(std::string_view text) : rest_(text) {}

  bool Skip(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool Skip(std::string_view text) {
    if (rest_.substr(0, text.size()) != text) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  // The name of the day says nothing that the date does not say.
  bool SkipWeekDay() {
    size_t letters = 0;
    while (letters < rest_.size() && IsAlpha(rest_[letters])) ++letters;
    rest_.remove_prefix(letters);
    return letters >= 3;
  }
  bool Number(size_t digits, int* value) {
    if (rest_.size() < digits) return false;
    *value = 0;
    for (size_t i = 0; i < digits; ++i) {
      if (!IsDigit(rest_[i])) return false;
      *value = *value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    return true;
  }
  bool Month(int* month) {
    for (size_t i = 0; i < kMonths.size(); ++i) {
      if (Skip(kMonths[i])) {
        *month = static_cast<int>(i) + 1;
        return true;
      }
    }
    return false;
  }
  bool TimeOfDay(int* hour, int* minute, int* second) {
    return Number(2, hour) && Skip(':') && Number(2, minute) && Skip(':') && Number(2, second);
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

struct DateParts {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

// RFC 9110 5.6.7: more than 50 years ahead means the last year that ends so.
int FullYear(int two_digits) {
  const int this_year = UtcTime(CachedNow().unix_seconds()).tm_year + 1900;
  int year = this_year - this_year % 100 + two_digits;
  if (year > this_year + 50) year -= 100;
  return year;
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
bool ScanImfFixdate(std::string_view text, DateParts* parts) {
  DateScanner scan(text);
  return scan.SkipWeekDay() && scan.Skip(", ") && scan.Number(2, &parts->day) && scan.Skip(' ') &&
         scan.Month(&parts->month) && scan.Skip(' ') && scan.Number(4, &parts->year) &&
         scan.Skip(' ') && scan.TimeOfDay(&parts->hour, &parts->minute, &parts->second) &&
         scan.Skip(" GMT") && scan.at_end();
}

// "Sunday, 06-Nov-94 08:49:37 GMT"
bool ScanRfc850(std::string_view text, DateParts* parts) {
  DateScanner scan(text);
  if (!(scan.SkipWeekDay() && scan.Skip(", ") && scan.Number(2, &parts->day) && scan.Skip('-') &&
        scan.Month(&parts->month) && scan.Skip('-') && scan.Number(2, &parts->year) &&
        scan.Skip(' ') && scan.TimeOfDay(&parts->hour, &parts->minute, &parts->second) &&
        scan.Skip(" GMT") && scan.at_end())) {
    return false;
  }
  parts->year = FullYear(parts->year);
  return true;
}

// "Sun Nov  6 08:49:37 1994"
bool ScanAsctime(std::string_view text, DateParts* parts) {
  DateScanner scan(text);
  return scan.SkipWeekDay() && scan.Skip(' ') && scan.Month(&parts->month) && scan.Skip(' ') &&
         (scan.Skip(' ') ? scan.Number(1, &parts->day) : scan.Number(2, &parts->day)) &&
         scan.Skip(' ') && scan.TimeOfDay(&parts->hour, &parts->minute, &parts->second) &&
         scan.Skip(' ') && scan.Number(4, &parts->year) && scan.at_end();
}

}  // namespace

const Now& CachedNow() { return Clock().now; }
void UpdateCachedNow() { Clock().Read(); }

void SetCachedNowForTest(const Now& now) {
  Clock().now = now;
  Clock().has_texts = false;
}

std::string_view CachedHttpDate() { return Clock().Formatted().http_date; }
std::string_view CachedLogTime() { return Clock().Formatted().log_time; }
std::string_view CachedIso8601() { return Clock().Formatted().iso8601; }
std::string_view CachedErrorTime() { return Clock().Formatted().error_time; }
std::string_view CachedSyslogTime() { return Clock().Formatted().syslog_time; }

std::string FormatHttpDate(int64_t unix_seconds) {
  const tm time = UtcTime(unix_seconds);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", WeekDayName(time), time.tm_mday,
                     MonthName(time), time.tm_year + 1900, time.tm_hour, time.tm_min, time.tm_sec);
}

std::optional<int64_t> ParseHttpDate(std::string_view text) {
  DateParts parts;
  if (!ScanImfFixdate(text, &parts) && !ScanRfc850(text, &parts) && !ScanAsctime(text, &parts)) {
    return std::nullopt;
  }
  // 60 is a leap second; it counts as the first second after.
  if (parts.hour > 23 || parts.minute > 59 || parts.second > 60) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(parts.year),
                                         std::chrono::month(static_cast<unsigned>(parts.month)),
                                         std::chrono::day(static_cast<unsigned>(parts.day)));
  if (!date.ok()) return std::nullopt;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return days * 86400 + int64_t{parts.hour} * 3600 + int64_t{parts.minute} * 60 + parts.second;
}

std::string FormatCookieDate(int64_t unix_seconds) {
  const tm time = UtcTime(unix_seconds);
  const int year = time.tm_year + 1900;
  // As nginx: two digits as long as the oldest browsers understand them.
  return fmt::format("{}, {:02}-{}-{:02} {:02}:{:02}:{:02} GMT", WeekDayName(time), time.tm_mday,
                     MonthName(time), year > 2037 ? year : year % 100, time.tm_hour, time.tm_min,
                     time.tm_sec);
}

}  // namespace framewall
