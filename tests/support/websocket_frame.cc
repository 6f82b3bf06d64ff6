#include "tests/support/websocket_frame.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <zlib.h>

#include <array>
#include <cstdlib>

namespace framewall::test {
namespace {

uint8_t Octet(char c) { return static_cast<uint8_t>(c); }

void PutNumber(std::string& out, uint64_t number, int octets) {
  for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) {
    out += static_cast<char>(number >> shift & 0xff);
  }
}

uint64_t GetNumber(std::string_view octets) {
  uint64_t number = 0;
  for (const char c : octets) number = number << 8 | Octet(c);
  return number;
}

void Apply(std::string& payload, const std::array<char, 4>& mask) {
  for (size_t i = 0; i < payload.size(); ++i) {
    payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
  }
}

// Another one for each frame, and the same ones in each run.
std::array<char, 4> NextMask() {
  static thread_local uint32_t state = 0x9e3779b9;
  state = state * 1664525 + 1013904223;
  return {static_cast<char>(state >> 24), static_cast<char>(state >> 16),
          static_cast<char>(state >> 8), static_cast<char>(state | 1)};
}

}  // namespace

std::string Encode(const WebSocketFrame& frame) {
  std::string out;
  out += static_cast<char>((frame.fin ? 0x80 : 0) | frame.reserved << 4 | frame.opcode);
  const uint64_t length = frame.declared.value_or(frame.payload.size());
  const uint8_t mask_bit = frame.masked ? 0x80 : 0;
  if (length > 0xffff || frame.length_bits == 64) {
    out += static_cast<char>(mask_bit | 127);
    PutNumber(out, length, 8);
  } else if (length > 125 || frame.length_bits == 16) {
    out += static_cast<char>(mask_bit | 126);
    PutNumber(out, length, 2);
  } else {
    out += static_cast<char>(mask_bit | length);
  }
  std::string payload = frame.payload;
  if (frame.masked) {
    const std::array<char, 4> mask = NextMask();
    out.append(mask.data(), mask.size());
    Apply(payload, mask);
  }
  return out + payload;
}

std::string ClientFrame(uint8_t opcode, std::string_view payload, bool fin, uint8_t reserved) {
  return Encode({.opcode = opcode,
                 .payload = std::string(payload),
                 .fin = fin,
                 .reserved = reserved,
                 .masked = true,
                 .mask = {},
                 .declared = {}});
}

std::string ServerFrame(uint8_t opcode, std::string_view payload, bool fin, uint8_t reserved) {
  return Encode({.opcode = opcode,
                 .payload = std::string(payload),
                 .fin = fin,
                 .reserved = reserved,
                 .mask = {},
                 .declared = {}});
}

std::string CloseBody(uint16_t code, std::string_view reason) {
  std::string body;
  PutNumber(body, code, 2);
  return body.append(reason);
}

std::optional<WebSocketFrame> TakeFrame(std::string& octets) {
  if (octets.size() < 2) return std::nullopt;
  WebSocketFrame frame;
  frame.fin = (Octet(octets[0]) & 0x80) != 0;
  frame.reserved = Octet(octets[0]) >> 4 & 7;
  frame.opcode = Octet(octets[0]) & 15;
  frame.masked = (Octet(octets[1]) & 0x80) != 0;
  uint64_t length = Octet(octets[1]) & 0x7f;
  size_t at = 2;
  if (length >= 126) {
    const size_t width = length == 126 ? 2 : 8;
    if (octets.size() < at + width) return std::nullopt;
    length = GetNumber(std::string_view(octets).substr(at, width));
    at += width;
  }
  std::array<char, 4> mask{};
  if (frame.masked) {
    if (octets.size() < at + 4) return std::nullopt;
    for (char& c : mask) c = octets[at++];
    frame.mask.assign(mask.data(), mask.size());
  }
  if (octets.size() - at < length) return std::nullopt;
  frame.payload = octets.substr(at, length);
  octets.erase(0, at + length);
  Apply(frame.payload, mask);
  return frame;
}

std::string WebSocketAccept(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 32> base64{};
  const int length = EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(digest.size()));
  return {base64.begin(), base64.begin() + length};
}

struct Deflater::State {
  z_stream zlib{};
  bool takeover;
};

Deflater::Deflater(bool takeover, int window_bits) : state_(std::make_unique<State>()) {
  state_->takeover = takeover;
  if (deflateInit2(&state_->zlib, 9, Z_DEFLATED, -window_bits, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    std::abort();
  }
}

Deflater::~Deflater() { deflateEnd(&state_->zlib); }

std::string Deflater::Message(std::string_view text) {
  z_stream& zlib = state_->zlib;
  std::string input(text);
  std::string out(text.size() + text.size() / 8 + 256, '\0');
  zlib.next_in = reinterpret_cast<Bytef*>(input.data());
  zlib.avail_in = static_cast<uInt>(input.size());
  zlib.next_out = reinterpret_cast<Bytef*>(out.data());
  zlib.avail_out = static_cast<uInt>(out.size());
  if (deflate(&zlib, Z_SYNC_FLUSH) != Z_OK || zlib.avail_in != 0) std::abort();
  out.resize(out.size() - zlib.avail_out - 4);  // without 00 00 ff ff
  if (!state_->takeover) deflateReset(&zlib);
  return out;
}

struct Undeflater::State {
  z_stream zlib{};
  bool takeover;
};

Undeflater::Undeflater(bool takeover) : state_(std::make_unique<State>()) {
  state_->takeover = takeover;
  if (inflateInit2(&state_->zlib, -15) != Z_OK) std::abort();
}

Undeflater::~Undeflater() { inflateEnd(&state_->zlib); }

std::optional<std::string> Undeflater::Message(std::string_view octets) {
  z_stream& zlib = state_->zlib;
  std::string input(octets);
  input.append("\0\0\xff\xff", 4);
  zlib.next_in = reinterpret_cast<Bytef*>(input.data());
  zlib.avail_in = static_cast<uInt>(input.size());
  std::string out;
  std::array<char, 16384> piece{};
  do {
    zlib.next_out = reinterpret_cast<Bytef*>(piece.data());
    zlib.avail_out = static_cast<uInt>(piece.size());
    const int result = inflate(&zlib, Z_SYNC_FLUSH);
    if (result != Z_OK && result != Z_BUF_ERROR) return std::nullopt;
    out.append(piece.data(), piece.size() - zlib.avail_out);
  } while (zlib.avail_out == 0 || zlib.avail_in != 0);
  if (!state_->takeover) inflateReset(&zlib);
  return out;
}

}  // namespace framewall::test
