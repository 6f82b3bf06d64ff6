#include "backend/base/id.h"

#include <chrono>

#include "proxy/base/digest.h"
#include "proxy/base/encoding.h"

namespace framewall::backend {
namespace {

bool IsHyphenPlace(size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

}  // namespace

std::string NewId() {
  std::string octets = RandomBytes(16);
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  for (size_t i = 0; i < 6; ++i) {
    octets[i] = static_cast<char>(static_cast<uint64_t>(now) >> (40 - 8 * i) & 0xFF);
  }
  octets[6] = static_cast<char>((octets[6] & 0x0F) | 0x70);
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
