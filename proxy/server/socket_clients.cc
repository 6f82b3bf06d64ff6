#include "proxy/server/socket_clients.h"

namespace framewall::server {
namespace {

// By then every sensible bucket is full again.
constexpr std::chrono::seconds kRemembered{10};

std::string KeyOf(const SocketAddress& address) {
  return address.is_unix() ? std::string() : std::string(address.ip().bytes());
}

}  // namespace

SocketClient& SocketClients::Enter(const SocketAddress& address) {
  Sweep(CachedNow().steady);
  SocketClient& client = clients_[KeyOf(address)];
  ++client.sockets;
  return client;
}

void SocketClients::Leave(const SocketAddress& address, SteadyTime now) {
  std::string key = KeyOf(address);
  const auto found = clients_.find(key);
  if (found == clients_.end() || --found->second.sockets > 0) return;
  leaving_.push_back({std::move(key), now});
  Sweep(now);
}

void SocketClients::Sweep(SteadyTime now) {
  while (!leaving_.empty() && now - leaving_.front().at >= kRemembered) {
    const auto found = clients_.find(leaving_.front().key);
    if (found != clients_.end() && found->second.sockets == 0) clients_.erase(found);
    leaving_.pop_front();
  }
}

}  // namespace framewall::server
