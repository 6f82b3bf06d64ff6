#include "proxy/redis/key_slot.h"

#include <array>

namespace framewall::redis {
namespace {

constexpr std::array<uint16_t, 256> MakeTable() {
  std::array<uint16_t, 256> table{};
  for (unsigned i = 0; i < 256; ++i) {
    unsigned value = i << 8;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value & 0x8000) != 0 ? (value << 1) ^ 0x1021 : value << 1;
    }
    table[i] = static_cast<uint16_t>(value & 0xffff);
  }
  return table;
}
constexpr std::array<uint16_t, 256> kTable = MakeTable();

}  // namespace

int KeySlot(std::string_view key) {
  const size_t open = key.find('{');
  if (open != key.npos) {
    const size_t close = key.find('}', open + 1);
    if (close != key.npos && close > open + 1) key = key.substr(open + 1, close - open - 1);
  }
  unsigned crc = 0;
  for (const char c : key) {
    crc = ((crc << 8) & 0xffff) ^ kTable[((crc >> 8) ^ static_cast<uint8_t>(c)) & 0xff];
  }
  return static_cast<int>(crc % kSlotCount);
}

}  // namespace framewall::redis
