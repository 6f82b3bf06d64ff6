// A WebSocket that was accepted, as the chat sees it: whole text messages in and out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/ws/close_code.h"

namespace framewall::backend::server {

struct SocketOptions {
  uint64_t max_message = 65536;      // octets; larger: closed with 1009
  size_t max_unsent = 1024 * 1024;   // octets that a slow reader may leave; more: closed with 1013
  int64_t ping_interval_ms = 30000;  // and as long to answer, else it is gone
  std::string subprotocol;           // to be answered; empty: none
};

class SocketEvents {
 public:
  virtual ~SocketEvents() = default;
  // The socket may be closed or destroyed from it.
  virtual void OnMessage(std::string_view text) = 0;
  // It is over; the last call. The peer's code (1005: none); ours, where we closed it (1001 when
  // the program ends, 1002, 1003, 1007, 1009, 1013); 1006 where it broke or answered no ping. The
  // socket may be destroyed from it.
  virtual void OnClosed(uint16_t code) = 0;
};

class Socket {
 public:
  // Closes with 1001 where it is still open.
  virtual ~Socket() = default;
  // Messages wait until somebody listens. `events` outlives the socket or is replaced by null.
  virtual void SetEvents(SocketEvents* events) = 0;
  // Nothing happens once it is over or closing.
  virtual void Send(std::string_view text) = 0;
  // The same text for many: framed once.
  using Frame = std::shared_ptr<const std::string>;
  static Frame MakeFrame(std::string_view text);
  virtual void Send(const Frame& frame) = 0;
  // OnClosed follows at the end of the turn; the server sees to the rest of the handshake.
  // Reasons are at most 123 octets.
  virtual void Close(uint16_t code, std::string_view reason) = 0;
  virtual size_t unsent() const = 0;
};

}  // namespace framewall::backend::server
