#include "echo_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "poller.h"
#include "proxy/base/text.h"
#include "proxy/ws/frame.h"
#include "proxy/ws/handshake.h"
#include "proxy/ws/mask.h"

namespace framewall::load {
namespace {

// What our own load maker sends is shorter.
constexpr uint64_t kMostPayload = uint64_t{16} << 20;

class EchoServer;

class Session final : public Poller::Handler {
 public:
  Session(EchoServer& server, Poller& poller, UniqueFd fd)
      : server_(server), socket_(poller, *this, std::move(fd), false) {}
  void OnReadable() override;
  void OnWritable() override { socket_.Continue(); }
  int fd() const { return socket_.fd(); }

 private:
  // The octets used; the rest waits for more.
  size_t Take(ByteView input);
  size_t AnswerHandshake(ByteView input);
  size_t EchoFrame(ByteView input);

  EchoServer& server_;
  Socket socket_;
  bool open_ = false;  // the handshake is done
  std::string input_;  // the beginning of what is not whole
};

class EchoServer final : public Poller::Handler {
 public:
  explicit EchoServer(uint16_t port) : listener_(Listen(port)) {
    poller_.Add(listener_.get(), *this, false);
  }
  [[noreturn]] void Run() {
    for (;;) {
      poller_.Run(std::chrono::milliseconds(-1));
      gone_.clear();
    }
  }
  // `session` is destroyed when the running callbacks are over.
  void Remove(Session& session) {
    if (auto node = sessions_.extract(session.fd())) gone_.push_back(std::move(node.mapped()));
  }

  void OnReadable() override {
    for (;;) {
      UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd.valid()) return;
      const int on = 1;
      ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      const int number = fd.get();
      sessions_[number] = std::make_unique<Session>(*this, poller_, std::move(fd));
    }
  }
  void OnWritable() override {}

 private:
  Poller poller_;
  UniqueFd listener_;
  std::unordered_map<int, std::unique_ptr<Session>> sessions_;
  std::vector<std::unique_ptr<Session>> gone_;
};

void Session::OnReadable() {
  ByteView octets;
  if (!socket_.Receive(&octets)) return server_.Remove(*this);
  std::string joined;
  if (!input_.empty()) {
    joined = std::exchange(input_, {});
    joined.append(octets);
    octets = joined;
  }
  while (!octets.empty()) {
    const size_t used = Take(octets);
    if (used == 0) break;
    octets.remove_prefix(used);
  }
  input_.assign(octets);
}

size_t Session::Take(ByteView input) { return open_ ? EchoFrame(input) : AnswerHandshake(input); }

size_t Session::AnswerHandshake(ByteView input) {
  constexpr std::string_view kName = "sec-websocket-key:";
  const size_t end = input.find("\r\n\r\n");
  if (end == input.npos) return 0;
  const ByteView head = input.substr(0, end + 2);
  for (size_t line = 0; line < head.size(); line = head.find("\r\n", line) + 2) {
    if (!StartsWithIgnoreCase(head.substr(line), kName)) continue;
    const ByteView value = head.substr(line + kName.size());
    const std::string_view key = Trim(value.substr(0, value.find("\r\n")));
    socket_.Send(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Accept: " +
        ws::AcceptFor(key) + "\r\n\r\n");
    open_ = true;
    return end + 4;
  }
  socket_.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  return end + 4;
}

// Control frames too: a Close is answered by itself, a ping by something that no one asked for.
size_t Session::EchoFrame(ByteView input) {
  ws::FrameHeader header;
  size_t size = 0;
  if (ws::DecodeFrameHeader(input, &header, &size) != ws::HeaderReach::kAll) return 0;
  if (header.length > kMostPayload) Fail("a message of more than 16 MiB");
  const auto length = static_cast<size_t>(header.length);
  if (input.size() < size + length) return 0;
  std::string answer(ws::kMaxFrameHeader + length, '\0');
  ws::FrameHeader plain = header;
  plain.masked = false;
  const size_t begin = ws::EncodeFrameHeader(plain, answer.data());
  ws::CopyMasked(answer.data() + begin, input.data() + size, length, header.mask);
  socket_.Send(ByteView(answer).substr(0, begin + length));
  return size + length;
}

}  // namespace

void ServeEcho(uint16_t port) {
  RaiseDescriptorLimit();
  EchoServer(port).Run();
}

}  // namespace framewall::load
