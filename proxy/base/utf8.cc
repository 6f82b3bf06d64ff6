#include "proxy/base/utf8.h"

#include <cstddef>
#include <cstring>

namespace framewall {

// Between octets the state is: how many continuation octets are still due, and what the next one
// may be. Only the first continuation octet has narrower bounds (RFC 3629 4): they keep out
// overlong forms (E0, F0), surrogates (ED) and what lies above U+10FFFF (F4).
bool Utf8Validator::Feed(std::string_view piece) {
  if (!ok_) return false;
  size_t i = 0;
  while (i < piece.size()) {
    if (remaining_ == 0) {
      // Most text is ASCII: eight octets at a time.
      while (i + 8 <= piece.size()) {
        uint64_t block;
        std::memcpy(&block, piece.data() + i, sizeof(block));
        if ((block & 0x8080808080808080u) != 0) break;
        i += 8;
      }
      if (i == piece.size()) break;
    }
    const auto octet = static_cast<uint8_t>(piece[i++]);
    if (remaining_ > 0) {
      if (octet < low_ || octet > high_) return ok_ = false;
      low_ = 0x80;
      high_ = 0xbf;
      --remaining_;
    } else if (octet < 0x80) {
      continue;
    } else if (octet >= 0xc2 && octet <= 0xdf) {
      remaining_ = 1;
    } else if (octet >= 0xe0 && octet <= 0xef) {
      remaining_ = 2;
      if (octet == 0xe0) low_ = 0xa0;
      if (octet == 0xed) high_ = 0x9f;
    } else if (octet >= 0xf0 && octet <= 0xf4) {
      remaining_ = 3;
      if (octet == 0xf0) low_ = 0x90;
      if (octet == 0xf4) high_ = 0x8f;
    } else {
      return ok_ = false;
    }
  }
  return true;
}

bool IsValidUtf8(std::string_view text) {
  Utf8Validator validator;
  return validator.Feed(text) && validator.complete();
}

}  // namespace framewall
