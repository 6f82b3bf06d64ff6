// WebSockets of this server: the wire (SocketCore, which lives until the connection is closed) and
// what its user holds (the Socket, which may go at any time).
//
//   open -> closing (our Close is sent; the peer's, or the end, or a deadline is awaited) -> over
#pragma once

#include <memory>
#include <string>

#include "backend/server/services.h"
#include "backend/server/socket.h"
#include "proxy/base/clock.h"
#include "proxy/event/stream.h"
#include "proxy/event/timer.h"
#include "proxy/ws/message_reader.h"
#include "proxy/ws/message_writer.h"

namespace framewall::backend::server {

class SocketCore final : public event::StreamHandler,
                         public std::enable_shared_from_this<SocketCore> {
 public:
  // Services outlive it; they keep it until it is over.
  SocketCore(Services& services, std::unique_ptr<event::Stream> stream,
             const SocketOptions& options, std::string input);
  ~SocketCore() override;

  void SetEvents(SocketEvents* events);
  void Send(std::string_view frame);
  // Tells the user at the end of the turn.
  void Close(uint16_t code, std::string_view reason);
  size_t unsent() const { return stream_->pending_output(); }
  // The time of draining is over.
  void ForceClose() { End(static_cast<uint16_t>(ws::CloseCode::kAbnormal)); }

  // --- StreamHandler ---
  void OnBytes(ByteView bytes) override;
  void OnEnd() override;
  void OnBroken(const Error& error) override;
  void OnAllSent() override;

 private:
  enum class State : uint8_t { kOpen, kClosing, kOver };

  void Read(ByteView input);
  void ReadWaiting();
  void OnTimer();
  void Pong(ByteView payload);
  // Our Close; nothing is read or sent after it.
  void BeginClose(uint16_t code, std::string_view reason);
  void TellClosed(uint16_t code);
  // The connection is closed now.
  void End(uint16_t code);

  Services& services_;
  const SocketOptions options_;
  State state_ = State::kOpen;
  std::unique_ptr<event::Stream> stream_;
  ws::MessageReader reader_;
  ws::MessageWriter writer_;
  event::Timer timer_;
  SocketEvents* events_ = nullptr;
  std::string waiting_;  // came while nobody listened
  event::ReadPause pause_;
  bool heard_ = true;  // since the last ping
  bool reading_ = false;
  bool told_ = false;
  bool close_received_ = false;
};

// Takes over the stream; `input` came behind the handshake.
std::unique_ptr<Socket> MakeServerSocket(Services& services, std::unique_ptr<event::Stream> stream,
                                         const SocketOptions& options, std::string input);

}  // namespace framewall::backend::server
