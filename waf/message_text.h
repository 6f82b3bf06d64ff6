// Text inside messages: is it text, is it base64 of text, a form, a Socket.IO packet.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace framewall::waf {

// The length of the well-formed UTF-8 sequence (RFC 3629) that `text` begins with; 0 where there
// is none. `text` is not empty.
std::size_t Utf8SequenceLength(std::string_view text);

// Without the beginning of a sequence that `text` ends in the middle of.
std::string_view WithoutPartialSequence(std::string_view text);

// Well-formed UTF-8 without control characters but tab and line ends.
bool IsText(std::string_view text);

// What `value` says if it is base64 (either alphabet, padded or not, in lines, or behind
// "data:...;base64,") of at least kShortestBase64 octets of text.
constexpr std::size_t kShortestBase64 = 6;
std::optional<std::string> DecodeBase64Text(std::string_view value);

// Is `text` a form as browsers write it (name=value pairs with "&" between, and in them nothing
// that would have been percent-encoded for a purpose)? Text that merely has "=" and "&" in it is
// not.
bool IsForm(std::string_view text);
// One part of a form: "%XX" and "+" decoded, what is no escape left as it is.
void DecodeFormPart(std::string_view part, std::string* decoded);

// A packet of Engine.IO or Socket.IO (protocols 3 to 5) that carries JSON: 42["event",{}],
// 42/admin,7["event"], 451-["event",{}], 40{"token":""}, 0{"sid":""}.
struct SocketIoPacket {
  std::string_view space;  // the namespace: "/admin"; empty: the main one
  std::string_view json;   // from its first bracket on
};
std::optional<SocketIoPacket> ReadSocketIo(std::string_view text);

}  // namespace framewall::waf
