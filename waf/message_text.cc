#include "waf/message_text.h"

#include <array>
#include <cstdint>

namespace framewall::waf {
namespace {

std::uint8_t Byte(char c) { return static_cast<std::uint8_t>(c); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlphanumeric(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsEscape(std::string_view text) {
  return text.size() >= 3 && text[0] == '%' && HexValue(text[1]) >= 0 && HexValue(text[2]) >= 0;
}

// How many octets the sequence that begins with `lead` has; 0 where it is no lead.
std::size_t LengthByLead(std::uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

// 0 to 63, or one of these.
constexpr std::uint8_t kNoBase64 = 255;
constexpr std::uint8_t kSkipped = 254;

constexpr std::array<std::uint8_t, 256> kBase64 = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoBase64);
  std::uint8_t next = 0;
  for (char c = 'A'; c <= 'Z'; ++c) values[static_cast<std::uint8_t>(c)] = next++;
  for (char c = 'a'; c <= 'z'; ++c) values[static_cast<std::uint8_t>(c)] = next++;
  for (char c = '0'; c <= '9'; ++c) values[static_cast<std::uint8_t>(c)] = next++;
  values['+'] = values['-'] = 62;
  values['/'] = values['_'] = 63;
  values['\r'] = values['\n'] = kSkipped;
  return values;
}();

// "data:text/html;base64,PGI+" without all that stands before the base64.
std::string_view WithoutDataScheme(std::string_view value) {
  constexpr std::string_view kMark = ";base64,";
  if (!value.starts_with("data:")) return value;
  const std::size_t mark = value.substr(0, 256).find(kMark);
  return mark == value.npos ? value : value.substr(mark + kMark.size());
}

bool IsFormName(char c) {
  return IsAlphanumeric(c) || c == '_' || c == '.' || c == '-' || c == '~' || c == '[' || c == ']';
}
bool IsFormValue(char c) {
  return IsAlphanumeric(c) || Byte(c) >= 0x80 ||
         std::string_view("_.-~*+!,:@/=").find(c) != std::string_view::npos;
}

}  // namespace

std::size_t Utf8SequenceLength(std::string_view text) {
  const std::uint8_t lead = Byte(text[0]);
  const std::size_t length = LengthByLead(lead);
  if (length <= 1) return length;
  if (text.size() < length) return 0;
  const std::uint8_t second = Byte(text[1]);
  // The second octet shuts out longer forms of shorter ones, surrogates and what is over U+10FFFF.
  const std::uint8_t lowest = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const std::uint8_t highest = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((Byte(text[i]) & 0xc0) != 0x80) return 0;
  }
  return length;
}

std::string_view WithoutPartialSequence(std::string_view text) {
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const std::uint8_t byte = Byte(text[text.size() - back]);
    if ((byte & 0xc0) == 0x80) continue;
    if (LengthByLead(byte) > back) text.remove_suffix(back);
    break;
  }
  return text;
}

bool IsText(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::uint8_t byte = Byte(text[at]);
    if (byte >= 0x20 && byte < 0x7f) {
      ++at;
    } else if (byte >= 0x80) {
      const std::size_t length = Utf8SequenceLength(text.substr(at, 4));
      // C2 80 to C2 9F: the controls that 8-bit terminals know.
      if (length == 0 || (byte == 0xc2 && Byte(text[at + 1]) < 0xa0)) return false;
      at += length;
    } else if (byte == '\t' || byte == '\n' || byte == '\r') {
      ++at;
    } else {
      return false;
    }
  }
  return true;
}

std::optional<std::string> DecodeBase64Text(std::string_view value) {
  value = WithoutDataScheme(value);
  while (!value.empty() && (value.back() == '=' || kBase64[Byte(value.back())] == kSkipped)) {
    value.remove_suffix(1);
  }
  if (value.size() < kShortestBase64 * 4 / 3) return std::nullopt;
  // Most values fail here, at their first space.
  for (const char c : value) {
    if (kBase64[Byte(c)] == kNoBase64) return std::nullopt;
  }
  std::string decoded;
  decoded.reserve(value.size() * 3 / 4 + 1);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : value) {
    const std::uint8_t six = kBase64[Byte(c)];
    if (six == kSkipped) continue;
    bits = (bits << 6) | six;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    decoded += static_cast<char>((bits >> count) & 0xff);
    // Words and identifiers are base64 too, but of no text: told by their beginning.
    if (decoded.size() == 24 && !IsText(WithoutPartialSequence(decoded))) return std::nullopt;
  }
  if (decoded.size() < kShortestBase64 || !IsText(decoded)) return std::nullopt;
  return decoded;
}

bool IsForm(std::string_view text) {
  bool in_name = true;
  bool has_value = false;  // "PHNjcmlwdD4=" is base64
  std::size_t name_size = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (IsEscape(text.substr(at, 3))) {
      at += 2;
      name_size += in_name ? 1U : 0U;
      has_value = has_value || !in_name;
    } else if (in_name && c == '=') {
      if (name_size == 0) return false;
      in_name = false;
    } else if (!in_name && c == '&') {
      in_name = true;
      name_size = 0;
    } else if (in_name ? IsFormName(c) : IsFormValue(c)) {
      name_size += in_name ? 1U : 0U;
      has_value = has_value || (!in_name && c != '=');
    } else {
      return false;
    }
  }
  return has_value && !in_name;
}

void DecodeFormPart(std::string_view part, std::string* decoded) {
  decoded->clear();
  for (std::size_t at = 0; at < part.size(); ++at) {
    if (IsEscape(part.substr(at, 3))) {
      *decoded += static_cast<char>(HexValue(part[at + 1]) * 16 + HexValue(part[at + 2]));
      at += 2;
    } else {
      *decoded += part[at] == '+' ? ' ' : part[at];
    }
  }
}

std::optional<SocketIoPacket> ReadSocketIo(std::string_view text) {
  const auto take_digits = [&text] {
    std::size_t count = 0;
    while (count < text.size() && IsDigit(text[count])) ++count;
    text.remove_prefix(count);
    return count;
  };
  const auto is_type = [&text] { return !text.empty() && text[0] >= '0' && text[0] <= '6'; };
  SocketIoPacket packet;
  if (!is_type()) return std::nullopt;
  const bool is_message = text[0] == '4';
  text.remove_prefix(1);
  if (is_message && is_type()) {
    const bool has_attachments = text[0] == '5' || text[0] == '6';
    text.remove_prefix(1);
    if (has_attachments) {
      if (take_digits() == 0 || text.empty() || text[0] != '-') return std::nullopt;
      text.remove_prefix(1);
    }
    if (!text.empty() && text[0] == '/') {
      const std::size_t comma = text.find(',');
      if (comma == text.npos) return std::nullopt;
      packet.space = text.substr(0, comma);
      text.remove_prefix(comma + 1);
    }
    take_digits();  // the number that an acknowledgement names
  }
  if (text.empty() || (text[0] != '[' && text[0] != '{')) return std::nullopt;
  packet.json = text;
  return packet;
}

}  // namespace framewall::waf
