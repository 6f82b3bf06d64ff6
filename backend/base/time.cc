#include "backend/base/time.h"

#include <fmt/format.h>

#include <chrono>
#include <ctime>

#include "proxy/base/text.h"

namespace framewall::backend {

int64_t UnixMilliseconds() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string Rfc3339(int64_t unix_milliseconds) {
  int64_t seconds = unix_milliseconds / 1000;
  int64_t rest = unix_milliseconds % 1000;
  if (rest < 0) {
    rest += 1000;
    --seconds;
  }
  const std::time_t time = seconds;
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     rest);
}

std::optional<int64_t> ParseRfc3339(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  if (text.size() < kShape.size() + 1 || text.size() > 40 || text.back() != 'Z') {
    return std::nullopt;
  }
  for (size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] == 'd' ? !IsDigit(text[i]) : text[i] != kShape[i]) return std::nullopt;
  }
  const auto number = [text](size_t at, size_t digits) {
    int value = 0;
    for (const char c : text.substr(at, digits)) value = value * 10 + (c - '0');
    return value;
  };
  const std::chrono::year_month_day day{std::chrono::year(number(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  const int hour = number(11, 2);
  const int minute = number(14, 2);
  const int second = number(17, 2);
  if (!day.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  int64_t milliseconds = 0;
  if (const std::string_view rest = text.substr(kShape.size(), text.size() - kShape.size() - 1);
      !rest.empty()) {
    if (rest.size() < 2 || rest[0] != '.') return std::nullopt;
    for (size_t i = 1; i < rest.size(); ++i) {
      if (!IsDigit(rest[i])) return std::nullopt;
    }
    for (size_t i = 1; i <= 3; ++i) {
      milliseconds = milliseconds * 10 + (i < rest.size() ? rest[i] - '0' : 0);
    }
  }
  const int64_t days = std::chrono::sys_days(day).time_since_epoch().count();
  return ((days * 24 + hour) * 60 + minute) * 60'000 + second * int64_t{1000} + milliseconds;
}

}  // namespace framewall::backend
