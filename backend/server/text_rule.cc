#include "backend/server/text_rule.h"

#include <fmt/format.h>

#include <algorithm>

#include "backend/base/characters.h"
#include "proxy/base/utf8.h"

namespace framewall::backend::server {
namespace {

bool IsFirstOctet(char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }

// Of valid UTF-8; moves `at` behind it.
char32_t NextCharacter(std::string_view text, size_t& at) {
  const auto first = static_cast<uint8_t>(text[at++]);
  char32_t code = first;
  if (first >= 0xF0) {
    code = first & 0x07;
  } else if (first >= 0xE0) {
    code = first & 0x0F;
  } else if (first >= 0xC0) {
    code = first & 0x1F;
  }
  for (; at < text.size() && !IsFirstOctet(text[at]); ++at) {
    code = code << 6 | (static_cast<uint8_t>(text[at]) & 0x3F);
  }
  return code;
}

bool IsControl(char32_t code) { return code < 0x20 || (code >= 0x7F && code < 0xA0); }

bool IsSpace(char32_t code) {
  return code == ' ' || (code >= '\t' && code <= '\r') || code == 0xA0 || code == 0x1680 ||
         (code >= 0x2000 && code <= 0x200B) || code == 0x202F || code == 0x205F || code == 0x3000 ||
         code == 0xFEFF;
}

// Line and paragraph ends, and the embeddings, overrides and isolates of Unicode's bidirectional
// algorithm (UAX #9), which would reach beyond the name.
bool BreaksALine(char32_t code) {
  return (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

bool IsAllowed(TextRule::Kind kind, char32_t code) {
  if (kind == TextRule::Kind::kProse) {
    return !IsControl(code) || code == '\n' || code == '\t' || code == '\r';
  }
  return !IsControl(code) && !BreaksALine(code);
}

std::string TrimSpaces(std::string_view text) {
  size_t begin = std::string_view::npos;
  size_t end = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    if (IsSpace(NextCharacter(text, at))) continue;
    if (begin == std::string_view::npos) begin = start;
    end = at;
  }
  return begin == std::string_view::npos ? std::string()
                                         : std::string(text.substr(begin, end - begin));
}

}  // namespace

std::optional<std::string> CheckText(const TextRule& rule, std::string& text) {
  if (!IsValidUtf8(text)) return "expected text in UTF-8";
  if (rule.octets != 0 && text.size() > rule.octets) {
    return fmt::format("expected at most {} octets of UTF-8, found {}", rule.octets, text.size());
  }
  const size_t sent = CountCharacters(text);
  if (sent > rule.max) {
    return fmt::format("expected at most {} characters, found {}", rule.max, sent);
  }
  for (size_t at = 0; at < text.size();) {
    const char32_t code = NextCharacter(text, at);
    if (IsAllowed(rule.kind, code)) continue;
    return fmt::format("the character U+{:04X} is not allowed here", static_cast<uint32_t>(code));
  }
  std::string trimmed = TrimSpaces(text);
  const size_t kept = CountCharacters(trimmed);
  if (kept < rule.min) {
    if (rule.min == 1) return "expected more than nothing and spaces";
    return fmt::format("expected at least {} characters, found {}", rule.min, kept);
  }
  if (rule.kind == TextRule::Kind::kName) text = std::move(trimmed);
  return std::nullopt;
}

}  // namespace framewall::backend::server
