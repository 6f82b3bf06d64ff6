#include "proxy/base/parse.h"

#include <array>
#include <limits>

#include "proxy/base/text.h"

namespace framewall {
namespace {

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

std::optional<uint64_t> Multiply(uint64_t a, uint64_t b) {
  if (b != 0 && a > kMax / b) return std::nullopt;
  return a * b;
}

struct TimeUnit {
  std::string_view name;
  uint64_t milliseconds;
};

// From the longest to the shortest: a later unit must be shorter.
constexpr std::array<TimeUnit, 8> kTimeUnits = {{{"y", 31536000000},
                                                 {"M", 2592000000},
                                                 {"w", 604800000},
                                                 {"d", 86400000},
                                                 {"h", 3600000},
                                                 {"m", 60000},
                                                 {"s", 1000},
                                                 {"ms", 1}}};

}  // namespace

std::optional<uint64_t> ParseUnsigned(std::string_view text) {
  if (text.empty()) return std::nullopt;
  uint64_t value = 0;
  for (char c : text) {
    if (!IsDigit(c)) return std::nullopt;
    const uint64_t digit = static_cast<uint64_t>(c - '0');
    if (value > (kMax - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

std::optional<uint64_t> ParseHex(std::string_view text) {
  if (text.empty()) return std::nullopt;
  uint64_t value = 0;
  for (char c : text) {
    const int digit = HexValue(c);
    if (digit < 0 || value > kMax >> 4) return std::nullopt;
    value = (value << 4) | static_cast<uint64_t>(digit);
  }
  return value;
}

std::optional<uint64_t> ParseSize(std::string_view text) {
  if (text.empty()) return std::nullopt;
  uint64_t unit = 1;
  switch (ToLowerAscii(text.back())) {
    case 'k':
      unit = uint64_t{1} << 10;
      break;
    case 'm':
      unit = uint64_t{1} << 20;
      break;
    case 'g':
      unit = uint64_t{1} << 30;
      break;
    default:
      break;
  }
  if (unit != 1) text.remove_suffix(1);
  const auto value = ParseUnsigned(text);
  if (!value) return std::nullopt;
  const auto size = Multiply(*value, unit);
  if (!size || *size > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return std::nullopt;
  }
  return size;
}

std::optional<Milliseconds> ParseTime(std::string_view text) {
  if (text.empty()) return std::nullopt;
  uint64_t total = 0;
  size_t next_unit = 0;
  while (!text.empty()) {
    size_t digits = 0;
    while (digits < text.size() && IsDigit(text[digits])) ++digits;
    const auto value = ParseUnsigned(text.substr(0, digits));
    if (!value) return std::nullopt;
    text.remove_prefix(digits);
    size_t letters = 0;
    while (letters < text.size() && IsAlpha(text[letters])) ++letters;
    const std::string_view name = letters == 0 ? "s" : text.substr(0, letters);
    if (letters == 0 && !text.empty() && text[0] != ' ') return std::nullopt;
    text.remove_prefix(letters);
    while (!text.empty() && text[0] == ' ') text.remove_prefix(1);
    while (next_unit < kTimeUnits.size() && kTimeUnits[next_unit].name != name) ++next_unit;
    if (next_unit == kTimeUnits.size()) return std::nullopt;
    const auto part = Multiply(*value, kTimeUnits[next_unit].milliseconds);
    ++next_unit;
    if (!part || *part > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) - total) {
      return std::nullopt;
    }
    total += *part;
  }
  return Milliseconds(static_cast<int64_t>(total));
}

std::optional<bool> ParseFlag(std::string_view text) {
  if (EqualsIgnoreCase(text, "on")) return true;
  if (EqualsIgnoreCase(text, "off")) return false;
  return std::nullopt;
}

}  // namespace framewall
