#include "waf/mask_json.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "waf/message_text.h"

namespace framewall::waf {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0x1e; }

int Hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::uint32_t> FourHex(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = Hex(text[static_cast<std::size_t>(i)]);
    if (digit < 0) return std::nullopt;
    value = value * 16 + static_cast<std::uint32_t>(digit);
  }
  return value;
}

void AppendUtf8(std::uint32_t code, std::string* out) {
  const auto tail = [out](std::uint32_t bits) { *out += static_cast<char>(0x80 | (bits & 0x3f)); };
  if (code < 0x80) {
    *out += static_cast<char>(code);
  } else if (code < 0x800) {
    *out += static_cast<char>(0xc0 | (code >> 6));
    tail(code);
  } else if (code < 0x10000) {
    *out += static_cast<char>(0xe0 | (code >> 12));
    tail(code >> 6);
    tail(code);
  } else {
    *out += static_cast<char>(0xf0 | (code >> 18));
    tail(code >> 12);
    tail(code >> 6);
    tail(code);
  }
}

// The inside of a string, escapes resolved; what is no escape stays as it is.
std::string Unescape(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      plain += text[i];
      continue;
    }
    switch (text[++i]) {
      case 'b':
        plain += '\b';
        break;
      case 'f':
        plain += '\f';
        break;
      case 'n':
        plain += '\n';
        break;
      case 'r':
        plain += '\r';
        break;
      case 't':
        plain += '\t';
        break;
      case 'u': {
        auto code = FourHex(text.substr(i + 1));
        if (!code) {
          plain += "\\u";
          break;
        }
        i += 4;
        if (*code >= 0xd800 && *code < 0xdc00 && text.substr(i + 1, 2) == "\\u") {
          const auto low = FourHex(text.substr(i + 3));
          if (low && *low >= 0xdc00 && *low < 0xe000) {
            code = 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00);
            i += 6;
          }
        }
        AppendUtf8(*code, &plain);
        break;
      }
      default:
        plain += text[i];
    }
  }
  return plain;
}

std::string Escape(std::string_view plain) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  text.reserve(plain.size() + 8);
  for (const char c : plain) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (c == '\n') {
      text += "\\n";
    } else if (octet < 0x20) {
      text += "\\u00";
      text += kHex[octet >> 4];
      text += kHex[octet & 15];
    } else {
      text += c;
    }
  }
  return text;
}

class JsonMask {
 public:
  JsonMask(const MaskContext& context, std::string_view text, std::string* out)
      : context_(context), text_(text), rewriter_(text, out) {}

  bool Run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (IsSpace(c) || c == ',' || c == ':') {
        ++at_;
      } else if (c == '{' || c == '[') {
        open_.push_back(IsSecret());
        secret_key_ = false;
        ++at_;
      } else if (c == '}' || c == ']') {
        if (!open_.empty()) open_.pop_back();
        secret_key_ = false;
        ++at_;
      } else if (c == '"') {
        String();
      } else {
        Word();
      }
    }
    return rewriter_.Finish();
  }

 private:
  bool IsSecret() const { return secret_key_ || (!open_.empty() && open_.back()); }

  void String() {
    const std::size_t begin = ++at_;
    bool has_escapes = false;
    while (at_ < text_.size() && text_[at_] != '"') {
      has_escapes = has_escapes || text_[at_] == '\\';
      at_ += text_[at_] == '\\' ? 2 : 1;
    }
    const std::size_t end = std::min(at_, text_.size());
    at_ = std::min(end + 1, text_.size());
    const std::string_view raw = text_.substr(begin, end - begin);
    std::size_t next = at_;
    while (next < text_.size() && IsSpace(text_[next])) ++next;
    if (next < text_.size() && text_[next] == ':') {
      secret_key_ = has_escapes ? context_.fields.Names(Unescape(raw)) : context_.fields.Names(raw);
      at_ = next + 1;
      return;
    }
    const bool is_secret = IsSecret();
    secret_key_ = false;
    if (is_secret) {
      if (context_.found != nullptr) {
        context_.found->Add(raw);
        if (has_escapes) context_.found->Add(Unescape(raw));
      }
      rewriter_.Mask(begin, end);
      return;
    }
    LookInside(begin, end, has_escapes);
  }

  // JSON in a string of JSON, a query, or either of them in base64.
  void LookInside(std::size_t begin, std::size_t end, bool has_escapes) {
    constexpr std::size_t kShortest = 8;
    if (end - begin < kShortest || context_.TooDeep()) return;
    const std::string_view raw = text_.substr(begin, end - begin);
    const std::string plain = has_escapes ? Unescape(raw) : std::string();
    const std::string_view value = has_escapes ? std::string_view(plain) : raw;
    std::string masked;
    if (LooksLikeJson(value) ? MaskJson(context_.Inside(), value, &masked)
                             : MaskQueryIn(value, &masked)) {
      rewriter_.Replace(begin, end, Escape(masked));
      return;
    }
    if (const auto decoded = DecodeBase64Text(value)) {
      if (LooksLikeJson(*decoded) ? MaskJson(context_.Inside(), *decoded, &masked)
                                  : MaskQueryIn(*decoded, &masked)) {
        if (context_.found != nullptr) context_.found->Add(value);
        rewriter_.Mask(begin, end);
      }
    }
  }

  bool MaskQueryIn(std::string_view value, std::string* masked) {
    if (value.find('=') == std::string_view::npos) return false;
    if (value.find('?') == std::string_view::npos && !IsForm(value)) return false;
    return MaskUrl(context_.Inside(), value, masked);
  }

  // A number, true, null; or what is no JSON.
  void Word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && !IsSpace(text_[at_]) &&
           std::string_view(",:{}[]\"").find(text_[at_]) == std::string_view::npos) {
      ++at_;
    }
    if (!IsSecret()) return;
    secret_key_ = false;
    const std::string_view word = text_.substr(begin, at_ - begin);
    if (word == "null" || word == "true" || word == "false") return;
    if (context_.found != nullptr) context_.found->Add(word);
    rewriter_.Replace(begin, at_, "\"***\"");
  }

  MaskContext context_;
  std::string_view text_;
  Rewriter rewriter_;
  std::size_t at_ = 0;
  bool secret_key_ = false;
  // For each bracket that is open: is all within it secret.
  std::vector<bool> open_;
};

}  // namespace

bool LooksLikeJson(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  if (text.empty()) return false;
  if (text.front() == '{' || text.front() == '[' || text.front() == '"') return true;
  return text.front() >= '0' && text.front() <= '9' && ReadSocketIo(text).has_value();
}

bool MaskJson(const MaskContext& context, std::string_view text, std::string* out) {
  return JsonMask(context, text, out).Run();
}

}  // namespace framewall::waf
