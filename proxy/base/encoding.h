// Percent, base64, hex and JSON text encodings.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace framewall {

// RFC 3986 2.1. Malformed escapes stay as they are (`strict`: nothing is returned).
std::string PercentDecode(std::string_view text);
std::optional<std::string> PercentDecodeStrict(std::string_view text);

// Which characters to escape; nginx's ngx_escape_uri types. Every kind escapes controls, space,
// DEL, high octets and " < > \ ^ ` { | }, which RFC 3986 allows nowhere.
enum class UriEscape {
  kUri,           // a path: also # % ?
  kArgs,          // query text: also # % & + ; ?
  kUriComponent,  // everything but RFC 3986 unreserved
  kHtml,          // a whole address, for Location: also # % '
};
std::string PercentEncode(std::string_view text, UriEscape kind);
void AppendPercentEncoded(std::string& out, std::string_view text, UriEscape kind);

std::string Base64Encode(std::string_view bytes);
std::optional<std::string> Base64Decode(std::string_view text);     // RFC 4648 4, padding required
std::string Base64UrlEncode(std::string_view bytes);                // RFC 4648 5, no padding
std::optional<std::string> Base64UrlDecode(std::string_view text);  // no padding accepted or needed

std::string HexEncode(std::string_view bytes);  // lower case
std::optional<std::string> HexDecode(std::string_view text);

// The inside of a JSON string (RFC 8259 7); octets that are no UTF-8 are kept.
void AppendJsonEscaped(std::string& out, std::string_view text);
// & < > " for HTML text.
std::string HtmlEscape(std::string_view text);

}  // namespace framewall
