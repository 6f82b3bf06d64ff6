#include "waf/md5.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace framewall::waf {
namespace {

using Digest = std::array<std::uint32_t, 4>;

// RFC 1321, 3.4: the sines of 1 to 64 radians.
const std::array<std::uint32_t, 64>& Sines() {
  static const auto kSines = [] {
    std::array<std::uint32_t, 64> sines{};
    for (std::size_t i = 0; i < sines.size(); ++i) {
      sines[i] = static_cast<std::uint32_t>(
          std::floor(std::fabs(std::sin(static_cast<double>(i + 1))) * 4294967296.0));
    }
    return sines;
  }();
  return kSines;
}

void AddBlock(Digest& digest, const unsigned char* block) {
  static constexpr int kShifts[4][4] = {
      {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
  std::array<std::uint32_t, 16> words{};
  for (std::size_t i = 0; i < 16; ++i) {
    words[i] = static_cast<std::uint32_t>(block[4 * i]) |
               static_cast<std::uint32_t>(block[4 * i + 1]) << 8 |
               static_cast<std::uint32_t>(block[4 * i + 2]) << 16 |
               static_cast<std::uint32_t>(block[4 * i + 3]) << 24;
  }
  auto [a, b, c, d] = digest;
  for (std::size_t i = 0; i < 64; ++i) {
    const std::size_t round = i / 16;
    std::uint32_t mix = 0;
    std::size_t word = 0;
    switch (round) {
      case 0:
        mix = (b & c) | (~b & d);
        word = i;
        break;
      case 1:
        mix = (d & b) | (~d & c);
        word = (5 * i + 1) % 16;
        break;
      case 2:
        mix = b ^ c ^ d;
        word = (3 * i + 5) % 16;
        break;
      default:
        mix = c ^ (b | ~d);
        word = (7 * i) % 16;
    }
    const std::uint32_t sum = a + mix + Sines()[i] + words[word];
    a = d;
    d = c;
    c = b;
    b += std::rotl(sum, kShifts[round][i % 4]);
  }
  digest[0] += a;
  digest[1] += b;
  digest[2] += c;
  digest[3] += d;
}

}  // namespace

std::string Md5Hex(std::string_view data) {
  Digest digest = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  const auto* bytes = reinterpret_cast<const unsigned char*>(data.data());
  std::size_t done = 0;
  for (; data.size() - done >= 64; done += 64) AddBlock(digest, bytes + done);

  std::array<unsigned char, 128> tail{};
  const std::size_t left = data.size() - done;
  for (std::size_t i = 0; i < left; ++i) tail[i] = bytes[done + i];
  tail[left] = 0x80;
  const std::size_t tail_size = left < 56 ? 64 : 128;
  const std::uint64_t bits = std::uint64_t{data.size()} * 8;
  for (std::size_t i = 0; i < 8; ++i) {
    tail[tail_size - 8 + i] = static_cast<unsigned char>(bits >> (8 * i));
  }
  AddBlock(digest, tail.data());
  if (tail_size == 128) AddBlock(digest, tail.data() + 64);

  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (std::uint32_t word : digest) {
    for (int i = 0; i < 4; ++i, word >>= 8) {
      text += kHex[(word >> 4) & 15];
      text += kHex[word & 15];
    }
  }
  return text;
}

}  // namespace framewall::waf
