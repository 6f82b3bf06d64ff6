#include "proxy/server/relay_hop.h"

#include <array>
#include <utility>

namespace framewall::server {
namespace {

// Pings above it stay without an answer (RFC 6455 5.5.3 asks for the latest only).
constexpr config::SocketRate kPongs{.per_second = 10, .burst = 20};

}  // namespace

RelayHop::RelayHop(RelayHopEvents& relay, event::Stream& stream, const ws::ReaderOptions& reader,
                   const ws::WriterOptions& writer, ws::ZlibPool* pool)
    : heard(CachedNow().steady),
      sent_before(stream.bytes_sent()),
      received_before(stream.bytes_received()),
      relay_(relay),
      stream_(stream),
      reader_(reader, pool),
      writer_(writer, pool) {}

void RelayHop::Start(ByteView read_before) {
  stream_.SetHandler(this);
  if (!read_before.empty()) OnBytes(read_before);
}

void RelayHop::Detach() {
  if (std::exchange(detached_, true)) return;
  pause_.Release();
  stream_.SetHandler(nullptr);
}

void RelayHop::OnBytes(ByteView bytes) {
  if (detached_) return;
  relay_.OnActivity(*this);
  if (deaf_) return;
  if (!waiting_.empty() || pause_.active()) {
    waiting_.append(bytes);
    return;
  }
  Read(bytes);
}

void RelayHop::Continue() {
  if (detached_ || reading_ || !pause_.active()) return;
  const std::string waiting = std::exchange(waiting_, {});
  pause_.Release();
  Read(waiting);
}

void RelayHop::Keep(ByteView input) {
  waiting_.assign(input);
  if (!pause_.active()) pause_ = stream_.PauseReading();
}

void RelayHop::Read(ByteView input) {
  reading_ = true;
  reader_.BorrowBuffer(relay_.SpareBuffer());
  while (!detached_ && !deaf_ && !input.empty()) {
    if (!reader_.ended() && !relay_.MayRead(*this)) {
      Keep(input);
      break;
    }
    switch (reader_.Read(&input)) {
      case ws::ReadEvent::kNeedMore:
        break;
      case ws::ReadEvent::kMessage:
        ++messages;
        relay_.OnMessage(*this);
        break;
      case ws::ReadEvent::kPing:
        Pong(reader_.control_payload());
        relay_.OnControl(*this);
        break;
      case ws::ReadEvent::kPong:
        relay_.OnControl(*this);  // of this hop alone
        break;
      case ws::ReadEvent::kClose:
        close_received_ = true;
        relay_.OnClose(*this, reader_.close_code(), reader_.close_reason());
        break;
      case ws::ReadEvent::kViolation:
        deaf_ = true;
        relay_.OnViolation(*this);
        break;
    }
  }
  reading_ = false;
  if (detached_) return;
  reader_.ReleaseMessage();
  reader_.ReturnBuffer(relay_.SpareBuffer());
  relay_.OnProgress(*this);
}

void RelayHop::SendMessage(ws::Opcode opcode, std::string& payload) {
  if (detached_ || close_sent_ || gone_) return;
  const ws::FrameHead head = writer_.PrepareMessage(opcode, payload);
  const std::array<ByteView, 2> pieces = {head.view(), ByteView(payload)};
  stream_.Write(pieces);
}

void RelayHop::SendPing() {
  if (detached_ || close_sent_ || gone_) return;
  std::string frame;
  writer_.WritePing({}, frame);
  stream_.Write(frame);
}

void RelayHop::Pong(ByteView payload) {
  if (close_sent_ || gone_ || stream_.congested()) return;
  const SteadyTime now = CachedNow().steady;
  if (pongs_.Wait(kPongs, now).count() > 0) return;
  pongs_.Take(kPongs, 1, now);
  std::string frame;
  writer_.WritePong(payload, frame);
  stream_.Write(frame);
}

void RelayHop::SendClose(uint16_t code, ByteView reason) {
  if (detached_ || gone_ || std::exchange(close_sent_, true)) return;
  std::string frame;
  writer_.WriteClose(code, reason, frame);
  stream_.Write(frame);
}

void RelayHop::OnEnd() {
  if (detached_ || std::exchange(gone_, true)) return;
  relay_.OnGone(*this, nullptr);
}

void RelayHop::OnBroken(const Error& error) {
  if (detached_) return;
  gone_ = true;
  relay_.OnGone(*this, &error);
}

}  // namespace framewall::server
