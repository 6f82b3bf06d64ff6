#include "poller.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace framewall::load {
namespace {

constexpr size_t kBufferSize = size_t{256} * 1024;
constexpr int kBacklog = 4096;

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

UniqueFd MakeSocket() {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) Fail("socket", errno);
  return fd;
}

uint32_t EventsFor(bool writing) { return writing ? EPOLLIN | EPOLLOUT : EPOLLIN; }

}  // namespace

void Fail(std::string_view text, int number) {
  std::fprintf(stderr, "ws_load: %.*s", static_cast<int>(text.size()), text.data());
  if (number != 0) std::fprintf(stderr, ": %s", std::strerror(number));
  std::fputc('\n', stderr);
  std::exit(1);
}

Poller::Poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_.valid()) Fail("epoll_create1", errno);
}

void Poller::Add(int fd, Handler& handler, bool writing) {
  epoll_event event{.events = EventsFor(writing), .data = {.ptr = &handler}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) Fail("epoll_ctl", errno);
}

void Poller::SetWriting(int fd, Handler& handler, bool writing) {
  epoll_event event{.events = EventsFor(writing), .data = {.ptr = &handler}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) != 0) Fail("epoll_ctl", errno);
}

void Poller::Run(std::chrono::milliseconds wait) {
  std::array<epoll_event, 512> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 static_cast<int>(wait.count()));
  if (count < 0 && errno != EINTR) Fail("epoll_wait", errno);
  for (int i = 0; i < count; ++i) {
    auto& handler = *static_cast<Handler*>(events[static_cast<size_t>(i)].data.ptr);
    const uint32_t what = events[static_cast<size_t>(i)].events;
    if ((what & EPOLLOUT) != 0) handler.OnWritable();
    if ((what & ~uint32_t{EPOLLOUT}) != 0) handler.OnReadable();
  }
}

std::vector<char>& SharedBuffer() {
  static std::vector<char> buffer(kBufferSize);
  return buffer;
}

Socket::Socket(Poller& poller, Poller::Handler& handler, UniqueFd fd, bool writing)
    : poller_(poller), handler_(handler), fd_(std::move(fd)), writing_(writing) {
  poller_.Add(fd_.get(), handler_, writing_);
}

bool Socket::Receive(ByteView* octets) {
  *octets = {};
  std::vector<char>& buffer = SharedBuffer();
  const ssize_t received = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
  if (received < 0) return errno == EAGAIN || errno == EINTR;
  *octets = ByteView(buffer.data(), static_cast<size_t>(received));
  return received > 0;
}

void Socket::Send(ByteView octets) {
  if (!waiting_.empty()) {
    waiting_.append(octets);
    return;
  }
  ssize_t sent = ::send(fd_.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
  // A broken connection is found by the read that follows.
  if (sent < 0) sent = errno == EAGAIN || errno == EINTR ? 0 : static_cast<ssize_t>(octets.size());
  octets.remove_prefix(static_cast<size_t>(sent));
  const bool writing = !octets.empty();
  if (writing) waiting_.assign(octets);
  if (writing != std::exchange(writing_, writing)) {
    poller_.SetWriting(fd_.get(), handler_, writing);
  }
}

void Socket::Continue() {
  const std::string octets = std::exchange(waiting_, {});
  Send(octets);
}

UniqueFd Connect(uint16_t port) {
  UniqueFd fd = MakeSocket();
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const sockaddr_in address = Loopback(port);
  const int failed =
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (failed != 0 && errno != EINPROGRESS) Fail("connect", errno);
  return fd;
}

UniqueFd Listen(uint16_t port) {
  UniqueFd fd = MakeSocket();
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = Loopback(port);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    Fail("bind", errno);
  }
  if (::listen(fd.get(), kBacklog) != 0) Fail("listen", errno);
  return fd;
}

void RaiseDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace framewall::load
