// Messages and control frames out (RFC 6455 5, RFC 7692): one frame a message, the shortest
// lengths, a fresh mask each where we are the client. No I/O.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "proxy/base/bytes.h"
#include "proxy/ws/close_code.h"
#include "proxy/ws/deflate.h"
#include "proxy/ws/frame.h"
#include "proxy/ws/zlib_pool.h"

namespace framewall::ws {

struct WriterOptions {
  Role role = Role::kServer;             // ours
  std::optional<DeflateParams> deflate;  // as negotiated on this connection
  DeflateEffort effort;
  size_t min_deflate_size = 1024;  // shorter messages are not compressed
};

// The octets before a frame's payload.
class FrameHead {
 public:
  explicit FrameHead(const FrameHeader& header)
      : size_(static_cast<uint8_t>(EncodeFrameHeader(header, octets_.data()))) {}
  ByteView view() const { return {octets_.data(), size_}; }

 private:
  std::array<char, kMaxFrameHeader> octets_;
  uint8_t size_;
};

class MessageWriter {
 public:
  // `pool` outlives us; it may be null where nothing is deflated.
  MessageWriter(const WriterOptions& options, ZlibPool* pool);

  // Without a copy: makes `payload` what follows the returned head on the wire (compressed where
  // that is agreed and pays, masked in place where we are the client). The two are written in this
  // order, as in stream.Write({head.view(), payload}). Requires: kText or kBinary.
  FrameHead PrepareMessage(Opcode opcode, std::string& payload);
  // Appends a message to `out`. Requires: kText or kBinary.
  void WriteMessage(Opcode opcode, ByteView payload, std::string& out);

  // Requires: at most kMaxControlPayload octets.
  void WritePing(ByteView payload, std::string& out);
  void WritePong(ByteView payload, std::string& out);
  // The reason is cut to 123 octets, never within a character. CloseCode::kNoStatus: a Close frame
  // without payload. Requires: else `code` is legal on the wire; `reason` is UTF-8.
  void WriteClose(uint16_t code, ByteView reason, std::string& out);
  void WriteClose(CloseCode code, ByteView reason, std::string& out) {
    WriteClose(static_cast<uint16_t>(code), reason, out);
  }

 private:
  // Into `deflated`; false where the message goes uncompressed.
  bool Compress(ByteView payload, std::string& deflated);
  void WriteFrame(FrameHeader header, ByteView payload, std::string& out);
  void WriteControl(Opcode opcode, ByteView payload, std::string& out);

  Role role_;
  size_t min_deflate_size_;
  std::unique_ptr<Deflater> deflater_;  // null where nothing is deflated
};

}  // namespace framewall::ws
