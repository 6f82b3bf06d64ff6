// What a text that a client sends may be, and the check of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace framewall::backend::server {

struct TextRule {
  // A name stands in lists and on one line: no control characters, no line ends, nothing that turns
  // the direction of what stands around it; spaces at its ends are taken away. Prose has lines and
  // tabs, and stays as it was sent.
  enum class Kind : uint8_t { kName, kProse };
  Kind kind = Kind::kName;
  size_t min = 1;     // characters (code points), of a name without the spaces at its ends
  size_t max = 80;    // characters, as sent
  size_t octets = 0;  // of UTF-8; 0: no limit besides
};

// Makes `text` what is to be kept; where it is not as the rule wants it, what was expected.
std::optional<std::string> CheckText(const TextRule& rule, std::string& text);

}  // namespace framewall::backend::server
