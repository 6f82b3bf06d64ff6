#include "backend/server/http_server.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "backend/server/connection.h"
#include "backend/server/server_socket.h"
#include "proxy/base/log.h"

namespace framewall::backend::server {
namespace {

constexpr int kBacklog = 1024;
// Connections above the limit that are told so; more are closed without a word.
constexpr size_t kToldOfOverload = 64;
constexpr Milliseconds kPauseWhenExhausted{500};

// Nobody answers at a Unix socket that is there: it was left behind.
Status RemoveStaleSocket(const SocketAddress& address) {
  const std::string path = address.unix_path();
  struct stat file {};
  if (::lstat(path.c_str(), &file) != 0) return OkStatus();
  if (!S_ISSOCK(file.st_mode)) {
    return OperatorError("\"" + path + "\" is there already and is no socket");
  }
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (::connect(probe.get(), address.get(), address.length()) == 0 || errno == EAGAIN) {
    return OperatorError("another process listens on \"" + path + "\"");
  }
  if (errno != ECONNREFUSED && errno != ENOENT) {
    return SystemError("connect() to \"" + path + "\"", errno);
  }
  ::unlink(path.c_str());
  return OkStatus();
}

}  // namespace

HttpServer::HttpServer(event::EventLoop& loop, const Router& router, Authenticator* authenticator,
                       Observer* observer, const Limits& limits)
    : pause_timer_(loop, [this] { listener_->Resume(); }), drain_timer_(loop, [this] {
        const auto sockets = services_.sockets;
        for (const auto& socket : sockets) socket->ForceClose();
        std::vector<Connection*> left;
        for (const auto& [connection, owner] : connections_) left.push_back(connection);
        for (Connection* connection : left) connection->ForceClose();
        CheckDrained();
      }) {
  services_.loop = &loop;
  services_.router = &router;
  services_.authenticator = authenticator;
  services_.observer = observer;
  services_.limits = limits;
  services_.on_connection_over = [this](Connection* connection) { OnConnectionOver(connection); };
  services_.on_socket_count = [this] {
    if (services_.observer != nullptr) services_.observer->OnSockets(services_.sockets.size());
    CheckDrained();
  };
}

HttpServer::~HttpServer() {
  services_.observer = nullptr;
  drained_ = nullptr;
  const auto sockets = services_.sockets;
  for (const auto& socket : sockets) socket->ForceClose();
  RemoveSocketFile();
}

Status HttpServer::Listen(const std::string& text, unsigned mode) {
  const std::optional<SocketAddress> address = SocketAddress::Parse(text);
  if (!address) return OperatorError("listen: unix:PATH or ADDRESS:PORT was expected: " + text);
  if (address->is_unix()) FW_TRY(RemoveStaleSocket(*address));
  UniqueFd fd(::socket(address->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return SystemError("socket() " + text, errno);
  const int on = 1;
  if (!address->is_unix()) {
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  // Never wider than `mode`, not even for a moment.
  const mode_t before = ::umask(static_cast<mode_t>(~mode & 0777));
  const int bound = ::bind(fd.get(), address->get(), address->length());
  const int reason = errno;
  ::umask(before);
  if (bound != 0) return SystemError("bind() to " + text, reason);
  if (address->is_unix()) {
    const std::string path = address->unix_path();
    struct stat file {};
    if (::chmod(path.c_str(), mode) != 0 || ::lstat(path.c_str(), &file) != 0) {
      return SystemError("chmod() \"" + path + "\"", errno);
    }
    file_device_ = file.st_dev;
    file_inode_ = file.st_ino;
  }
  if (::listen(fd.get(), kBacklog) != 0) return SystemError("listen() to " + text, errno);
  sockaddr_storage local{};
  socklen_t length = sizeof(local);
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&local), &length);
  address_ = SocketAddress::FromSockaddr(reinterpret_cast<sockaddr*>(&local), length);
  listen_fd_ = std::move(fd);
  listener_ = std::make_unique<event::Listener>(
      *services_.loop, listen_fd_.get(), /*multi_accept=*/true,
      [this](int accepted, const SocketAddress& peer) { OnAccept(accepted, peer); },
      [this](int system_errno) {
        MainLog().Write(LogLevel::kError, "accept() failed, pausing", nullptr, system_errno);
        listener_->Pause();
        pause_timer_.Set(kPauseWhenExhausted);
      });
  return OkStatus();
}

void HttpServer::OnAccept(int fd, const SocketAddress& peer) {
  const bool overloaded = connection_count() >= services_.limits.connections;
  if (overloaded) {
    if (services_.observer != nullptr) services_.observer->OnOverload();
    if (connection_count() >= services_.limits.connections + kToldOfOverload) {
      ::close(fd);
      return;
    }
  }
  // A Unix peer has no name, but a family.
  const SocketAddress origin = peer.empty() && address_.is_unix() ? address_ : peer;
  auto connection = std::make_unique<Connection>(services_, fd, origin, overloaded);
  connections_.emplace(connection.get(), std::move(connection));
  if (services_.observer != nullptr) services_.observer->OnConnections(connections_.size());
}

void HttpServer::OnConnectionOver(Connection* connection) {
  const auto found = connections_.find(connection);
  if (found == connections_.end()) return;
  services_.loop->Retire(std::move(found->second));
  connections_.erase(found);
  if (services_.observer != nullptr) services_.observer->OnConnections(connections_.size());
  CheckDrained();
}

void HttpServer::Drain(Milliseconds patience, std::function<void()> done) {
  if (services_.draining) return;
  services_.draining = true;
  drained_ = std::move(done);
  pause_timer_.Cancel();
  listener_.reset();
  RemoveSocketFile();
  listen_fd_.Reset();
  std::vector<Connection*> all;
  for (const auto& [connection, owner] : connections_) all.push_back(connection);
  for (Connection* connection : all) connection->Drain();
  const auto sockets = services_.sockets;
  for (const auto& socket : sockets) {
    socket->Close(ws::CodeOf(ws::CloseCode::kGoingAway), "the server is restarting");
  }
  drain_timer_.Set(patience);
  CheckDrained();
}

void HttpServer::CheckDrained() {
  if (!services_.draining || connection_count() > 0 || drained_ == nullptr) return;
  drain_timer_.Cancel();
  services_.loop->Post(std::exchange(drained_, nullptr));
}

void HttpServer::RemoveSocketFile() {
  if (!listen_fd_.valid() || !address_.is_unix()) return;
  const std::string path = address_.unix_path();
  struct stat file {};
  if (::lstat(path.c_str(), &file) == 0 && file.st_dev == file_device_ &&
      file.st_ino == file_inode_) {
    ::unlink(path.c_str());
  }
}

}  // namespace framewall::backend::server
