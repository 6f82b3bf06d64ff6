#include "backend/base/id.h"

#include <algorithm>
#include <atomic>
#include <chrono>

#include "proxy/base/digest.h"
#include "proxy/base/encoding.h"

namespace framewall::backend {
namespace {

bool IsHyphenPlace(size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

// Milliseconds and a count within one, 48 and 12 bits (RFC 9562 6.2, method 1): never the same
// twice, and never backwards, in any thread.
uint64_t NextTick() {
  static std::atomic<uint64_t> last = 0;
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  uint64_t before = last.load(std::memory_order_relaxed);
  uint64_t next = 0;
  do {
    next = std::max(static_cast<uint64_t>(now) << 12, before + 1);
  } while (!last.compare_exchange_weak(before, next, std::memory_order_relaxed));
  return next;
}

}  // namespace

std::string NewId() {
  std::string octets = RandomBytes(16);
  const uint64_t tick = NextTick();
  for (size_t i = 0; i < 6; ++i) octets[i] = static_cast<char>(tick >> (52 - 8 * i) & 0xFF);
  octets[6] = static_cast<char>(0x70 | (tick >> 8 & 0x0F));
  octets[7] = static_cast<char>(tick & 0xFF);
  octets[8] = static_cast<char>((octets[8] & 0x3F) | 0x80);
  std::string text = HexEncode(octets);
  for (const size_t place : {8, 13, 18, 23}) text.insert(place, 1, '-');
  return text;
}

bool IsId(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (IsHyphenPlace(i) ? c != '-' : !is_hex) return false;
  }
  return text[14] == '7';
}

}  // namespace framewall::backend
