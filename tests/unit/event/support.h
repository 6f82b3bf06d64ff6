// What the tests of this room share: sockets in pairs, a handler that keeps notes, a loop that runs
// until something is true.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/base/unique_fd.h"
#include "proxy/event/loop.h"
#include "proxy/event/stream.h"

namespace framewall::event {

inline void SetNonBlocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

// Runs the loop until `done`, at most ten seconds.
inline bool RunUntil(EventLoop& loop, const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    loop.RunOnce(std::chrono::milliseconds(50));
  }
  return true;
}

// Runs until a turn has nothing to do; for asserting that something does not happen.
inline void RunIdle(EventLoop& loop) {
  for (int i = 0; i < 5; ++i) loop.RunOnce(std::chrono::milliseconds(0));
}

class Notes : public StreamHandler {
 public:
  void OnBytes(ByteView bytes) override {
    received.append(bytes);
    largest = std::max(largest, bytes.size());
    if (on_bytes) on_bytes(bytes);
  }
  void OnEnd() override {
    ++ends;
    if (on_end) on_end();
  }
  void OnBroken(const Error& error) override {
    ++broken;
    last_error = error;
    if (on_broken) on_broken();
  }
  void OnDrained() override {
    ++drained;
    if (on_drained) on_drained();
  }
  void OnSecured() override { ++secured; }

  std::string received;
  size_t largest = 0;
  int ends = 0, broken = 0, drained = 0, secured = 0;
  Error last_error;
  std::function<void(ByteView)> on_bytes;
  std::function<void()> on_end, on_broken, on_drained;
};

// A connected pair: ours non-blocking for a stream, theirs blocking for the test.
struct SocketPair {
  UniqueFd ours, theirs;
};
inline SocketPair UnixPair() {
  int fds[2];
  EXPECT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
  SetNonBlocking(fds[0]);
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// A listening TCP socket on loopback and where it is.
inline std::pair<UniqueFd, SocketAddress> ListenTcp() {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  SocketAddress any = *SocketAddress::Parse("127.0.0.1:0");
  EXPECT_EQ(0, ::bind(fd.get(), any.get(), any.length()));
  EXPECT_EQ(0, ::listen(fd.get(), 16));
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  EXPECT_EQ(0, ::getsockname(fd.get(), address, &length));
  return {std::move(fd), SocketAddress::FromSockaddr(address, length)};
}

inline SocketPair TcpPair() {
  auto [listener, address] = ListenTcp();
  UniqueFd theirs(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(0, ::connect(theirs.get(), address.get(), address.length()));
  UniqueFd ours(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  EXPECT_TRUE(ours.valid());
  return {std::move(ours), std::move(theirs)};
}

// What is there now; waits for the first octet.
inline std::string ReadSome(int fd) {
  std::string bytes(65536, '\0');
  const ssize_t size = ::recv(fd, bytes.data(), bytes.size(), 0);
  bytes.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return bytes;
}
// Up to the end.
inline std::string ReadAll(int fd) {
  std::string all;
  for (;;) {
    std::string piece = ReadSome(fd);
    if (piece.empty()) return all;
    all += piece;
  }
}
inline void Send(int fd, std::string_view bytes) {
  ASSERT_EQ(static_cast<ssize_t>(bytes.size()),
            ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL));
}
// True where a read would have to wait.
inline bool NothingToRead(int fd) {
  char byte;
  return ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

}  // namespace framewall::event
