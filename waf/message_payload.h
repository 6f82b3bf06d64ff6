// What a client's message says, as the arguments of a request.
//
//   JSON                 its leaves under ModSecurity's names: json.a.b.array_0
//   Engine.IO, Socket.IO the JSON behind the packet's digits likewise
//                        (42["event",{"a":1}]: json.array_0, json.array_1.a), and
//                        the namespace as socketio.namespace
//   a form               its fields; one field alone as message too
//   binary, not text     its texts (waf/message_binary.h): message.text_0, ...
//   anything else        message
//
// Wherever a text value stands, it is looked into: JSON inside a string is
// replaced by its leaves (json.a is gone, json.a.b is there), base64 of a text
// is shown as it is and decoded (json.a.base64), and so on to kDeepestNesting.
// A JSON string alone ("...") is shown decoded as json and raw as message.
// What cannot be parsed is text. Nothing is left out but what the limits say.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace framewall::waf {

enum class PayloadKind : std::uint8_t { kText, kJson, kSocketIo, kForm, kBinary, kXml };
// "text", "json", "socketio", "form", "binary", "xml"
std::string_view NameOf(PayloadKind kind);

// How often JSON in strings and base64 are unpacked, one inside the other. What is deeper is shown
// as the text that it is there.
constexpr int kDeepestNesting = 8;

class MessageArguments {
 public:
  // The library counts arguments of JSON among ARGS, others among ARGS_POST too.
  enum class Origin : std::uint8_t { kJson, kPost };
  struct Argument {
    Origin origin;
    std::string_view name;
    std::string_view value;
  };

  // At most `count` of them, and at most `octets` of names and values together, where each
  // argument counts for `overhead` octets more.
  MessageArguments(std::size_t count, std::size_t octets, std::size_t overhead = 0);

  // False where there is no room; nothing is added then.
  bool Add(Origin origin, std::string_view name, std::string_view value);
  // As much of `value` as there is room for; an argument more than `count` is allowed here.
  void AddBeginning(Origin origin, std::string_view name, std::string_view value);
  // Forgets all but the first `size`.
  void Truncate(std::size_t size);

  std::size_t size() const { return entries_.size(); }
  // Names and values.
  std::size_t octets() const { return bytes_.size(); }
  Argument operator[](std::size_t index) const;

 private:
  struct Entry {
    Origin origin;
    std::size_t at;  // in bytes_: the name, then the value
    std::size_t name_size;
    std::size_t value_size;
  };

  std::size_t Room() const;

  std::size_t count_limit_;
  std::size_t octet_limit_;
  std::size_t overhead_;
  std::vector<Entry> entries_;
  std::string bytes_;
};

struct ReadPayloadResult {
  PayloadKind kind = PayloadKind::kText;
  // The arguments ran full; `rest` is what was not taken, as it came.
  bool full = false;
  std::string_view rest;
};

struct PayloadView {
  std::string_view bytes;
  bool is_binary = false;  // as the frame says
  bool is_cut = false;     // the beginning of a longer message
};

// Appends to `arguments`. `rest` is a view of `payload.bytes`.
ReadPayloadResult ReadPayload(const PayloadView& payload, MessageArguments* arguments);
// The kind alone, by a look at the beginning.
PayloadKind GuessKind(const PayloadView& payload);

}  // namespace framewall::waf
