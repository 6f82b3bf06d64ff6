// WebSockets as handlers use them, against the tests' own frames.
#include <gtest/gtest.h>

#include "tests/support/websocket_peer.h"
#include "tests/unit/backend/server/server_harness.h"

namespace framewall::backend::server {
namespace {

using test::WebSocketClient;
using test::WebSocketClientOptions;
using test::WebSocketEvent;
using Kind = WebSocketEvent::Kind;

// Holds what comes, and sends it back where it should.
struct Peer final : SocketEvents {
  std::unique_ptr<Socket> socket;
  std::vector<std::string> messages;
  std::vector<uint16_t> codes;
  bool echoes = true;
  bool destroys_on_message = false;
  bool destroys_on_close = true;

  void OnMessage(std::string_view text) override {
    messages.emplace_back(text);
    if (destroys_on_message) return socket.reset();
    if (echoes) socket->Send(text);
  }
  void OnClosed(uint16_t code) override {
    codes.push_back(code);
    if (destroys_on_close) socket.reset();
  }
};

class SocketTest : public testing::Test {
 protected:
  // The members are destroyed after the server.
  Peer peer_;
  SocketOptions options_;
  std::unique_ptr<ServerHarness> server_;

  void Serve() {
    server_ = std::make_unique<ServerHarness>(
        std::vector<Route>{Open("GET", "/chat", "chat", [this](CallRef call) {
          peer_.socket = call->AnswerWithSocket(options_);
          if (peer_.socket != nullptr) peer_.socket->SetEvents(&peer_);
        })});
  }
  WebSocketClient Connect(const WebSocketClientOptions& options = {}) {
    return WebSocketClient(server_->path(), options);
  }
  // The code that the peer's events were told.
  uint16_t ClosedWith() {
    uint16_t code = 0;
    test::Eventually([&] {
      server_->OnLoop([&] { code = peer_.codes.empty() ? uint16_t{0} : peer_.codes.front(); });
      return code != 0;
    });
    return code;
  }
  void TearDown() override {
    if (server_ == nullptr) return;
    server_->OnLoop([&] {
      EXPECT_LE(peer_.codes.size(), 1u);
      peer_.socket.reset();
    });
    server_.reset();
  }
};

TEST_F(SocketTest, ShakesHandsAndTalks) {
  options_.subprotocol = "chat.1";
  Serve();
  WebSocketClient client = Connect();
  ASSERT_EQ(client.status(), 101);
  EXPECT_EQ(client.answer().Header("Sec-WebSocket-Accept"),
            test::WebSocketAccept(test::kClientKey));
  EXPECT_EQ(client.answer().Header("Sec-WebSocket-Protocol"), "chat.1");
  EXPECT_EQ(client.answer().Header("Sec-WebSocket-Extensions"), "");
  client->SendText("hello");
  EXPECT_EQ(client->Read().payload, "hello");
  client->SendFragments(test::kOpText, {"\xD0", "\xB6", ""});
  EXPECT_EQ(client->Read().payload, "\xD0\xB6");
  client->SendFrame(test::kOpPing, "are you there");
  const auto pong = client->ReadFrame();
  ASSERT_TRUE(pong);
  EXPECT_EQ(pong->opcode, test::kOpPong);
  EXPECT_EQ(pong->payload, "are you there");
  const std::string large(60'000, 'a');
  client->SendText(large);
  EXPECT_EQ(client->Read().payload, large);
  EXPECT_EQ(server_->observer().sockets, 1u);
  EXPECT_EQ(server_->observer().connections, 0u);
  client->SendClose(1000, "bye");
  EXPECT_EQ(client->ReadToClose().code, 1000);
  EXPECT_EQ(ClosedWith(), 1000);
  EXPECT_TRUE(test::Eventually([&] { return server_->observer().sockets == 0; }));
}

TEST_F(SocketTest, TakesWhatComesWithTheHandshake) {
  Serve();
  WebSocketClientOptions options;
  options.early =
      test::ClientFrame(test::kOpText, "early") + test::ClientFrame(test::kOpText, "er");
  WebSocketClient client = Connect(options);
  ASSERT_EQ(client.status(), 101);
  EXPECT_EQ(client->Read().payload, "early");
  EXPECT_EQ(client->Read().payload, "er");
}

TEST_F(SocketTest, RefusesWhatIsNoHandshake) {
  Serve();
  const auto status = [&](const std::string& fields) { return server_->Get("/chat", fields); };
  const std::string upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  EXPECT_EQ(status("").status(), 426);
  EXPECT_EQ(status("").Header("Upgrade"), "websocket");
  EXPECT_EQ(status(upgrade + key + "Sec-WebSocket-Version: 8\r\n").status(), 426);
  EXPECT_EQ(status(upgrade + key + "Sec-WebSocket-Version: 8\r\n").Header("Sec-WebSocket-Version"),
            "13");
  EXPECT_EQ(status(upgrade + "Sec-WebSocket-Version: 13\r\n").status(), 400);
  EXPECT_EQ(status(upgrade + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: a\r\n").status(),
            400);
  server_->OnLoop([&] { EXPECT_EQ(peer_.socket, nullptr); });
}

TEST_F(SocketTest, MessageLimitOnBothSides) {
  options_.max_message = 1000;
  Serve();
  {
    WebSocketClient client = Connect();
    client->SendText(std::string(1000, 'a'));
    EXPECT_EQ(client->Read().payload.size(), 1000u);
    client->SendFragments(test::kOpText, {std::string(600, 'a'), std::string(400, 'b')});
    EXPECT_EQ(client->Read().payload.size(), 1000u);
    client->SendFragments(test::kOpText, {std::string(600, 'a'), std::string(401, 'b')});
    EXPECT_EQ(client->ReadToClose().code, 1009);
    EXPECT_EQ(ClosedWith(), 1009);
  }
  server_->OnLoop([&] { peer_.codes.clear(); });
  WebSocketClient client = Connect();
  client->SendText(std::string(1001, 'a'));
  EXPECT_EQ(client->ReadToClose().code, 1009);
  EXPECT_EQ(ClosedWith(), 1009);
}

TEST_F(SocketTest, FaultsHaveTheirCodes) {
  Serve();
  const auto code_of = [&](const std::string& octets) {
    server_->OnLoop([&] { peer_.codes.clear(); });
    WebSocketClient client = Connect();
    client->Send(octets);
    const uint16_t code = client->ReadToClose().code;
    EXPECT_EQ(ClosedWith(), code);
    EXPECT_EQ(server_->observer().last_code, code);
    return code;
  };
  EXPECT_EQ(code_of(test::ClientFrame(test::kOpText, "\xff")), 1007);
  EXPECT_EQ(code_of(test::ClientFrame(test::kOpBinary, "a")), 1003);
  EXPECT_EQ(code_of(test::ServerFrame(test::kOpText, "not masked")), 1002);
  EXPECT_EQ(code_of(test::ClientFrame(test::kOpText, "a", true, 4)), 1002);
  EXPECT_EQ(code_of(test::ClientFrame(test::kOpContinuation, "a")), 1002);
  EXPECT_EQ(code_of(test::ClientFrame(test::kOpClose, test::CloseBody(3000))), 3000);
  EXPECT_EQ(code_of(test::ClientFrame(test::kOpClose, test::CloseBody(999))), 1002);
  EXPECT_EQ(code_of(test::ClientFrame(test::kOpClose, "")), 1005);
}

TEST_F(SocketTest, OurCloseIsSaidAndHeard) {
  Serve();
  WebSocketClient client = Connect();
  server_->OnLoop([&] {
    peer_.socket->Send("last");
    peer_.socket->Close(4001, "logged out");
    peer_.socket->Send("never");
    EXPECT_TRUE(peer_.codes.empty());
  });
  EXPECT_EQ(client->Read().payload, "last");
  const WebSocketEvent close = client->Read();
  EXPECT_EQ(close.kind, Kind::kClose);
  EXPECT_EQ(close.code, 4001);
  EXPECT_EQ(close.payload, "logged out");
  EXPECT_EQ(ClosedWith(), 4001);
  // What comes behind it is nobody's.
  client->SendText("too late");
  client->SendClose(4001);
  EXPECT_EQ(client->Read().kind, Kind::kEnd);
  server_->OnLoop([&] { EXPECT_TRUE(peer_.messages.empty()); });
}

TEST_F(SocketTest, MayBeDestroyedAtAnyTime) {
  peer_.destroys_on_message = true;
  Serve();
  WebSocketClient client = Connect();
  client->Send(test::ClientFrame(test::kOpText, "a") + test::ClientFrame(test::kOpText, "b"));
  EXPECT_EQ(client->Read().code, 1001);
  server_->OnLoop([&] {
    EXPECT_EQ(peer_.messages.size(), 1u);
    EXPECT_TRUE(peer_.codes.empty());
  });
}

TEST_F(SocketTest, ABrokenConnectionIs1006) {
  Serve();
  WebSocketClient client = Connect();
  client->SendText("a");
  EXPECT_EQ(client->Read().payload, "a");
  client.raw().Close();
  EXPECT_EQ(ClosedWith(), 1006);
}

TEST_F(SocketTest, HeartbeatKeepsTheLivingAndFindsTheDead) {
  options_.ping_interval_ms = 100;
  Serve();
  {
    WebSocketClient client = Connect();
    client->answers_pings = true;
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(600);
    while (std::chrono::steady_clock::now() < until) {
      EXPECT_EQ(client->Read(std::chrono::milliseconds(50)).kind, Kind::kSilence);
    }
    EXPECT_GE(client->pings.size(), 3u);
    client->SendText("still here");
    EXPECT_EQ(client->Read().payload, "still here");
    client->answers_pings = false;
    EXPECT_EQ(client->ReadToClose(std::chrono::seconds(5)).kind, Kind::kEnd);
    EXPECT_EQ(ClosedWith(), 1006);
  }
}

TEST_F(SocketTest, ASlowReaderIsClosedAndAFastOneIsNot) {
  options_.max_unsent = 100'000;
  Serve();
  {
    WebSocketClient fast = Connect();
    for (int i = 0; i < 100; ++i) {
      server_->OnLoop([&] { peer_.socket->Send(std::string(50'000, 'a')); });
      ASSERT_EQ(fast->Read().payload.size(), 50'000u);
    }
    fast->SendClose(1000);
    EXPECT_EQ(ClosedWith(), 1000);
  }
  server_->OnLoop([&] { peer_.codes.clear(); });
  WebSocketClient slow = Connect();
  size_t unsent = 0;
  for (int i = 0; i < 100; ++i) {
    server_->OnLoop([&] {
      if (peer_.socket == nullptr) return;
      peer_.socket->Send(std::string(50'000, 'a'));
      unsent = std::max(unsent, peer_.socket->unsent());
    });
  }
  EXPECT_EQ(ClosedWith(), 1013);
  EXPECT_LT(unsent, 200'000u);
  // Where it reads after all, it learns why.
  EXPECT_EQ(slow->ReadToClose().code, 1013);
}

TEST_F(SocketTest, AFrameIsSharedByMany) {
  std::vector<std::unique_ptr<Socket>> sockets;
  ServerHarness server({Open("GET", "/chat", "chat", [&](CallRef call) {
    sockets.push_back(call->AnswerWithSocket(SocketOptions()));
  })});
  std::vector<std::unique_ptr<WebSocketClient>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<WebSocketClient>(server.path(), WebSocketClientOptions()));
  }
  for (const size_t size :
       {size_t{0}, size_t{5}, size_t{125}, size_t{126}, size_t{65535}, size_t{65536}}) {
    server.OnLoop([&] {
      const Socket::Frame frame = Socket::MakeFrame(std::string(size, 'a'));
      for (const auto& socket : sockets) socket->Send(frame);
    });
    for (const auto& client : clients) EXPECT_EQ((*client)->Read().payload.size(), size);
  }
  server.OnLoop([&] { sockets.clear(); });
  for (const auto& client : clients) EXPECT_EQ((*client)->ReadToClose().code, 1001);
}

TEST_F(SocketTest, TheDrainSaysGoodbye) {
  Serve();
  std::atomic<bool> drained{false};
  WebSocketClient client = Connect();
  server_->OnLoop([&] { server_->server().Drain(Milliseconds(5000), [&] { drained = true; }); });
  EXPECT_EQ(client->Read().code, 1001);
  EXPECT_EQ(ClosedWith(), 1001);
  EXPECT_FALSE(drained);
  client->SendClose(1001);
  EXPECT_TRUE(test::Eventually([&] { return drained.load(); }));
}

TEST_F(SocketTest, IsNotOpenedAnyMoreInADrain) {
  Serve();
  test::RawClient late = server_->Connect();
  late.Send("GET /chat HTTP/1.1\r\nHost: a\r\n");
  EXPECT_EQ(server_->Get("/chat").status(), 426);
  server_->OnLoop([&] { server_->server().Drain(Milliseconds(5000), [] {}); });
  late.Send(
      "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  const test::HttpMessage refused = late.ReadResponse();
  EXPECT_EQ(refused.status(), 503);
  EXPECT_EQ(refused.Header("Retry-After"), "1");
}

// Says who it is two turns later.
class Slowly final : public Authenticator {
 public:
  void Authenticate(CallRef call, Done done) override {
    event::EventLoop& loop = call->loop();
    loop.Post([&loop, call, done] { loop.Post([call, done] { done(Identity(), nullptr); }); });
  }
};

TEST_F(SocketTest, WhatCameEarlyWaitsForTheHandshake) {
  Slowly slowly;
  Peer peer;
  ServerHarness server({Open("GET", "/chat", "chat",
                             [&](CallRef call) {
                               peer.socket = call->AnswerWithSocket(SocketOptions());
                               peer.socket->SetEvents(&peer);
                             })},
                       Limits(), &slowly);
  WebSocketClientOptions options;
  options.early = test::ClientFrame(test::kOpText, "early");
  WebSocketClient client(server.path(), options);
  ASSERT_EQ(client.status(), 101);
  EXPECT_EQ(client->Read().payload, "early");
  server.OnLoop([&] { peer.socket.reset(); });
}

TEST_F(SocketTest, CountsAsAConnection) {
  Limits limits;
  limits.connections = 1;
  Peer peer;
  ServerHarness server({Open("GET", "/chat", "chat",
                             [&](CallRef call) {
                               peer.socket = call->AnswerWithSocket(SocketOptions());
                               peer.socket->SetEvents(&peer);
                             })},
                       limits);
  WebSocketClient client(server.path(), WebSocketClientOptions());
  ASSERT_EQ(client.status(), 101);
  EXPECT_EQ(server.Get("/chat").status(), 503);
  server.OnLoop([&] { peer.socket.reset(); });
}

}  // namespace
}  // namespace framewall::backend::server
