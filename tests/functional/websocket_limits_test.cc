// What clients and upstreams may send, and how much of it: each limit from both of its sides.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/functional/websocket_testing.h"

namespace framewall::test {
namespace {

using Clock = std::chrono::steady_clock;

// A frame with bits and lengths as a test wants them.
WebSocketFrame Odd(uint8_t opcode, const std::string& payload) {
  WebSocketFrame frame;
  frame.opcode = opcode;
  frame.payload = payload;
  return frame;
}

class SocketLimits : public ::testing::Test {
 protected:
  void Start(const std::string& location, const std::string& server = "",
             const std::string& main = "") {
    proxy_ = std::make_unique<ProxyProcess>(SocketServer(upstream_, location, server, main));
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }
  uint16_t port() const { return proxy_->port(0); }

  // The message comes back.
  void Passes(const std::string& octets, const std::string& message) {
    WebSocketClient client(port());
    client->Send(octets);
    const WebSocketEvent answer = client->Read();
    EXPECT_EQ(answer.payload, message) << answer.code;
    EXPECT_TRUE(answer.kind == Kind::kText || answer.kind == Kind::kBinary);
  }
  // Closed with `code`, and nothing of it reached the upstream but the same code.
  void Closes(uint16_t code, const std::string& octets, const std::string& headers = "") {
    const size_t before = upstream_.events().size();
    WebSocketClient client(port(), With(headers));
    client->Send(octets);
    EXPECT_CLOSED_WITH(client.end(), code);
    client->SendClose(code);
    // Ends of earlier sockets may come in between.
    ASSERT_TRUE(Eventually([&] { return CodesSince(before).size() == 1; })) << code;
    EXPECT_EQ(CodesSince(before)[0], code);
    client.raw().Close();
  }

  // Of the Closes that the upstream has seen; 0 for each message.
  std::vector<uint16_t> CodesSince(size_t first) const {
    std::vector<uint16_t> codes;
    const std::vector<WebSocketEvent> events = upstream_.events();
    for (size_t i = first; i < events.size(); ++i) {
      if (events[i].kind == Kind::kEnd || events[i].kind == Kind::kReset) continue;
      codes.push_back(events[i].code);
    }
    return codes;
  }

