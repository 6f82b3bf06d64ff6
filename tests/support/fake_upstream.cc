#include "tests/support/fake_upstream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace framewall::test {
namespace {

int ListenOnLoopback(uint16_t* port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd, generic, length) != 0 || ::listen(fd, 1024) != 0) std::abort();
  ::getsockname(fd, generic, &length);
  *port = ntohs(address.sin_port);
  return fd;
}

int ListenOnPath(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(fd, 1024) != 0) {
    std::abort();
  }
  ::chmod(path.c_str(), 0666);
  return fd;
}

SSL_CTX* ServerContext(const FakeUpstream::Options& options) {
  if (options.certificate_file.empty()) return nullptr;
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  if (SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    std::abort();
  }
  if (!options.client_ca_file.empty()) {
    SSL_CTX_load_verify_locations(context, options.client_ca_file.c_str(), nullptr);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  }
  return context;
}

}  // namespace

FakeUpstream::Peer::Peer(FakeUpstream& upstream, Wire wire, int number)
    : upstream_(upstream), wire_(std::move(wire)), number_(number) {}

HttpMessage FakeUpstream::Peer::ReadRequest(BodyRule rule) {
  HttpMessage request = ReadMessage(wire_, pending_, rule);
  if (!request.start_line.empty()) {
    const std::lock_guard<std::mutex> lock(upstream_.mutex_);
    upstream_.requests_.push_back(request);
  }
  return request;
}

std::string FakeUpstream::Peer::ReadSome() {
  if (!pending_.empty()) return std::exchange(pending_, {});
  return wire_.ReadSome();
}

bool FakeUpstream::Peer::WaitForClose() {
  return pending_.empty() && wire_.ReadSome().empty() && !wire_.timed_out();
}

FakeUpstream::Script FakeUpstream::Always(std::string response) {
  return [response = std::move(response)](Peer& peer) {
    while (peer.ReadRequest().complete && peer.Send(response)) {
    }
  };
}

FakeUpstream::Script FakeUpstream::Once(std::string response) {
  return [response = std::move(response)](Peer& peer) {
    if (peer.ReadRequest().complete) peer.Send(response);
  };
}

FakeUpstream::FakeUpstream(Script script, const Options& options)
    : script_(std::move(script)),
      unix_path_(options.unix_path),
      tls_(ServerContext(options)),
      listener_(unix_path_.empty() ? ListenOnLoopback(&port_) : ListenOnPath(unix_path_)),
      accepter_([this] { Accept(); }) {}

FakeUpstream::~FakeUpstream() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  accepter_.join();
  ::close(listener_);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
  if (tls_ != nullptr) SSL_CTX_free(tls_);
  if (!unix_path_.empty()) ::unlink(unix_path_.c_str());
}

std::vector<HttpMessage> FakeUpstream::requests() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return requests_;
}

void FakeUpstream::Accept() {
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (stopping_) {
      if (fd >= 0) ::close(fd);
      return;
    }
    if (fd < 0) continue;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    const int number = connections_++;
    const std::lock_guard<std::mutex> lock(mutex_);
    open_.push_back(fd);
    threads_.emplace_back([this, fd, number] { Serve(fd, number); });
  }
}

void FakeUpstream::Serve(int fd, int number) {
  // The script may close the connection and its number be given to another: a copy is what the
  // destructor shuts down.
  Peer peer(*this, Wire(::dup(fd)), number);
  if (tls_ == nullptr || peer.wire_.StartTls(tls_, true)) script_(peer);
  // A TLS peer expects a close_notify; a plain one sees the end when both copies are closed.
  const std::lock_guard<std::mutex> lock(mutex_);
  open_.erase(std::find(open_.begin(), open_.end(), fd));
  ::close(fd);
}

}  // namespace framewall::test
