// WebSocket frames for tests, octet by octet (RFC 6455 5.2, RFC 7692 7.2): made and read by rules
// of their own, not by proxy/ws.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace framewall::test {

inline constexpr uint8_t kOpContinuation = 0;
inline constexpr uint8_t kOpText = 1;
inline constexpr uint8_t kOpBinary = 2;
inline constexpr uint8_t kOpClose = 8;
inline constexpr uint8_t kOpPing = 9;
inline constexpr uint8_t kOpPong = 10;

struct WebSocketFrame {
  uint8_t opcode = kOpText;
  std::string payload;  // unmasked
  bool fin = true;
  uint8_t reserved = 0;  // RSV1 is 4, RSV2 2, RSV3 1
  bool masked = false;
  std::string mask;  // of a frame that was read
  // For Encode: the length to declare instead of the payload's.
  std::optional<uint64_t> declared;
  // For Encode: 16 or 64 bits of length where fewer would do.
  int length_bits = 0;
};

std::string Encode(const WebSocketFrame& frame);
// A masked frame, as clients send it.
std::string ClientFrame(uint8_t opcode, std::string_view payload, bool fin = true,
                        uint8_t reserved = 0);
// An unmasked one.
std::string ServerFrame(uint8_t opcode, std::string_view payload, bool fin = true,
                        uint8_t reserved = 0);
// Payload of a Close frame.
std::string CloseBody(uint16_t code, std::string_view reason = "");

// The first frame of `octets`, taken off their front; none where it is not complete.
std::optional<WebSocketFrame> TakeFrame(std::string& octets);

// Sec-WebSocket-Accept that answers `key`.
std::string WebSocketAccept(const std::string& key);

// permessage-deflate of one direction, over zlib. With takeover the window stays.
class Deflater {
 public:
  explicit Deflater(bool takeover, int window_bits = 15);
  ~Deflater();
  std::string Message(std::string_view text);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class Undeflater {
 public:
  explicit Undeflater(bool takeover);
  ~Undeflater();
  // None where it is no DEFLATE.
  std::optional<std::string> Message(std::string_view octets);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace framewall::test
