#include "proxy/base/encoding.h"

#include <array>
#include <cstdint>

#include "proxy/base/check.h"
#include "proxy/base/text.h"

namespace framewall {
namespace {

constexpr std::string_view kUpperHex = "0123456789ABCDEF";
constexpr std::string_view kLowerHex = "0123456789abcdef";

// --- Percent ---------------------------------------------------------------------------------

using OctetSet = std::array<bool, 256>;

// Controls, DEL, high octets and what RFC 3986 allows in no URI; then the kind's own.
constexpr OctetSet EscapedSet(std::string_view more) {
  OctetSet set{};
  for (size_t c = 0; c < set.size(); ++c) set[c] = c < 0x20 || c >= 0x7f;
  for (char c : std::string_view(" \"<>\\^`{|}")) set[static_cast<uint8_t>(c)] = true;
  for (char c : more) set[static_cast<uint8_t>(c)] = true;
  return set;
}

constexpr OctetSet NotUnreserved() {
  OctetSet set{};
  for (size_t c = 0; c < set.size(); ++c) {
    const char ch = static_cast<char>(c);
    set[c] = !(IsAlpha(ch) || IsDigit(ch) || ch == '-' || ch == '.' || ch == '_' || ch == '~');
  }
  return set;
}

constexpr OctetSet kUriSet = EscapedSet("#%?");
constexpr OctetSet kArgsSet = EscapedSet("#%&+;?");
constexpr OctetSet kHtmlSet = EscapedSet("#%'");
constexpr OctetSet kComponentSet = NotUnreserved();

const OctetSet& SetOf(UriEscape kind) {
  switch (kind) {
    case UriEscape::kUri:
      return kUriSet;
    case UriEscape::kArgs:
      return kArgsSet;
    case UriEscape::kUriComponent:
      return kComponentSet;
    case UriEscape::kHtml:
      return kHtmlSet;
  }
  FW_UNREACHABLE();
}

// False at a malformed escape that is refused.
enum class Malformed { kKeep, kRefuse };
bool DecodePercent(std::string_view text, Malformed malformed, std::string& out) {
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? HexValue(text[i + 2]) : -1;
    if (high >= 0 && low >= 0) {
      out += static_cast<char>(high << 4 | low);
      i += 2;
    } else if (malformed == Malformed::kKeep) {
      out += '%';
    } else {
      return false;
    }
  }
  return true;
}

// --- Base64 ----------------------------------------------------------------------------------

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

using DecodeTable = std::array<int8_t, 256>;
constexpr DecodeTable MakeDecodeTable(std::string_view alphabet) {
  DecodeTable table{};
  for (auto& value : table) value = -1;
  for (size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<uint8_t>(alphabet[i])] = static_cast<int8_t>(i);
  }
  return table;
}
constexpr DecodeTable kBase64Values = MakeDecodeTable(kBase64);
constexpr DecodeTable kBase64UrlValues = MakeDecodeTable(kBase64Url);

// Without padding.
std::string EncodeBase64(std::string_view bytes, std::string_view alphabet) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  uint32_t bits = 0;
  int count = 0;
  for (char c : bytes) {
    bits = bits << 8 | static_cast<uint8_t>(c);
    for (count += 8; count >= 6; count -= 6) text += alphabet[bits >> (count - 6) & 63];
  }
  if (count > 0) text += alphabet[bits << (6 - count) & 63];
  return text;
}

// `text` without padding. Refuses bits left over that are not zero: one value, one spelling.
std::optional<std::string> DecodeBase64(std::string_view text, const DecodeTable& values) {
  if (text.size() % 4 == 1) return std::nullopt;
  const size_t rest = text.size() % 4;
  std::string bytes(text.size() / 4 * 3 + (rest == 0 ? 0 : rest - 1), '\0');
  const auto value = [&](size_t at) -> int { return values[static_cast<uint8_t>(text[at])]; };
  char* out = bytes.data();
  size_t at = 0;
  for (; at + 4 <= text.size(); at += 4) {
    const int a = value(at);
    const int b = value(at + 1);
    const int c = value(at + 2);
    const int d = value(at + 3);
    if ((a | b | c | d) < 0) return std::nullopt;
    *out++ = static_cast<char>(a << 2 | b >> 4);
    *out++ = static_cast<char>((b & 15) << 4 | c >> 2);
    *out++ = static_cast<char>((c & 3) << 6 | d);
  }
  if (rest == 0) return bytes;
  const int a = value(at);
  const int b = value(at + 1);
  const int c = rest == 3 ? value(at + 2) : 0;
  if ((a | b | c) < 0) return std::nullopt;
  *out++ = static_cast<char>(a << 2 | b >> 4);
  if (rest == 3) *out = static_cast<char>((b & 15) << 4 | c >> 2);
  if ((rest == 2 ? b & 15 : c & 3) != 0) return std::nullopt;
  return bytes;
}

}  // namespace

std::string PercentDecode(std::string_view text) {
  std::string out;
  DecodePercent(text, Malformed::kKeep, out);
  return out;
}

std::optional<std::string> PercentDecodeStrict(std::string_view text) {
  std::string out;
  if (!DecodePercent(text, Malformed::kRefuse, out)) return std::nullopt;
  return out;
}

std::string PercentEncode(std::string_view text, UriEscape kind) {
  std::string out;
  AppendPercentEncoded(out, text, kind);
  return out;
}

void AppendPercentEncoded(std::string& out, std::string_view text, UriEscape kind) {
  const OctetSet& escaped = SetOf(kind);
  out.reserve(out.size() + text.size());
  for (char c : text) {
    const auto octet = static_cast<uint8_t>(c);
    if (!escaped[octet]) {
      out += c;
      continue;
    }
    out += '%';
    out += kUpperHex[octet >> 4];
    out += kUpperHex[octet & 15];
  }
}

std::string Base64Encode(std::string_view bytes) {
  std::string text = EncodeBase64(bytes, kBase64);
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

std::optional<std::string> Base64Decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return DecodeBase64(text, kBase64Values);
}

std::string Base64UrlEncode(std::string_view bytes) { return EncodeBase64(bytes, kBase64Url); }

std::optional<std::string> Base64UrlDecode(std::string_view text) {
  return DecodeBase64(text, kBase64UrlValues);
}

std::string HexEncode(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (char c : bytes) {
    const auto octet = static_cast<uint8_t>(c);
    text += kLowerHex[octet >> 4];
    text += kLowerHex[octet & 15];
  }
  return text;
}

std::optional<std::string> HexDecode(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = HexValue(text[i]);
    const int low = HexValue(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

void AppendJsonEscaped(std::string& out, std::string_view text) {
  out.reserve(out.size() + text.size());
  for (char c : text) {
    const auto octet = static_cast<uint8_t>(c);
    if (octet >= 0x20 && c != '"' && c != '\\') {
      out += c;
      continue;
    }
    out += '\\';
    switch (c) {
      case '"':
      case '\\':
        out += c;
        break;
      case '\b':
        out += 'b';
        break;
      case '\f':
        out += 'f';
        break;
      case '\n':
        out += 'n';
        break;
      case '\r':
        out += 'r';
        break;
      case '\t':
        out += 't';
        break;
      default:
        out += "u00";
        out += kUpperHex[octet >> 4];
        out += kUpperHex[octet & 15];
    }
  }
}

std::string HtmlEscape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace framewall
