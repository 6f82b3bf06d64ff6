// UTF-8 (RFC 3629), validated in pieces.
#pragma once

#include <cstdint>
#include <string_view>

namespace framewall {

// Feed pieces in order; a code point may be split between them.
class Utf8Validator {
 public:
  // False as soon as the octets so far cannot begin valid UTF-8; it stays false.
  bool Feed(std::string_view piece);
  // True when no code point is left unfinished.
  bool complete() const { return ok_ && remaining_ == 0; }
  void Reset() { *this = Utf8Validator(); }

 private:
  bool FeedOctet(uint8_t octet);

  bool ok_ = true;
  int remaining_ = 0;
  uint8_t low_ = 0x80;
  uint8_t high_ = 0xbf;
};

bool IsValidUtf8(std::string_view text);

}  // namespace framewall
