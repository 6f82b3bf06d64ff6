#include "clients.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

#include "poller.h"
#include "proxy/ws/frame.h"
#include "proxy/ws/handshake.h"
#include "proxy/ws/mask.h"

namespace framewall::load {
namespace {

using Clock = std::chrono::steady_clock;

// Handshakes at a time, so that no accept queue overflows.
constexpr size_t kMostOpening = 64;
constexpr std::chrono::seconds kOpeningTime{60};

std::string FrameOf(std::string payload, bool masked) {
  ws::FrameHeader header{.opcode = ws::Opcode::kText, .masked = masked, .length = payload.size()};
  if (masked) header.mask = ws::NewMaskKey();
  ws::ApplyMask(payload.data(), payload.size(), header.mask);
  std::string frame(ws::kMaxFrameHeader, '\0');
  frame.resize(ws::EncodeFrameHeader(header, frame.data()));
  return frame + payload;
}

struct Frames {
  explicit Frames(const std::string& message)
      : said(FrameOf(message, true)), heard(FrameOf(message, false)) {}
  const std::string said;
  const std::string heard;
};

// The first octets, for an error that says what came instead.
std::string Show(ByteView octets) {
  std::string text;
  for (const char octet : octets.substr(0, 80)) {
    const bool printable = octet >= ' ' && octet <= '~';
    text += printable ? octet : '.';
  }
  return text;
}

class Client final : public Poller::Handler {
 public:
  // `frames` and `waits` outlive it. `waits`: µs of each round trip; null: nobody wants them.
  Client(Poller& poller, uint16_t port, const Frames& frames, std::vector<uint32_t>* waits)
      : frames_(frames),
        waits_(waits),
        key_(ws::NewKey()),
        socket_(poller, *this, Connect(port), true) {}

  bool open() const { return open_; }
  uint64_t round_trips() const { return round_trips_; }
  // Requires: open, and no message is on its way.
  void Speak() {
    heard_ = 0;
    spoke_ = Clock::now();
    socket_.Send(frames_.said);
  }
  // No message follows the one on its way.
  void BeSilent() { silent_ = true; }

  void OnWritable() override {
    if (std::exchange(asked_, true)) return socket_.Continue();
    socket_.Send(
        "GET /chat HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Mozilla/5.0 (X11; Linux "
        "x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\nAccept: */*\r\n"
        "Origin: http://localhost\r\nCookie: session=3f2a9c51d07be864; theme=dark\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: " +
        key_ + "\r\n\r\n");
  }
  void OnReadable() override {
    ByteView octets;
    if (!socket_.Receive(&octets)) Fail("the server closed a connection");
    if (!open_) return ReadAnswer(octets);
    ReadEcho(octets);
  }

 private:
  void ReadAnswer(ByteView octets) {
    answer_.append(octets);
    const size_t end = answer_.find("\r\n\r\n");
    if (end == answer_.npos) return;
    if (!answer_.starts_with("HTTP/1.1 101 ") ||
        answer_.find(ws::AcceptFor(key_)) == answer_.npos || end + 4 != answer_.size()) {
      Fail("the handshake was answered with: " + Show(answer_));
    }
    open_ = true;
    std::string().swap(answer_);
  }
  void ReadEcho(ByteView octets) {
    const ByteView expected = ByteView(frames_.heard).substr(heard_);
    if (!expected.starts_with(octets)) Fail("instead of the echo there came: " + Show(octets));
    heard_ += octets.size();
    if (heard_ < frames_.heard.size()) return;
    ++round_trips_;
    if (waits_ != nullptr) {
      const auto wait =
          std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - spoke_);
      waits_->push_back(static_cast<uint32_t>(wait.count()));
    }
    if (!silent_) Speak();
  }

  const Frames& frames_;
  std::vector<uint32_t>* const waits_;
  const std::string key_;
  Socket socket_;
  bool asked_ = false;
  bool open_ = false;
  bool silent_ = false;
  std::string answer_;
  size_t heard_ = 0;
  uint64_t round_trips_ = 0;
  Clock::time_point spoke_;
};

using Clients = std::vector<std::unique_ptr<Client>>;

// `ready` of each client, within the time that opening may take.
template <class Ready>
void RunUntil(Poller& poller, const Clients& clients, Ready ready) {
  const auto deadline = Clock::now() + kOpeningTime;
  for (const auto& client : clients) {
    while (!ready(*client)) {
      if (Clock::now() > deadline) Fail("connections did not open within a minute");
      poller.Run(std::chrono::milliseconds(100));
    }
  }
}

void Open(Poller& poller, const LoadOptions& options, const Frames& frames,
          std::vector<uint32_t>* waits, Clients& clients) {
  RaiseDescriptorLimit();
  while (clients.size() < options.connections) {
    Clients some;
    const size_t count = std::min(kMostOpening, options.connections - clients.size());
    for (size_t i = 0; i < count; ++i) {
      some.push_back(std::make_unique<Client>(poller, options.port, frames, waits));
    }
    RunUntil(poller, some, [](const Client& client) { return client.open(); });
    std::move(some.begin(), some.end(), std::back_inserter(clients));
  }
}

}  // namespace

std::string MakeMessage(size_t size) {
  constexpr std::string_view kBegin = R"({"channel":"general","n":7,"text":")";
  constexpr std::string_view kWords = "Lunch at noon? The new place on the corner looks fine. ";
  constexpr std::string_view kEnd = "\"}";
  if (size < kBegin.size() + kEnd.size()) Fail("a message has at least 37 octets");
  std::string message(kBegin);
  while (message.size() + kEnd.size() < size) message += kWords;
  message.resize(size - kEnd.size());
  message += kEnd;
  return message;
}

LoadResult RunLoad(const LoadOptions& options) {
  Poller poller;
  const Frames frames(MakeMessage(options.size));
  std::vector<uint32_t> waits;
  waits.reserve(size_t{1} << 20);
  Clients clients;
  Open(poller, options, frames, &waits, clients);

  const auto begin = Clock::now();
  const auto end = begin + options.duration;
  for (const auto& client : clients) client->Speak();
  while (Clock::now() < end) poller.Run(std::chrono::milliseconds(10));
  LoadResult result;
  result.round_trips = waits.size();
  result.elapsed = Clock::now() - begin;
  if (waits.empty()) Fail("no message came back");
  std::sort(waits.begin(), waits.end());
  result.median = std::chrono::microseconds(waits[waits.size() / 2]);
  result.slowest_percent = std::chrono::microseconds(waits[waits.size() * 99 / 100]);
  return result;
}

void HoldIdle(const LoadOptions& options) {
  Poller poller;
  const Frames frames(MakeMessage(options.size));
  Clients clients;
  Open(poller, options, frames, nullptr, clients);
  for (const auto& client : clients) {
    client->BeSilent();
    client->Speak();
  }
  RunUntil(poller, clients, [](const Client& client) { return client.round_trips() > 0; });
  std::puts("ready");
  std::fflush(stdout);
  char octet;
  while (::read(STDIN_FILENO, &octet, 1) > 0) {
  }
}

}  // namespace framewall::load
