// Frames: the splits do not matter, memory follows what arrived, and what a reader gives a writer
// can send so that the other end reads the same. Octet 0 chooses the role and what is negotiated,
// octet 1 the limits, octet 2 the size of the pieces.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/check.h"
#include "proxy/base/utf8.h"
#include "proxy/ws/message_reader.h"
#include "proxy/ws/message_writer.h"

namespace framewall::ws {
namespace {

struct Seen {
  ReadEvent event;
  Opcode opcode = Opcode::kText;
  std::string payload;
  uint16_t code = 0;
  ViolationKind kind = ViolationKind::kProtocol;
  uint64_t wire_size = 0;
  uint32_t fragments = 0;
  bool operator==(const Seen&) const = default;
};

Seen See(MessageReader& reader, ReadEvent event, const ReaderOptions& options) {
  Seen seen{.event = event};
  switch (event) {
    case ReadEvent::kMessage:
      seen.opcode = reader.message_opcode();
      seen.payload = reader.payload();
      seen.wire_size = reader.wire_size();
      seen.fragments = reader.fragments();
      FW_CHECK(seen.payload.size() <= options.max_message);
      FW_CHECK(seen.fragments > 0 && seen.fragments <= options.max_fragments);
      FW_CHECK(seen.opcode != Opcode::kText || IsValidUtf8(seen.payload));
      FW_CHECK(reader.compressed() || seen.wire_size == seen.payload.size());
      break;
    case ReadEvent::kPing:
    case ReadEvent::kPong:
      seen.payload = reader.control_payload();
      FW_CHECK(seen.payload.size() <= kMaxControlPayload);
      break;
    case ReadEvent::kClose:
      seen.payload = reader.close_reason();
      seen.code = reader.close_code();
      FW_CHECK(seen.code == 1005 || IsLegalOnWire(seen.code));
      FW_CHECK(IsValidUtf8(seen.payload));
      break;
    case ReadEvent::kViolation:
      seen.kind = reader.violation().kind;
      seen.code = static_cast<uint16_t>(reader.violation().close_code);
      FW_CHECK(IsLegalOnWire(seen.code));
      break;
    case ReadEvent::kNeedMore:
      break;
  }
  return seen;
}

std::vector<Seen> ReadAll(std::string_view octets, size_t step, const ReaderOptions& options) {
  ZlibPool pool;
  MessageReader reader(options, &pool);
  std::vector<Seen> all;
  size_t arrived = 0;
  while (!octets.empty()) {
    const size_t size = std::min(step, octets.size());
    const std::unique_ptr<char[]> copy(new char[size]);
    octets.copy(copy.get(), size);
    octets.remove_prefix(size);
    arrived += size;
    ByteView input(copy.get(), size);
    for (;;) {
      const ReadEvent event = reader.Read(&input);
      if (event == ReadEvent::kNeedMore) break;
      all.push_back(See(reader, event, options));
    }
    FW_CHECK(input.empty());
    // Doubling for strings; DEFLATE makes at most 1032 octets of one.
    const size_t most = options.deflate ? kInflateStateOctets + 2 * 1032 * arrived : 2 * arrived;
    FW_CHECK(reader.held() <= most + 32);
    FW_CHECK(!reader.ended() || reader.held() == 0);
    FW_CHECK(!reader.between_messages() || reader.held() == 0);
  }
  all.push_back({.event = ReadEvent::kNeedMore, .code = reader.between_messages()});
  return all;
}

// Sent on by a relay: the other end sees the same messages.
void SendOn(const std::vector<Seen>& all, const ReaderOptions& options) {
  ZlibPool pool;
  const Role role = options.role == Role::kServer ? Role::kClient : Role::kServer;
  MessageWriter writer({.role = role, .deflate = options.deflate, .min_deflate_size = 16}, &pool);
  std::string out;
  std::vector<Seen> sent;
  for (const Seen& seen : all) {
    if (seen.event == ReadEvent::kMessage) {
      writer.WriteMessage(seen.opcode, seen.payload, out);
    } else if (seen.event == ReadEvent::kPing) {
      writer.WritePing(seen.payload, out);
    } else if (seen.event == ReadEvent::kPong) {
      writer.WritePong(seen.payload, out);
    } else if (seen.event == ReadEvent::kClose) {
      writer.WriteClose(seen.code, seen.payload, out);
    } else {
      continue;
    }
    sent.push_back(seen);
  }
  const ReaderOptions wide{.role = options.role, .deflate = options.deflate};
  std::vector<Seen> again = ReadAll(out, std::string_view::npos, wide);
  again.pop_back();
  FW_CHECK(again.size() == sent.size());
  for (size_t i = 0; i < sent.size(); ++i) {
    FW_CHECK(again[i].event == sent[i].event && again[i].opcode == sent[i].opcode &&
             again[i].payload == sent[i].payload && again[i].code == sent[i].code);
  }
}

ReaderOptions Options(uint8_t what, uint8_t limits) {
  ReaderOptions options;
  options.role = (what & 1) != 0 ? Role::kServer : Role::kClient;
  if ((what & 2) != 0) {
    const bool no_takeover = (what & 4) != 0;
    const int bits = (what & 8) != 0 ? 9 : 15;
    options.deflate = DeflateParams{no_takeover, no_takeover, bits, bits};
  }
  options.text_allowed = (what & 0x30) != 0x10;
  options.binary_allowed = (what & 0x30) != 0x20;
  options.allow_text_null = (what & 0x40) == 0;
  options.max_message = (limits & 1) != 0 ? 100 : 1 << 17;
  options.max_frame = (limits & 2) != 0 ? 60 : 1 << 17;
  options.max_fragments = (limits & 4) != 0 ? 3 : 1000;
  options.max_control = (limits & 8) != 0 ? 20 : 125;
  options.max_inflate_ratio = (limits & 16) != 0 ? 10 : 0;
  return options;
}

}  // namespace
}  // namespace framewall::ws

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace framewall::ws;
  if (size < 3) return 0;
  const ReaderOptions options = Options(data[0], data[1]);
  const std::string_view octets(reinterpret_cast<const char*>(data) + 3, size - 3);
  const auto whole = ReadAll(octets, std::string_view::npos, options);
  FW_CHECK(ReadAll(octets, data[2] % 64 + 1u, options) == whole);
  FW_CHECK(ReadAll(octets, 1, options) == whole);
  SendOn(whole, options);
  return 0;
}
