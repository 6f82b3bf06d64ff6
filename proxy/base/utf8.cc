#include "proxy/base/utf8.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <cstddef>
#include <cstring>

namespace framewall {
namespace {

#if defined(__SSE2__)

constexpr size_t kBlock = 16;
constexpr uint32_t kAll = 0xffff;

// What a block says about the octets behind it, as masks that begin with the next block's octet 0.
struct Carry {
  uint32_t due = 0;  // must be continuations
  // The octet behind one of these has narrower bounds (RFC 3629 4).
  uint32_t after_e0 = 0;
  uint32_t after_ed = 0;
  uint32_t after_f0 = 0;
  uint32_t after_f4 = 0;
};

// One bit an octet: is it below `limit`? Requires: limit is 0x80 or more. ASCII never is, because
// the comparison is signed.
uint32_t Below(__m128i block, uint8_t limit) {
  const __m128i limits = _mm_set1_epi8(static_cast<char>(limit));
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmplt_epi8(block, limits)));
}
uint32_t Equal(__m128i block, uint8_t octet) {
  const __m128i octets = _mm_set1_epi8(static_cast<char>(octet));
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(block, octets)));
}

// Bounds of first continuations: they keep out overlong forms (E0, F0), surrogates (ED) and what
// lies above U+10FFFF (F4).
bool SecondOctetsFit(__m128i block, const Carry& before, Carry* after) {
  const uint32_t below_90 = Below(block, 0x90);
  const uint32_t below_a0 = Below(block, 0xa0);
  const uint32_t after_e0 = Equal(block, 0xe0) << 1 | before.after_e0;
  const uint32_t after_ed = Equal(block, 0xed) << 1 | before.after_ed;
  const uint32_t after_f0 = Equal(block, 0xf0) << 1 | before.after_f0;
  const uint32_t after_f4 = Equal(block, 0xf4) << 1 | before.after_f4;
  after->after_e0 = after_e0 >> kBlock;
  after->after_ed = after_ed >> kBlock;
  after->after_f0 = after_f0 >> kBlock;
  after->after_f4 = after_f4 >> kBlock;
  const uint32_t odd = (after_e0 & below_a0) | (after_ed & ~below_a0) | (after_f0 & below_90) |
                       (after_f4 & ~below_90);
  return (odd & kAll) == 0;
}

bool IsValidBlock(__m128i block, Carry* carry) {
  const uint32_t high = static_cast<uint32_t>(_mm_movemask_epi8(block));
  const Carry before = *carry;
  *carry = {};
  if (high == 0) return before.due == 0;

  const uint32_t below_c0 = Below(block, 0xc0);
  const uint32_t below_e0 = Below(block, 0xe0);
  const uint32_t below_f5 = Below(block, 0xf5);
  const uint32_t never = (Below(block, 0xc2) ^ below_c0) | (high ^ below_f5);  // C0 C1, F5..FF
  const uint32_t begin_two = below_c0 ^ below_f5;  // C2..F4: two octets or more
  const uint32_t begin_three = below_e0 ^ below_f5;
  const uint32_t begin_four = Below(block, 0xf0) ^ below_f5;
  const uint32_t due = begin_two << 1 | begin_three << 2 | begin_four << 3 | before.due;
  carry->due = due >> kBlock;
  if (never != 0 || below_c0 != (due & kAll)) return false;
  if (begin_three == 0 && before.due == 0) return true;
  return SecondOctetsFit(block, before, carry);
}

// How many octets from the front are whole, valid characters, as far as blocks tell: what follows
// is short, or wrong.
size_t ValidPrefix(std::string_view text) {
  Carry carry;
  for (size_t at = 0;; at += kBlock) {
    const size_t left = text.size() - at;
    __m128i block = _mm_setzero_si128();
    if (left >= kBlock) {
      block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    } else if (left > 0) {
      // Filled up with ASCII: a character without its end is not valid then.
      std::memcpy(&block, text.data() + at, left);
    }
    Carry after = carry;
    if (IsValidBlock(block, &after)) {
      if (left < kBlock) return text.size();
      carry = after;
      continue;
    }
    // Back to where the character begins that the block before left open.
    if (carry.due != 0) {
      do --at;
      while ((static_cast<uint8_t>(text[at]) & 0xc0) == 0x80);
    }
    return at;
  }
}

#else

// Most text is ASCII: eight octets at a time.
size_t ValidPrefix(std::string_view text) {
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t block;
    std::memcpy(&block, text.data() + at, sizeof(block));
    if ((block & 0x8080808080808080u) != 0) break;
  }
  return at;
}

#endif

}  // namespace

// Between octets the state is: how many continuation octets are still due, and what the next one
// may be. Whole characters in a row need no state and are skipped first.
bool Utf8Validator::Feed(std::string_view piece) {
  if (!ok_) return false;
  size_t i = 0;
  while (remaining_ > 0 && i < piece.size()) {
    if (!FeedOctet(static_cast<uint8_t>(piece[i++]))) return ok_ = false;
  }
  for (i += ValidPrefix(piece.substr(i)); i < piece.size(); ++i) {
    if (!FeedOctet(static_cast<uint8_t>(piece[i]))) return ok_ = false;
  }
  return true;
}

bool Utf8Validator::FeedOctet(uint8_t octet) {
  if (remaining_ > 0) {
    if (octet < low_ || octet > high_) return false;
    low_ = 0x80;
    high_ = 0xbf;
    --remaining_;
  } else if (octet < 0x80) {
    return true;
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
    return false;
  }
  return true;
}

bool IsValidUtf8(std::string_view text) {
  Utf8Validator validator;
  return validator.Feed(text) && validator.complete();
}

}  // namespace framewall
