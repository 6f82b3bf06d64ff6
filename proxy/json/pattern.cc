#include "proxy/json/pattern.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <utility>

#include "proxy/base/text.h"

namespace framewall::json {
namespace {

// ECMA-262 22.2.2.9, WhiteSpace and LineTerminator, and all else, as the inside of a class.
constexpr std::string_view kSpace =
    "\\t-\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"
    "\\x{feff}";
constexpr std::string_view kNoSpace =
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}!-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}"
    "\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}"
    "\\x{ff00}-\\x{10ffff}";

// General categories by their long names (PropertyValueAliases.txt); PCRE2 knows the short ones.
constexpr std::pair<std::string_view, std::string_view> kCategories[] = {
    {"Letter", "L"},
    {"Cased_Letter", "L&"},
    {"Uppercase_Letter", "Lu"},
    {"Lowercase_Letter", "Ll"},
    {"Titlecase_Letter", "Lt"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Mark", "M"},
    {"Nonspacing_Mark", "Mn"},
    {"Spacing_Mark", "Mc"},
    {"Enclosing_Mark", "Me"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Letter_Number", "Nl"},
    {"Other_Number", "No"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Connector_Punctuation", "Pc"},
    {"Dash_Punctuation", "Pd"},
    {"Open_Punctuation", "Ps"},
    {"Close_Punctuation", "Pe"},
    {"Initial_Punctuation", "Pi"},
    {"Final_Punctuation", "Pf"},
    {"Other_Punctuation", "Po"},
    {"Symbol", "S"},
    {"Math_Symbol", "Sm"},
    {"Currency_Symbol", "Sc"},
    {"Modifier_Symbol", "Sk"},
    {"Other_Symbol", "So"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Line_Separator", "Zl"},
    {"Paragraph_Separator", "Zp"},
    {"Other", "C"},
    {"Control", "Cc"},
    {"Format", "Cf"},
    {"Private_Use", "Co"},
    {"Unassigned", "Cn"},
};

class Rewriter {
 public:
  explicit Rewriter(std::string_view pattern) : pattern_(pattern) {}

  Result<std::string> Run() {
    while (at_ < pattern_.size()) {
      const char c = pattern_[at_++];
      switch (c) {
        case '\\':
          FW_TRY(Escape(false));
          break;
        case '[':
          FW_TRY(Class());
          break;
        case '.':
          out_ += "[^\\n\\r\\x{2028}\\x{2029}]";
          break;
        case '$':
          out_ += "\\z";
          break;
        case '(':
          if (Peek() == '*') return Fault("\"(*\"");
          if (pattern_.substr(at_).starts_with("?P") || pattern_.substr(at_).starts_with("?#")) {
            return Fault("\"(" + std::string(pattern_.substr(at_, 2)) + "\"");
          }
          out_ += c;
          break;
        default:
          out_ += c;
      }
    }
    return std::move(out_);
  }

 private:
  char Peek() const { return at_ < pattern_.size() ? pattern_[at_] : '\0'; }

  Error Fault(std::string_view what) const {
    return OperatorError(std::string(what) + " is no part of ECMA-262's regular expressions in \"" +
                         std::string(pattern_) + "\"");
  }

  void CodePoint(uint32_t number) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "\\x{%x}", number);
    out_ += text.data();
  }

  // `count` hex digits at `at_`, taken.
  std::optional<uint32_t> Hex(size_t count) {
    if (pattern_.size() - at_ < count) return std::nullopt;
    uint32_t number = 0;
    for (size_t i = 0; i < count; ++i) {
      const int digit = HexValue(pattern_[at_ + i]);
      if (digit < 0) return std::nullopt;
      number = number * 16 + static_cast<uint32_t>(digit);
    }
    at_ += count;
    return number;
  }

  // Behind \u: four digits, two surrogates of four, or {1 to 6 digits}.
  std::optional<uint32_t> Unicode() {
    if (Peek() == '{') {
      const size_t end = pattern_.find('}', at_);
      if (end == pattern_.npos || end - at_ < 2 || end - at_ > 7) return std::nullopt;
      ++at_;
      const auto number = Hex(end - at_);
      if (!number || *number > 0x10ffff) return std::nullopt;
      ++at_;
      return number;
    }
    auto number = Hex(4);
    if (number && *number >= 0xd800 && *number < 0xdc00 &&
        pattern_.substr(at_).starts_with("\\u")) {
      at_ += 2;
      const auto low = Hex(4);
      if (!low || *low < 0xdc00 || *low > 0xdfff) return std::nullopt;
      number = 0x10000 + ((*number - 0xd800) << 10) + (*low - 0xdc00);
    }
    if (number && *number >= 0xd800 && *number <= 0xdfff) return std::nullopt;
    return number;
  }

  Status Property(char letter) {
    const size_t end = pattern_.find('}', at_);
    if (Peek() != '{' || end == pattern_.npos) return Fault(std::string("\"\\") + letter + "\"");
    std::string_view name = pattern_.substr(at_ + 1, end - at_ - 1);
    for (const std::string_view prefix : {"General_Category=", "gc="}) {
      if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
    }
    for (const auto& [long_name, short_name] : kCategories) {
      if (name == long_name) name = short_name;
    }
    out_.append("\\").append(1, letter).append("{").append(name).append("}");
    at_ = end + 1;
    return OkStatus();
  }

  // Behind the backslash.
  Status Escape(bool in_class) {
    if (at_ == pattern_.size()) return Fault("\"\\\" at the end");
    const char c = pattern_[at_++];
    switch (c) {
      case 's':
        out_.append(in_class ? "" : "[").append(kSpace).append(in_class ? "" : "]");
        return OkStatus();
      case 'S':
        out_.append(in_class ? "" : "[").append(kNoSpace).append(in_class ? "" : "]");
        return OkStatus();
      case 'p':
      case 'P':
        return Property(c);
      case 'u': {
        const auto number = Unicode();
        if (!number) return Fault("\"\\u\" without a character's number");
        CodePoint(*number);
        return OkStatus();
      }
      case 'x': {
        const auto number = Hex(2);
        if (!number) return Fault("\"\\x\" without two hex digits");
        CodePoint(*number);
        return OkStatus();
      }
      case '0':
        if (IsDigit(Peek())) return Fault("\"\\0\" before a digit");
        CodePoint(0);
        return OkStatus();
      case 'v':
        CodePoint(0xb);  // PCRE2's \v is a class
        return OkStatus();
      case 'c':
        if (!IsAlpha(Peek())) return Fault("\"\\c\" without a letter");
        CodePoint(static_cast<uint32_t>(pattern_[at_++]) & 0x1f);
        return OkStatus();
      case 'B':
      case 'k':
        if (in_class) break;
        [[fallthrough]];
      case 'b':
      case 'd':
      case 'D':
      case 'w':
      case 'W':
      case 'f':
      case 'n':
      case 'r':
      case 't':
        out_.append("\\").append(1, c);
        return OkStatus();
      default:
        if (IsAlpha(c) || (IsDigit(c) && in_class)) break;
        // Octets of a character beyond ASCII stand for themselves.
        if (static_cast<unsigned char>(c) < 0x80) out_ += '\\';
        out_ += c;
        return OkStatus();
    }
    return Fault(std::string("\"\\") + c + "\"" + (in_class ? " in a class" : ""));
  }

  // Behind the bracket.
  Status Class() {
    const bool negated = Peek() == '^';
    if (negated) ++at_;
    if (Peek() == ']') {
      ++at_;
      out_ += negated ? "[\\s\\S]" : "(?!)";
      return OkStatus();
    }
    out_ += negated ? "[^" : "[";
    while (at_ < pattern_.size()) {
      const char c = pattern_[at_++];
      if (c == ']') {
        out_ += c;
        return OkStatus();
      }
      if (c == '\\') {
        FW_TRY(Escape(true));
      } else {
        if (c == '[') out_ += '\\';
        out_ += c;
      }
    }
    return Fault("\"[\" without \"]\"");
  }

  std::string_view pattern_;
  size_t at_ = 0;
  std::string out_;
};

}  // namespace

Result<std::string> PatternForPcre(std::string_view pattern) { return Rewriter(pattern).Run(); }

Result<Regex> CompilePattern(std::string_view pattern) {
  FW_ASSIGN(const std::string text, PatternForPcre(pattern));
  return Regex::Compile("(*UTF)" + text, Regex::Case::kSensitive);
}

}  // namespace framewall::json
