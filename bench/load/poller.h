// epoll for the load maker: level-triggered, one handler for each descriptor. What fails ends the
// program, for a benchmark that goes on has no meaning.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/bytes.h"
#include "proxy/base/unique_fd.h"

namespace framewall::load {

// "ws_load: TEXT[: strerror(number)]" to stderr, and exit status 1.
[[noreturn]] void Fail(std::string_view text, int number = 0);

class Poller {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void OnReadable() = 0;
    virtual void OnWritable() = 0;
  };

  Poller();
  // `handler` outlives the descriptor.
  void Add(int fd, Handler& handler, bool writing);
  void SetWriting(int fd, Handler& handler, bool writing);
  // Calls handlers of what is ready, after waiting at most `wait`.
  void Run(std::chrono::milliseconds wait);

 private:
  UniqueFd epoll_;
};

// Received octets of the running callback, whoever reads.
std::vector<char>& SharedBuffer();

// A socket that does not block, with what the kernel has not taken yet.
class Socket {
 public:
  Socket(Poller& poller, Poller::Handler& handler, UniqueFd fd, bool writing);

  // Into SharedBuffer(): what came, empty where nothing is there. False at the peer's end.
  bool Receive(ByteView* octets);
  void Send(ByteView octets);
  // The kernel takes more: sends what waits.
  void Continue();
  int fd() const { return fd_.get(); }

 private:
  Poller& poller_;
  Poller::Handler& handler_;
  UniqueFd fd_;
  bool writing_;
  std::string waiting_;
};

// Of loopback. Connect returns while the connection is being made.
UniqueFd Connect(uint16_t port);
UniqueFd Listen(uint16_t port);
// As many descriptors as the system lets us have.
void RaiseDescriptorLimit();

}  // namespace framewall::load
