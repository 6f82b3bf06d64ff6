// Words to a command on the wire (hiredis' formatter).
#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace framewall::redis {

inline constexpr size_t kMaxCommandWords = 64;

// Requires: between 1 and kMaxCommandWords words.
std::string FormatCommand(std::span<const std::string_view> words);
inline std::string FormatCommand(std::initializer_list<std::string_view> words) {
  return FormatCommand(std::span(words.begin(), words.size()));
}

}  // namespace framewall::redis
