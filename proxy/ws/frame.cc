#include "proxy/ws/frame.h"

#include <cstring>

namespace framewall::ws {
namespace {

// Octet 0: FIN, RSV1-3, opcode. Octet 1: MASK and seven bits of length.
constexpr uint8_t kFin = 0x80;
constexpr uint8_t kRsv1 = 0x40;
constexpr uint8_t kRsv2 = 0x20;
constexpr uint8_t kRsv3 = 0x10;
constexpr uint8_t kOpcodeBits = 0x0f;
constexpr uint8_t kMasked = 0x80;
constexpr uint8_t kLengthBits = 0x7f;
constexpr uint8_t kLength16 = 126;
constexpr uint8_t kLength64 = 127;

constexpr uint64_t kLongestIn7 = 125;
constexpr uint64_t kLongestIn16 = 0xffff;

size_t ExtendedLengthSize(uint8_t length_code) {
  if (length_code == kLength16) return 2;
  if (length_code == kLength64) return 8;
  return 0;
}

uint8_t LengthCodeFor(uint64_t length) {
  if (length <= kLongestIn7) return static_cast<uint8_t>(length);
  return length <= kLongestIn16 ? kLength16 : kLength64;
}

}  // namespace

bool IsKnownOpcode(Opcode opcode) {
  switch (opcode) {
    case Opcode::kContinuation:
    case Opcode::kText:
    case Opcode::kBinary:
    case Opcode::kClose:
    case Opcode::kPing:
    case Opcode::kPong:
      return true;
  }
  return false;
}

std::string_view OpcodeName(Opcode opcode) {
  switch (opcode) {
    case Opcode::kContinuation:
      return "continuation";
    case Opcode::kText:
      return "text";
    case Opcode::kBinary:
      return "binary";
    case Opcode::kClose:
      return "close";
    case Opcode::kPing:
      return "ping";
    case Opcode::kPong:
      return "pong";
  }
  return "reserved";
}

HeaderReach DecodeFrameHeader(ByteView bytes, FrameHeader* header, size_t* size) {
  *size = 0;
  if (bytes.empty()) return HeaderReach::kNothing;
  const uint8_t first = ByteAt(bytes, 0);
  header->fin = (first & kFin) != 0;
  header->rsv1 = (first & kRsv1) != 0;
  header->rsv2 = (first & kRsv2) != 0;
  header->rsv3 = (first & kRsv3) != 0;
  header->opcode = static_cast<Opcode>(first & kOpcodeBits);

  if (bytes.size() < 2) return HeaderReach::kOpcode;
  const uint8_t second = ByteAt(bytes, 1);
  header->masked = (second & kMasked) != 0;
  header->length_code = second & kLengthBits;

  const size_t mask_at = 2 + ExtendedLengthSize(header->length_code);
  if (bytes.size() < mask_at) return HeaderReach::kLengthCode;
  if (header->length_code == kLength16) {
    header->length = ReadBig16(bytes.substr(2));
  } else if (header->length_code == kLength64) {
    header->length = ReadBig64(bytes.substr(2));
  } else {
    header->length = header->length_code;
  }

  const size_t end = mask_at + (header->masked ? sizeof(MaskKey) : 0);
  if (bytes.size() < end) return HeaderReach::kLength;
  header->mask = {};
  if (header->masked) std::memcpy(header->mask.data(), bytes.data() + mask_at, sizeof(MaskKey));
  *size = end;
  return HeaderReach::kAll;
}

bool HasOddLength(const FrameHeader& header) {
  return header.length_code != LengthCodeFor(header.length) || header.length >> 63 != 0;
}

size_t EncodeFrameHeader(const FrameHeader& header, char* out) {
  const uint8_t length_code = LengthCodeFor(header.length);
  out[0] = static_cast<char>((header.fin ? kFin : 0) | (header.rsv1 ? kRsv1 : 0) |
                             (header.rsv2 ? kRsv2 : 0) | (header.rsv3 ? kRsv3 : 0) |
                             static_cast<uint8_t>(header.opcode));
  out[1] = static_cast<char>((header.masked ? kMasked : 0) | length_code);
  size_t size = 2;
  if (length_code == kLength16) {
    WriteBig16(out + size, static_cast<uint16_t>(header.length));
  } else if (length_code == kLength64) {
    WriteBig64(out + size, header.length);
  }
  size += ExtendedLengthSize(length_code);
  if (header.masked) {
    std::memcpy(out + size, header.mask.data(), sizeof(MaskKey));
    size += sizeof(MaskKey);
  }
  return size;
}

}  // namespace framewall::ws
