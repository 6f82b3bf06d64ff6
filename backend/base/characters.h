// How long people find a text.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace framewall::backend {

// Characters (code points) of valid UTF-8: the octets that begin one.
inline size_t CountCharacters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

}  // namespace framewall::backend
