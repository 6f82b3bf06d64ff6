#include "tests/rules/socket_forms.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string_view>

#include "tests/rules/case_file.h"
#include "waf/message_text.h"

namespace framewall::rules_test {
namespace {

std::string Json(const std::string& value) { return RequestWith(value, "json").body; }

// The code point of a well-formed sequence, which it takes off.
std::uint32_t TakeCodePoint(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  std::uint32_t point = size == 1 ? lead : lead & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size && i < text.size(); ++i) {
    point = (point << 6) | (static_cast<unsigned char>(text[i]) & 0x3fU);
  }
  text.remove_prefix(std::min(size, text.size()));
  return point;
}

std::string Escaped(const std::string& value) {
  std::string text = "{\"text\":\"";
  char unit[12];
  for (std::string_view rest = value; !rest.empty();) {
    const std::uint32_t point = TakeCodePoint(rest);
    const bool is_pair = point > 0xffff;
    if (is_pair) {
      std::snprintf(unit, sizeof unit, "\\u%04x", 0xd800 + ((point - 0x10000) >> 10));
      text += unit;
    }
    std::snprintf(unit, sizeof unit, "\\u%04x",
                  is_pair ? 0xdc00 + ((point - 0x10000) & 0x3ff) : point & 0xffff);
    text += unit;
  }
  return text + "\"}";
}

std::string Nested(const std::string& value) { return Json(Json(value)); }
std::string SocketIo(const std::string& value) { return "42[\"say\"," + Json(value) + "]"; }
std::string Plain(const std::string& value) { return value; }

std::string Base64(const std::string& value) {
  static constexpr char kLetters[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : value) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) text += kLetters[(bits >> (count - 6)) & 63];
  }
  if (count > 0) text += kLetters[(bits << (6 - count)) & 63];
  while (text.size() % 4 != 0) text += '=';
  return Json(text);
}

std::string BigEndian(std::size_t value, int octets) {
  std::string text;
  for (int i = octets - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}

// {"id": 39, "text": value}, where 39 is an apostrophe too.
std::string MessagePack(const std::string& value) {
  std::string text = "\x82\xa2id\x27\xa4text";
  if (value.size() < 32) {
    text += static_cast<char>(0xa0 | value.size());
  } else if (value.size() < 256) {
    text += "\xd9" + BigEndian(value.size(), 1);
  } else {
    text += "\xda" + BigEndian(value.size(), 2);
  }
  return text + value;
}

// Field 1 a number, field 4 the value, whose tag is a quotation mark.
std::string ProtocolBuffers(const std::string& value) {
  std::string text = "\x08\xff\x01\x22";
  std::size_t size = value.size();
  for (; size >= 0x80; size >>= 7) text += static_cast<char>(0x80 | (size & 0x7f));
  text += static_cast<char>(size);
  return text + value;
}

constexpr auto kText = waf::MessageKind::kText;
constexpr auto kBinary = waf::MessageKind::kBinary;
bool Any(const std::string&) { return true; }
bool IsUtf8(const std::string& value) {
  for (std::string_view rest = value; !rest.empty();) {
    const std::size_t size = waf::Utf8SequenceLength(rest);
    if (size == 0) return false;
    rest.remove_prefix(size);
  }
  return true;
}
bool IsLongText(const std::string& value) {
  return waf::IsText(value) && value.size() >= waf::kShortestBase64;
}
// A field with a control character may be a message in the message.
bool IsText(const std::string& value) { return waf::IsText(value); }

constexpr SocketForm kForms[] = {
    {"json", "json", kText, Json, Any},
    {"escaped", "json", kText, Escaped, IsUtf8},
    {"nested", "json", kText, Nested, Any},
    {"socketio", "json", kText, SocketIo, Any},
    {"base64", "json", kText, Base64, IsLongText},
    {"text", "form:message", kText, Plain, Any},
    {"messagepack", "json", kBinary, MessagePack, IsUtf8},
    {"protobuf", "json", kBinary, ProtocolBuffers, IsText},
};

}  // namespace

std::span<const SocketForm> SocketForms() { return kForms; }

}  // namespace framewall::rules_test
