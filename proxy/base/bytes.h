// Byte views. Text and bytes are both `char` here: HTTP is octets that look like text.
#pragma once

#include <cstdint>
#include <string_view>

namespace framewall {

// Bytes that belong to somebody else, valid as long as that owner says.
using ByteView = std::string_view;

inline uint8_t ByteAt(ByteView bytes, size_t index) { return static_cast<uint8_t>(bytes[index]); }

// Big-endian reads. Requires: `bytes` holds as many octets as are read.
inline uint16_t ReadBig16(ByteView bytes) {
  return static_cast<uint16_t>((ByteAt(bytes, 0) << 8) | ByteAt(bytes, 1));
}
inline uint32_t ReadBig32(ByteView bytes) {
  return (uint32_t{ByteAt(bytes, 0)} << 24) | (uint32_t{ByteAt(bytes, 1)} << 16) |
         (uint32_t{ByteAt(bytes, 2)} << 8) | uint32_t{ByteAt(bytes, 3)};
}
inline uint64_t ReadBig64(ByteView bytes) {
  return (uint64_t{ReadBig32(bytes)} << 32) | ReadBig32(bytes.substr(4));
}

// Big-endian writes to `out`, which has room.
inline void WriteBig16(char* out, uint16_t value) {
  out[0] = static_cast<char>(value >> 8);
  out[1] = static_cast<char>(value & 0xff);
}
inline void WriteBig32(char* out, uint32_t value) {
  WriteBig16(out, static_cast<uint16_t>(value >> 16));
  WriteBig16(out + 2, static_cast<uint16_t>(value & 0xffff));
}
inline void WriteBig64(char* out, uint64_t value) {
  WriteBig32(out, static_cast<uint32_t>(value >> 32));
  WriteBig32(out + 4, static_cast<uint32_t>(value & 0xffffffff));
}

}  // namespace framewall
