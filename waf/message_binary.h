// Text inside binary messages, for rules that would take the rest for attacks:
// random octets as an argument are refused by CRS.
//
// Shown are
//   the strings of MessagePack and of Protocol Buffers, whatever their length,
//   where the message is such from its first octet to its last (for MessagePack
//   one whole map or array at its beginning is enough, and up to five octets of
//   somebody's framing may stand in front);
//   every run of text that is long enough and has words in it, wherever it
//   stands: sound and pixels are full of short ones that are none. A run that is one of those
//   strings with what says its length in front is not shown twice; one that is more than that is,
//   so that a message which can be read as two formats hides nothing.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace framewall::waf {

// A run counts from so many octets on, if a fifth of it is words. A word has so many letters; of
// a script that is not Latin, so many.
constexpr std::size_t kShortestRun = 12;
constexpr std::size_t kShortestWord = 4;
constexpr std::size_t kShortestForeignWord = 3;

// Views of `bytes`, in the order in which they stand there. `is_cut`: the bytes are the beginning
// of a longer message.
std::vector<std::string_view> TextsInBinary(std::string_view bytes, bool is_cut);

}  // namespace framewall::waf
