// The frame (RFC 6455 5.2): its header, decoded from any number of octets, and encoded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/base/bytes.h"
#include "proxy/ws/mask.h"

namespace framewall::ws {

// Which end of the connection we are. A client masks what it sends and nothing else is masked.
enum class Role : uint8_t { kServer, kClient };

enum class Opcode : uint8_t {
  kContinuation = 0x0,
  kText = 0x1,
  kBinary = 0x2,
  kClose = 0x8,
  kPing = 0x9,
  kPong = 0xa,
};

// RFC 6455 5.2 reserves all others.
bool IsKnownOpcode(Opcode opcode);
constexpr bool IsControl(Opcode opcode) { return (static_cast<uint8_t>(opcode) & 0x8) != 0; }
// "text", "ping"; "reserved" for what no RFC defines.
std::string_view OpcodeName(Opcode opcode);

inline constexpr size_t kMaxFrameHeader = 14;
// RFC 6455 5.5: the longest payload of a control frame.
inline constexpr size_t kMaxControlPayload = 125;

struct FrameHeader {
  bool fin = true;
  bool rsv1 = false;  // RFC 7692: the message is compressed
  bool rsv2 = false;
  bool rsv3 = false;
  Opcode opcode = Opcode::kText;  // as it came, also a reserved one
  bool masked = false;
  uint8_t length_code = 0;  // the seven bits; 126 and 127 announce 16 and 64 bits
  uint64_t length = 0;
  MaskKey mask{};  // zero where not masked
};

// How far octets reach into a header; each step includes those before it.
enum class HeaderReach : uint8_t {
  kNothing,
  kOpcode,      // fin, rsv1-3, opcode
  kLengthCode,  // masked, length_code
  kLength,      // length
  kAll,         // mask, if there is one
};

// Fills in what `bytes` reach. For kAll `*size` is the header's own size, else it is 0. Judges
// nothing: that is the reader's business.
HeaderReach DecodeFrameHeader(ByteView bytes, FrameHeader* header, size_t* size);

// The seven bits announce fewer octets of length than were used (RFC 6455 5.2 wants the shortest
// form), or the top bit of 64 is set. Requires: the length is decoded.
bool HasOddLength(const FrameHeader& header);

// Writes the header with the shortest form of length; `length_code` is not looked at. Returns its
// size. `out` has room for kMaxFrameHeader octets.
size_t EncodeFrameHeader(const FrameHeader& header, char* out);

}  // namespace framewall::ws