  WebSocketUpstream upstream_;
  std::unique_ptr<ProxyProcess> proxy_;
};

std::string Fragments(uint8_t opcode, const std::vector<std::string>& pieces) {
  std::string octets;
  for (size_t i = 0; i < pieces.size(); ++i) {
    octets += ClientFrame(i == 0 ? opcode : kOpContinuation, pieces[i], i + 1 == pieces.size());
  }
  return octets;
}

// --- Sizes and kinds ---

TEST_F(SocketLimits, MessageSize) {
  Start("websocket_max_message_size 1000;");
  const std::string most(1000, 'm');
  Passes(ClientFrame(kOpText, most), most);
  Passes(Fragments(kOpBinary, {most.substr(0, 600), "", most.substr(600)}), most);
  Closes(1009, ClientFrame(kOpText, most + "m"));
  Closes(1009, Fragments(kOpBinary, {most.substr(0, 600), most.substr(599)}));
  // The declared length is enough: no octet of the message was sent.
  WebSocketFrame frame = Odd(kOpBinary, "");
  frame.masked = true;
  for (const uint64_t length : {uint64_t{1001}, uint64_t{1} << 20, uint64_t{1} << 62}) {
    frame.declared = length;
    Closes(1009, Encode(frame));
  }
  // A small frame that inflates beyond it.
  Deflater deflater(false);
  Closes(1009, ClientFrame(kOpText, deflater.Message(most + "m"), true, 4), kOfferDeflate);
  EXPECT_TRUE(
      proxy_->WaitForLog("client breaks the WebSocket protocol or its limits: message is "
                         "too long"));
}

TEST_F(SocketLimits, DefaultMessageSizeIsOneMebibyte) {
  Start("");
  const std::string most(1 << 20, 'm');
  Passes(ClientFrame(kOpText, most), most);
  Closes(1009, ClientFrame(kOpText, most + "m"));
}

TEST_F(SocketLimits, RatioOfInflation) {
  Start("websocket_max_message_size 16m;");
  Deflater deflater(false);
  // 16 MiB of equal octets in 16 kB.
  Closes(1009, ClientFrame(kOpText, deflater.Message(std::string(16 << 20, 'm')), true, 4),
         kOfferDeflate);
  EXPECT_TRUE(proxy_->WaitForLog("compressed message grows too much"));
}

TEST_F(SocketLimits, FrameSize) {
  Start("websocket_max_frame_size 100;");
  const std::string most(100, 'f');
  Passes(ClientFrame(kOpText, most), most);
  {
    // The answer is one frame, and the upstream's are measured too.
    WebSocketClient client(port());
    client->Send(Fragments(kOpText, {most, most}));
    EXPECT_CLOSED_WITH(client.end(), 1011);
    client->SendClose(1011);
    EXPECT_EQ(upstream_.messages().back(), most + most);
    ASSERT_TRUE(Eventually([&] { return upstream_.events().back().code == 1009; }));
  }
  Closes(1009, ClientFrame(kOpText, most + "f"));
  Closes(1009, Fragments(kOpText, {most, most + "f"}));
}

TEST_F(SocketLimits, ControlSize) {
  Start("websocket_max_control_size 10;");
  WebSocketClient client(port());
  client->SendFrame(kOpPing, "0123456789");
  client->SendText("hello");
  EXPECT_EQ(client->Read().payload, "hello");
  EXPECT_EQ(client->pongs, (std::vector<std::string>{"0123456789"}));
  Closes(1009, ClientFrame(kOpPing, "0123456789a"));
  Closes(1009, ClientFrame(kOpClose, CloseBody(1000, "012345678")));
}

TEST_F(SocketLimits, FragmentsPerMessage) {
  Start("websocket_max_fragments 3;");
  Passes(Fragments(kOpText, {"a", "b", "c"}), "abc");
  Closes(1008, Fragments(kOpText, {"a", "b", "c", "d"}));
  // Control frames are no fragments.
  Passes(ClientFrame(kOpText, "a", false) + ClientFrame(kOpPing, "") + ClientFrame(kOpPing, "") +
             ClientFrame(kOpPing, "") + ClientFrame(kOpContinuation, "b"),
         "ab");
}

TEST_F(SocketLimits, TextNotAllowed) {
  Start("websocket_allow_text off;");
  Passes(ClientFrame(kOpBinary, "b"), "b");
  Closes(1003, ClientFrame(kOpText, "t"));
}

TEST_F(SocketLimits, BinaryNotAllowed) {
  Start("websocket_allow_binary off;");
  Passes(ClientFrame(kOpText, "t"), "t");
  Closes(1003, ClientFrame(kOpBinary, "b"));
}

TEST_F(SocketLimits, NullInText) {
  Start("websocket_allow_null off;", "", "");
  const std::string null("a\0b", 3);
  Passes(ClientFrame(kOpBinary, null), null);
  Closes(1008, ClientFrame(kOpText, null));
  Closes(1008, Fragments(kOpText, {"a", std::string(1, '\0')}));
  Start("");
  Passes(ClientFrame(kOpText, null), null);
}

// --- Framing ---

struct BrokenFrames {
  const char* name;
  uint16_t code;
  // As the sender masks or does not mask.
  std::function<std::string(bool masked)> octets;
};

std::vector<BrokenFrames> AllBrokenFrames() {
  const auto one = [](WebSocketFrame frame) {
    return [frame = std::move(frame)](bool masked) mutable {
      frame.masked = masked;
      return Encode(frame);
    };
  };
  const auto with = [](uint8_t opcode, const std::string& payload, auto change) {
    WebSocketFrame frame = Odd(opcode, payload);
    change(frame);
    return frame;
  };
  const auto as_it_is = [](WebSocketFrame&) {};
  return {
      {"wrong mask", 1002,
       [](bool masked) { return masked ? ServerFrame(kOpText, "m") : ClientFrame(kOpText, "m"); }},
      {"rsv1", 1002, one(with(kOpText, "m", [](auto& frame) { frame.reserved = 4; }))},
      {"rsv2", 1002, one(with(kOpText, "m", [](auto& frame) { frame.reserved = 2; }))},
      {"rsv3", 1002, one(with(kOpPing, "m", [](auto& frame) { frame.reserved = 1; }))},
      {"opcode 3", 1002, one(Odd(3, "m"))},
      {"opcode 7", 1002, one(Odd(7, ""))},
      {"opcode 11", 1002, one(Odd(11, "m"))},
      {"opcode 15", 1002, one(Odd(15, ""))},
      {"fragmented ping", 1002, one(with(kOpPing, "m", [](auto& frame) { frame.fin = false; }))},
      {"fragmented close", 1002, one(with(kOpClose, "", [](auto& frame) { frame.fin = false; }))},
      {"long ping", 1002, one(Odd(kOpPing, std::string(126, 'p')))},
      {"long close", 1002, one(Odd(kOpClose, CloseBody(1000, std::string(124, 'c'))))},
      {"16 bits for a small length", 1002,
       one(with(kOpText, "m", [](auto& frame) { frame.length_bits = 16; }))},
      {"64 bits for a middle length", 1002,
       one(with(kOpText, std::string(300, 'm'), [](auto& frame) { frame.length_bits = 64; }))},
      {"length of 64 bits", 1002,
       one(with(kOpText, "", [](auto& frame) { frame.declared = ~uint64_t{0}; }))},
      {"continuation of nothing", 1002, one(Odd(kOpContinuation, "m"))},
      {"message inside a message", 1002,
       [](bool masked) {
         const auto frame = masked ? ClientFrame : ServerFrame;
         return frame(kOpText, "a", false, 0) + frame(kOpText, "b", true, 0);
       }},
      {"text that is no UTF-8", 1007, one(Odd(kOpText, "\xc3\x28"))},
      {"text that ends in a character", 1007, one(Odd(kOpText, "\xd0"))},
      {"surrogate in text", 1007, one(Odd(kOpText, "\xed\xa0\x80"))},
      {"bad UTF-8 over a border of fragments", 1007,
       [](bool masked) {
         const auto frame = masked ? ClientFrame : ServerFrame;
         return frame(kOpText, "\xd0", false, 0) + frame(kOpContinuation, "a", true, 0);
       }},
      {"close with one octet", 1002, one(Odd(kOpClose, "\x03"))},
      {"close 1005", 1002, one(with(kOpClose, CloseBody(1005), as_it_is))},
      {"close 1006", 1002, one(Odd(kOpClose, CloseBody(1006)))},
      {"close 999", 1002, one(Odd(kOpClose, CloseBody(999)))},
      {"close 2999", 1002, one(Odd(kOpClose, CloseBody(2999)))},
      {"close 5000", 1002, one(Odd(kOpClose, CloseBody(5000)))},
      {"close with a reason that is no UTF-8", 1007, one(Odd(kOpClose, CloseBody(1000, "\xff")))},
  };
}

TEST_F(SocketLimits, BrokenFramesOfClients) {
  Start("");
  for (const BrokenFrames& broken : AllBrokenFrames()) {
    SCOPED_TRACE(broken.name);
    Closes(broken.code, broken.octets(true));
  }
}

TEST_F(SocketLimits, WholeCharactersOverBordersPass) {
  Start("");
  Passes(Fragments(kOpText, {"\xd0", "\xbf\xf0\x9f", "\x91\x8b"}), "\xd0\xbf\xf0\x9f\x91\x8b");
}

// The upstream is told what it did; the client learns that the upstream is broken.
TEST(SocketLimitsOfUpstreams, BrokenFramesAndLongMessages) {
  std::vector<BrokenFrames> all = AllBrokenFrames();
  all.push_back(
      {"long message", 1009, [](bool) { return ServerFrame(kOpText, std::string(1001, 'm')); }});
  std::atomic<size_t> next = 0;
  std::atomic<size_t> right = 0;
  WebSocketUpstream upstream([&](WebSocketEnd& end) {
    const BrokenFrames& broken = all[next++];
    end.SendText("before");
    end.Send(broken.octets(false));
    const WebSocketEvent closed = end.ReadToClose();
    EXPECT_EQ(closed.kind, Kind::kClose) << broken.name;
    EXPECT_EQ(closed.code, broken.code) << broken.name;
    ++right;
  });
  ProxyProcess proxy(SocketServer(upstream, "websocket_max_message_size 1000;"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  for (size_t i = 0; i < all.size(); ++i) {
    SCOPED_TRACE(all[i].name);
    WebSocketClient client(proxy.port(0));
    EXPECT_EQ(client->Read().payload, "before");
    EXPECT_CLOSED_WITH(client.end(), 1011);
    client->SendClose(1011);
    ASSERT_TRUE(Eventually([&] { return right == i + 1; }));
  }
  EXPECT_TRUE(proxy.WaitForLog("upstream breaks the WebSocket protocol or its limits"));
}

// --- Rates ---

TEST_F(SocketLimits, MessageRateDelays) {
  Start("websocket_message_rate 20/s burst=5;");
  WebSocketClient client(port());
  const auto began = Clock::now();
  std::string all;
  for (int i = 0; i < 15; ++i) all += client->Frame(kOpText, std::to_string(i));
  client->Send(all);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(client->Read().payload, std::to_string(i));
  for (int i = 5; i < 15; ++i) EXPECT_EQ(client->Read().payload, std::to_string(i));
  const auto whole = Clock::now() - began;
  EXPECT_GE(whole, milliseconds(450));
  EXPECT_LT(whole, seconds(15));
}

TEST_F(SocketLimits, MessageRateCloses) {
  Start("websocket_message_rate 1/s burst=5 close;", "location = /metrics { metrics; }");
  WebSocketClient client(port());
  for (int i = 0; i < 5; ++i) {
    client->SendText("m");
    EXPECT_EQ(client->Read().payload, "m");
  }
  client->SendText("m");
  const WebSocketEvent closed = client->Read();
  EXPECT_EQ(closed.code, 1008);
  EXPECT_EQ(closed.payload, "too many messages");
  EXPECT_TRUE(proxy_->WaitForLog("client sends messages faster than its rate allows"));
  const std::string metrics = Get(port(), "/metrics").body;
  EXPECT_NE(metrics.find("framewall_websocket_messages_refused_total{from=\"client\"} 1\n"),
            metrics.npos)
      << metrics;
  EXPECT_EQ(upstream_.messages().size(), 5u);
}

TEST_F(SocketLimits, ByteRateDelays) {
  Start("websocket_byte_rate 10k/s burst=10k; websocket_message_rate off;");
  WebSocketClient client(port());
  const auto began = Clock::now();
  std::string all;
  for (int i = 0; i < 20; ++i) all += client->Frame(kOpBinary, std::string(1024, 'b'));
  client->Send(all);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client->Read().payload.size(), 1024u);
  const auto took = Clock::now() - began;
  EXPECT_GE(took, milliseconds(850));
  EXPECT_LT(took, seconds(15));
}

TEST_F(SocketLimits, ByteRateCloses) {
  Start("websocket_byte_rate 1k/s burst=4k close;");
  WebSocketClient client(port());
  // The last one may exceed what is left; then nothing is, for two seconds.
  client->SendBinary(std::string(6144, 'b'));
  EXPECT_EQ(client->Read().payload.size(), 6144u);
  client->SendBinary("b");
  EXPECT_CLOSED_WITH(client.end(), 1008);
}

TEST_F(SocketLimits, ClientMessageRateIsOfAllSocketsOfAClient) {
  Start("websocket_message_rate off; websocket_client_message_rate 1/s burst=6 close;");
  WebSocketClient one(port());
  WebSocketClient two(port());
  for (int i = 0; i < 3; ++i) {
    for (WebSocketClient* client : {&one, &two}) {
      (*client)->SendText("m");
      EXPECT_EQ((*client)->Read().payload, "m");
    }
  }
  // Somebody else is not touched.
  WebSocketClientOptions options;
  options.source = "127.0.0.2";
  WebSocketClient other(port(), options);
  other->SendText("m");
  EXPECT_EQ(other->Read().payload, "m");
  two->SendText("m");
  EXPECT_CLOSED_WITH(two.end(), 1008);
  // A new socket does not start anew.
  two->SendClose(1008);
  two.raw().Close();
  WebSocketClient third(port());
  third->SendText("m");
  third->SendText("m");
  EXPECT_CLOSED_WITH(third.end(), 1008);
}

TEST_F(SocketLimits, ClientMessageRateDelays) {
  Start("websocket_message_rate off; websocket_client_message_rate 20/s burst=4;");
  WebSocketClient one(port());
  WebSocketClient two(port());
  const auto began = Clock::now();
  for (WebSocketClient* client : {&one, &two}) {
    for (int i = 0; i < 8; ++i) (*client)->SendText("m");
  }
  for (WebSocketClient* client : {&one, &two}) {
    for (int i = 0; i < 8; ++i) EXPECT_EQ((*client)->Read().payload, "m");
  }
  EXPECT_GE(Clock::now() - began, milliseconds(500));
}

TEST_F(SocketLimits, ControlFramesCountAsMessages) {
  Start("websocket_message_rate 20/s burst=5;");
  WebSocketClient client(port());
  const auto began = Clock::now();
  std::string all;
  for (int i = 0; i < 14; ++i) all += client->Frame(kOpPong, "");
  client->Send(all + client->Frame(kOpText, "m"));
  EXPECT_EQ(client->Read().payload, "m");
  EXPECT_GE(Clock::now() - began, milliseconds(400));
}

// --- Who may open a socket ---

TEST_F(SocketLimits, ClientConnectionsOverTwoWorkers) {
  Start("websocket_client_connections 4;", "", "worker_processes 2;");
  ASSERT_TRUE(Eventually([&] { return proxy_->Workers().size() == 2; }));
  std::vector<std::unique_ptr<WebSocketClient>> open;
  for (int i = 0; i < 4; ++i) {
    open.push_back(std::make_unique<WebSocketClient>(port()));
    EXPECT_EQ(open.back()->status(), 101);
  }
  for (int i = 0; i < 10; ++i) EXPECT_EQ(WebSocketClient(port()).status(), 503);
  WebSocketClientOptions options;
  options.source = "127.0.0.2";
  EXPECT_EQ(WebSocketClient(port(), options).status(), 101);
  EXPECT_TRUE(proxy_->WaitForLog("the client has websocket_client_connections sockets already"));
  (*open[0])->SendClose(1000);
  (*open[0])->ReadToClose();
  open.erase(open.begin());
  EXPECT_TRUE(Eventually([&] { return WebSocketClient(port()).status() == 101; }));
}

TEST_F(SocketLimits, Origins) {
  Start("websocket_origins same https://a.example https://*.b.example:8443;");
  const auto status = [&](const std::string& origin) {
    WebSocketClientOptions options;
    options.host = "chat.example";
    if (!origin.empty()) options.headers = "Origin: " + origin + "\r\n";
    return WebSocketClient(port(), options).status();
  };
  for (const char* allowed :
       {"https://chat.example", "http://chat.example", "https://a.example", "HTTPS://A.example",
        "https://x.b.example:8443", "https://y.x.b.example:8443"}) {
    EXPECT_EQ(status(allowed), 101) << allowed;
  }
  for (const char* refused :
       {"", "null", "https://other.example", "http://a.example", "https://a.example:444",
        "https://a.example.evil", "https://eviltb.example:8443", "https://b.example:8443",
        "https://x.b.example", "https://chat.example.evil", "https://evil/https://a.example",
        "https://a.example\r\nOrigin: https://evil"}) {
    EXPECT_EQ(status(refused), 403) << refused;
  }
  EXPECT_TRUE(proxy_->WaitForLog("origin \"https://other.example\" is not in websocket_origins"));
  Start("websocket_origins none;");
  EXPECT_EQ(status(""), 101);
  EXPECT_EQ(status("https://chat.example"), 403);
}

TEST_F(SocketLimits, Subprotocols) {
  Start("websocket_protocols chat;");
  const auto status = [&](const std::string& asked) {
    return WebSocketClient(port(), With("Sec-WebSocket-Protocol: " + asked + "\r\n")).status();
  };
  EXPECT_EQ(status("other"), 403);
  EXPECT_EQ(status("CHAT"), 403);
  EXPECT_EQ(upstream_.requests().size(), 0u);
  EXPECT_EQ(status("other, chat"), 101);
  EXPECT_EQ(upstream_.requests().back().Header("Sec-WebSocket-Protocol"), "chat");
  EXPECT_EQ(WebSocketClient(port()).status(), 101);
}

TEST_F(SocketLimits, Extensions) {
  const auto answer = [&](const std::string& offer) {
    return WebSocketClient(port(), With("Sec-WebSocket-Extensions: " + offer + "\r\n")).answer();
  };
  Start("");
  EXPECT_EQ(answer("x-foo").Header("Sec-WebSocket-Extensions"), "");
  EXPECT_EQ(answer("x-foo, permessage-deflate").Header("Sec-WebSocket-Extensions").substr(0, 18),
            "permessage-deflate");
  Start("websocket_extensions refuse;");
  EXPECT_EQ(answer("permessage-deflate").status(), 101);
  EXPECT_EQ(answer("x-foo").status(), 403);
  EXPECT_EQ(answer("permessage-deflate, x-foo").status(), 403);
}

// --- Memory ---

// A message of `size` octets without its last one.
std::string AllButTheLast(size_t size) {
  std::string frame = ClientFrame(kOpBinary, std::string(size, 'm'));
  frame.pop_back();
  return frame;
}

// Kilobytes that may come on top, beyond what the kernel's buffers take. AddressSanitizer keeps
// freed memory for a while.
#ifdef __SANITIZE_ADDRESS__
constexpr size_t kMostMemory = 18 * 1024;
#else
constexpr size_t kMostMemory = 4096;
#endif

// Memory of its own, without what the file of the program takes.
size_t ResidentKilobytes(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) return std::stoul(line.substr(8));
  }
  return 0;
}

TEST_F(SocketLimits, ClientMemory) {
  Start("websocket_client_memory 100k;");
  WebSocketClient one(port());
  one->Send(AllButTheLast(60000));
  WebSocketClientOptions options;
  options.source = "127.0.0.2";
  WebSocketClient other(port(), options);
  other->Send(AllButTheLast(60000));
  EXPECT_EQ(one->Read(milliseconds(200)).kind, Kind::kSilence);
  WebSocketClient two(port());
  two->Send(AllButTheLast(60000));
  EXPECT_CLOSED_WITH(two.end(), 1013);
  EXPECT_TRUE(proxy_->WaitForLog("unfinished messages exceed websocket_client_memory"));
  two->SendClose(1013);
  two.raw().Close();
  // What is given back may be used again.
  ASSERT_TRUE(proxy_->WaitForLog("code=1013 by=gateway", "access.log"));
  WebSocketClient three(port());
  three->SendBinary(std::string(30000, 'm'));
  EXPECT_EQ(three->Read().payload.size(), 30000u);
  for (WebSocketClient* client : {&one, &other}) {
    (*client)->Send("x");
    EXPECT_EQ((*client)->Read().payload.size(), 60000u);
  }
}

// A peer that goes on sending after our Close fills nothing.
TEST_F(SocketLimits, MemoryAfterTheCloseIsBoundedToo) {
  Start("websocket_client_memory 100k; websocket_max_message_size 64m;");
  const std::string frame = ClientFrame(kOpBinary, std::string(30 << 20, 'm'));
  WebSocketClient client(port());
  client->Send(frame.substr(0, 200000));
  EXPECT_CLOSED_WITH(client.end(), 1013);
  const size_t before = ResidentKilobytes(proxy_->Workers().at(0));
  client->Send(frame.substr(200000, 20 << 20));
  EXPECT_LT(ResidentKilobytes(proxy_->Workers().at(0)), before + kMostMemory);
}

TEST_F(SocketLimits, WorkerMemory) {
  Start("websocket_worker_memory 100k;");
  WebSocketClient one(port());
  one->Send(AllButTheLast(60000));
  EXPECT_EQ(one->Read(milliseconds(200)).kind, Kind::kSilence);
  WebSocketClientOptions options;
  options.source = "127.0.0.2";
  WebSocketClient other(port(), options);
  other->Send(AllButTheLast(60000));
  EXPECT_CLOSED_WITH(other.end(), 1013);
  EXPECT_TRUE(proxy_->WaitForLog("unfinished messages exceed websocket_worker_memory"));
  one->Send("x");
  EXPECT_EQ(one->Read().payload.size(), 60000u);
}

// Waits until `sent` does not grow any more, and says how far it came.
size_t WhereItStops(const std::atomic<size_t>& sent) {
  size_t last = sent;
  for (auto since = Clock::now(); Clock::now() - since < milliseconds(700);) {
    std::this_thread::sleep_for(milliseconds(20));
    if (sent != last) {
      last = sent;
      since = Clock::now();
    }
  }
  return last;
}

constexpr size_t kFlood = 600;
constexpr size_t kFloodMessage = 65536;

TEST(SocketBackpressure, SlowClientPausesTheUpstream) {
  std::atomic<size_t> sent = 0;
  WebSocketUpstream upstream([&](WebSocketEnd& end) {
    for (size_t i = 0; i < kFlood; ++i) {
      if (!end.SendBinary(std::string(kFloodMessage, static_cast<char>('a' + i % 26)))) return;
      ++sent;
    }
    end.ReadToClose();
  });
  ProxyProcess proxy(SocketServer(upstream, "", "location = /ready { return 204; }"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  ASSERT_EQ(Get(proxy.port(0), "/ready").status(), 204);
  const size_t before = ResidentKilobytes(proxy.Workers().at(0));
  WebSocketClient client(proxy.port(0));
  const size_t stopped = WhereItStops(sent);
  EXPECT_LT(stopped, kFlood);
  EXPECT_LT(ResidentKilobytes(proxy.Workers().at(0)), before + kMostMemory);
  for (size_t i = 0; i < kFlood; ++i) {
    const WebSocketEvent message = client->Read();
    ASSERT_EQ(message.payload.size(), kFloodMessage) << i;
    ASSERT_EQ(message.payload[0], static_cast<char>('a' + i % 26));
  }
  EXPECT_LT(ResidentKilobytes(proxy.Workers().at(0)), before + kMostMemory);
}

TEST(SocketBackpressure, SlowUpstreamPausesTheClient) {
  std::atomic<bool> reads = false;
  std::atomic<size_t> got = 0;
  WebSocketUpstream upstream([&](WebSocketEnd& end) {
    Eventually([&] { return reads.load(); });
    while (end.Read().kind == Kind::kBinary) ++got;
  });
  ProxyProcess proxy(SocketServer(upstream,
                                  "websocket_message_rate off; websocket_client_message_rate off;",
                                  "location = /ready { return 204; }"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  ASSERT_EQ(Get(proxy.port(0), "/ready").status(), 204);
  const size_t before = ResidentKilobytes(proxy.Workers().at(0));
  WebSocketClient client(proxy.port(0));
  std::atomic<size_t> sent = 0;
  std::thread sender([&] {
    const std::string frame = ClientFrame(kOpBinary, std::string(kFloodMessage, 'c'));
    for (size_t i = 0; i < kFlood && client->Send(frame); ++i) ++sent;
  });
  const size_t stopped = WhereItStops(sent);
  EXPECT_LT(stopped, kFlood);
  EXPECT_LT(ResidentKilobytes(proxy.Workers().at(0)), before + kMostMemory);
  reads = true;
  sender.join();
  EXPECT_TRUE(Eventually([&] { return got == kFlood; })) << got;
  EXPECT_LT(ResidentKilobytes(proxy.Workers().at(0)), before + kMostMemory);
}

}  // namespace
}  // namespace framewall::test
