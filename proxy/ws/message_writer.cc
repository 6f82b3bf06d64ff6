#include "proxy/ws/message_writer.h"

#include "proxy/base/check.h"

namespace framewall::ws {
namespace {

constexpr size_t kMaxCloseReason = kMaxControlPayload - 2;

// At most `size` octets of UTF-8, without a character cut in two.
ByteView CutText(ByteView text, size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (ByteAt(text, size) & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

}  // namespace

MessageWriter::MessageWriter(const WriterOptions& options, ZlibPool* pool)
    : role_(options.role), min_deflate_size_(options.min_deflate_size) {
  if (!options.deflate) return;
  deflater_ = std::make_unique<Deflater>(SideOf(*options.deflate, role_), options.effort, pool);
  if (!deflater_->CanDeflate()) deflater_.reset();
}

FrameHead MessageWriter::PrepareMessage(Opcode opcode, std::string& payload) {
  FW_CHECK(opcode == Opcode::kText || opcode == Opcode::kBinary);
  FrameHeader header{.opcode = opcode};
  std::string deflated;
  if (Compress(payload, deflated)) {
    header.rsv1 = true;
    payload.swap(deflated);
  }
  header.length = payload.size();
  if (role_ == Role::kClient) {
    header.masked = true;
    header.mask = NewMaskKey();
    ApplyMask(payload.data(), payload.size(), header.mask);
  }
  return FrameHead(header);
}

void MessageWriter::WriteMessage(Opcode opcode, ByteView payload, std::string& out) {
  FW_CHECK(opcode == Opcode::kText || opcode == Opcode::kBinary);
  std::string deflated;
  if (Compress(payload, deflated)) {
    WriteFrame({.rsv1 = true, .opcode = opcode}, deflated, out);
  } else {
    WriteFrame({.opcode = opcode}, payload, out);
  }
}

void MessageWriter::WritePing(ByteView payload, std::string& out) {
  WriteControl(Opcode::kPing, payload, out);
}

void MessageWriter::WritePong(ByteView payload, std::string& out) {
  WriteControl(Opcode::kPong, payload, out);
}

void MessageWriter::WriteClose(uint16_t code, ByteView reason, std::string& out) {
  if (code == static_cast<uint16_t>(CloseCode::kNoStatus)) {
    WriteControl(Opcode::kClose, {}, out);
    return;
  }
  FW_CHECK(IsLegalOnWire(code));
  std::array<char, kMaxControlPayload> payload;
  WriteBig16(payload.data(), code);
  reason = CutText(reason, kMaxCloseReason);
  reason.copy(payload.data() + 2, reason.size());
  WriteControl(Opcode::kClose, {payload.data(), 2 + reason.size()}, out);
}

bool MessageWriter::Compress(ByteView payload, std::string& deflated) {
  if (!deflater_ || payload.empty() || payload.size() < min_deflate_size_) return false;
  deflater_->Deflate(payload, deflated);
  // With context takeover the other end must see all that our window has.
  return deflater_->context_takeover() || deflated.size() < payload.size();
}

void MessageWriter::WriteControl(Opcode opcode, ByteView payload, std::string& out) {
  FW_CHECK(payload.size() <= kMaxControlPayload);
  WriteFrame({.opcode = opcode}, payload, out);
}

void MessageWriter::WriteFrame(FrameHeader header, ByteView payload, std::string& out) {
  header.length = payload.size();
  if (role_ == Role::kClient) {
    header.masked = true;
    header.mask = NewMaskKey();
  }
  out.append(FrameHead(header).view());
  if (!header.masked) {
    out.append(payload);
    return;
  }
  const size_t from = out.size();
  out.resize(from + payload.size());
  CopyMasked(out.data() + from, payload.data(), payload.size(), header.mask);
}

}  // namespace framewall::ws
