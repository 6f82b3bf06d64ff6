// One hop of a relay: a stream with a WebSocket peer at its other end. What the peer sends is read
// here; what we say to it is written here. What either means for the other hop is the relay's.
//
//   open ── we send Close ──► closing ── its Close ──► closed   (or the other way round)
//     └────────────── FIN, reset, violation ─────────────┘
#pragma once

#include <string>

#include "proxy/event/stream.h"
#include "proxy/server/token_bucket.h"
#include "proxy/ws/message_reader.h"
#include "proxy/ws/message_writer.h"

namespace framewall::server {

class RelayHop;

// The relay, as its hops call it.
class RelayHopEvents {
 public:
  virtual ~RelayHopEvents() = default;
  // Octets came, whatever they are.
  virtual void OnActivity(RelayHop& hop) = 0;
  // May the next message be read? Where not, the hop pauses until Continue.
  virtual bool MayRead(RelayHop& hop) = 0;
  // hop.reader() has it.
  virtual void OnMessage(RelayHop& hop) = 0;
  // A ping or pong; answered already.
  virtual void OnControl(RelayHop& hop) = 0;
  virtual void OnClose(RelayHop& hop, uint16_t code, ByteView reason) = 0;
  virtual void OnViolation(RelayHop& hop) = 0;
  // All input is looked at: what an unfinished message holds may have changed.
  virtual void OnProgress(RelayHop& hop) = 0;
  // The peer sent its FIN, or the connection broke (`error`). The last event of a broken hop.
  virtual void OnGone(RelayHop& hop, const Error* error) = 0;
  // For the payload of messages: one buffer for all hops of a worker, as they read in turn.
  virtual std::string& SpareBuffer() = 0;
  // It takes more output again.
  virtual void OnHopDrained(RelayHop& hop) = 0;
  virtual void OnHopSent(RelayHop& hop) = 0;
};

class RelayHop final : public event::StreamHandler {
 public:
  // `stream` outlives the hop, or Detach was called.
  RelayHop(RelayHopEvents& relay, event::Stream& stream, const ws::ReaderOptions& reader,
           const ws::WriterOptions& writer, ws::ZlibPool* pool);
  ~RelayHop() override { Detach(); }

  void Start(ByteView read_before);
  // The stream is not touched any more.
  void Detach();
  // Reads what waited, and then the stream again.
  void Continue();

  event::Stream& stream() { return stream_; }
  ws::MessageReader& reader() { return reader_; }
  bool paused() const { return pause_.active(); }

  // Payload may be changed or moved from.
  void SendMessage(ws::Opcode opcode, std::string& payload);
  void SendPing();
  // What the peer sends from now on is thrown away, whole messages and its Close too.
  void StopListening() { deaf_ = true; }
  // Once; later calls do nothing.
  void SendClose(uint16_t code, ByteView reason);

  bool close_sent() const { return close_sent_; }
  bool close_received() const { return close_received_; }
  bool gone() const { return gone_; }
  // The closing handshake is done, or cannot be.
  bool over() const { return gone_ || deaf_ || (close_sent_ && close_received_); }

  // What the relay keeps of each hop.
  uint64_t messages = 0;       // read
  uint64_t held = 0;           // as last counted
  SteadyTime message_since{};  // of the unfinished message; none: there is none
  SteadyTime stalled_since{};  // it takes nothing since; none: it is not waited for
  uint64_t sent_at_check = 0;
  SteadyTime heard;  // when octets came last
  // Of the stream, when the relay began: handshakes apart.
  uint64_t sent_before = 0;
  uint64_t received_before = 0;

 private:
  void OnBytes(ByteView bytes) override;
  void OnEnd() override;
  void OnBroken(const Error& error) override;
  void OnDrained() override { relay_.OnHopDrained(*this); }
  void OnAllSent() override { relay_.OnHopSent(*this); }

  void Read(ByteView input);
  void Keep(ByteView input);
  void Pong(ByteView payload);

  RelayHopEvents& relay_;
  event::Stream& stream_;
  ws::MessageReader reader_;
  ws::MessageWriter writer_;
  event::ReadPause pause_;
  std::string waiting_;  // read from the stream, not yet by the reader
  TokenBucket pongs_;
  bool detached_ = false;
  bool reading_ = false;
  bool close_sent_ = false;
  bool close_received_ = false;
  bool deaf_ = false;
  bool gone_ = false;
};

}  // namespace framewall::server
