// Percent, base64, hex, JSON and HTML text: what is encoded is decoded to the same octets, what
// strict decoding takes has one spelling, and nothing that must be escaped is left.
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/check.h"
#include "proxy/base/encoding.h"
#include "proxy/base/text.h"

namespace framewall {
namespace {

void CheckPercent(std::string_view text) {
  for (const UriEscape kind :
       {UriEscape::kUri, UriEscape::kArgs, UriEscape::kUriComponent, UriEscape::kHtml}) {
    const std::string encoded = PercentEncode(text, kind);
    FW_CHECK(encoded.size() >= text.size() && encoded.size() <= 3 * text.size());
    FW_CHECK(encoded.find_first_of(std::string_view(" \"<>\\^`{|}\r\n\x7f\0", 14)) == encoded.npos);
    FW_CHECK(PercentDecode(encoded) == text);
    FW_CHECK(PercentDecodeStrict(encoded) == std::string(text));
  }
  const std::string decoded = PercentDecode(text);
  FW_CHECK(decoded.size() <= text.size());
  const auto strict = PercentDecodeStrict(text);
  FW_CHECK(!strict || *strict == decoded);
}

void CheckBinary(std::string_view text) {
  FW_CHECK(Base64Decode(Base64Encode(text)) == std::string(text));
  FW_CHECK(Base64UrlDecode(Base64UrlEncode(text)) == std::string(text));
  FW_CHECK(HexDecode(HexEncode(text)) == std::string(text));
  if (const auto bytes = Base64Decode(text)) FW_CHECK(Base64Encode(*bytes) == text);
  if (const auto bytes = Base64UrlDecode(text)) FW_CHECK(Base64UrlEncode(*bytes) == text);
  if (const auto bytes = HexDecode(text)) FW_CHECK(HexEncode(*bytes) == ToLower(text));
}

// What a reader of JSON makes of the inside of a string. Octets over 0x7f stay.
std::string ReadJson(std::string_view escaped) {
  constexpr std::string_view kShort = "\"\\bfnrt";
  constexpr std::string_view kMeant = "\"\\\b\f\n\r\t";
  std::string text;
  for (size_t i = 0; i < escaped.size(); ++i) {
    FW_CHECK(static_cast<unsigned char>(escaped[i]) >= 0x20 && escaped[i] != '"');
    if (escaped[i] != '\\') {
      text += escaped[i];
      continue;
    }
    FW_CHECK(++i < escaped.size());
    if (escaped[i] == 'u') {
      const auto octet = HexDecode(escaped.substr(i + 3, 2));
      FW_CHECK(escaped.substr(i + 1, 2) == "00" && octet && octet->size() == 1);
      text += *octet;
      i += 4;
      continue;
    }
    const size_t which = kShort.find(escaped[i]);
    FW_CHECK(which != kShort.npos);
    text += kMeant[which];
  }
  return text;
}

void CheckText(std::string_view text) {
  std::string json = "before";
  AppendJsonEscaped(json, text);
  FW_CHECK(json.starts_with("before") && ReadJson(std::string_view(json).substr(6)) == text);
  const std::string html = HtmlEscape(text);
  FW_CHECK(html.find_first_of("<>\"") == html.npos);
}

}  // namespace
}  // namespace framewall

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace framewall;  // NOLINT
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckPercent(text);
  CheckBinary(text);
  CheckText(text);
  return 0;
}
