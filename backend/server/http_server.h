// Listens, and keeps what was accepted: HTTP connections and WebSockets, up to a limit.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "backend/server/services.h"
#include "proxy/base/unique_fd.h"
#include "proxy/event/listener.h"
#include "proxy/event/timer.h"

namespace framewall::backend::server {

class HttpServer {
 public:
  // All of them outlive it. `authenticator` and `observer` may be null.
  HttpServer(event::EventLoop& loop, const Router& router, Authenticator* authenticator,
             Observer* observer, const Limits& limits);
  // No handler may be at work any more. Sockets that others hold must be gone.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // "unix:PATH" or "ADDRESS:PORT". A socket file that nobody listens on is replaced; one that is in
  // use, or a file that is no socket, is an error. `mode`: of the socket file.
  Status Listen(const std::string& address, unsigned mode);
  // Port 0 in Listen: the one that the kernel chose.
  const SocketAddress& address() const { return address_; }

  // Accepts no more; answers what is asked; closes sockets with 1001. `done` is called once, when
  // nothing is left, or `patience` is over and the rest was cut off.
  void Drain(Milliseconds patience, std::function<void()> done);

  size_t connection_count() const { return connections_.size() + services_.sockets.size(); }

 private:
  void OnAccept(int fd, const SocketAddress& peer);
  void OnConnectionOver(Connection* connection);
  void CheckDrained();
  void RemoveSocketFile();

  Services services_;
  UniqueFd listen_fd_;
  SocketAddress address_;
  // Which file is ours, so that a successor's is left alone.
  uint64_t file_device_ = 0;
  uint64_t file_inode_ = 0;
  std::unique_ptr<event::Listener> listener_;
  event::Timer pause_timer_;
  event::Timer drain_timer_;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections_;
  std::function<void()> drained_;
};

}  // namespace framewall::backend::server
