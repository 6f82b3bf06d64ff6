// Text as HTTP and nginx see it: ASCII case, trimming, tokens. Locale plays no part.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace framewall {

constexpr char ToLowerAscii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool IsHexDigit(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
// -1 where `c` is no hex digit.
constexpr int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// RFC 9110 5.6.2: tchar.
extern const std::array<bool, 256> kTokenChars;
inline bool IsTokenChar(char c) { return kTokenChars[static_cast<uint8_t>(c)]; }
// Non-empty and all tchar.
bool IsToken(std::string_view text);

bool EqualsIgnoreCase(std::string_view a, std::string_view b);
bool StartsWithIgnoreCase(std::string_view text, std::string_view prefix);
bool EndsWithIgnoreCase(std::string_view text, std::string_view suffix);
std::string ToLower(std::string_view text);

// Without spaces and tabs at both ends (RFC 9110 OWS).
std::string_view Trim(std::string_view text);

// Calls `use(std::string_view)` for each trimmed, non-empty element of a comma list.
template <class Use>
void ForEachListElement(std::string_view list, Use use);

// True where the comma list holds `token`, without regard to case.
bool ListContainsToken(std::string_view list, std::string_view token);

std::vector<std::string_view> Split(std::string_view text, char separator);

// Damerau-Levenshtein distance, for "did you mean"; `limit` and more count as limit.
size_t EditDistance(std::string_view a, std::string_view b, size_t limit);

template <class Use>
void ForEachListElement(std::string_view list, Use use) {
  size_t start = 0;
  while (start <= list.size()) {
    size_t comma = list.find(',', start);
    if (comma == std::string_view::npos) comma = list.size();
    const std::string_view element = Trim(list.substr(start, comma - start));
    if (!element.empty()) use(element);
    start = comma + 1;
  }
}

}  // namespace framewall
