// SIGKILL while people talk: what was acknowledged on a socket is in the history afterwards, once
// and under its number; what was not is sent again and is there once as well.
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "proxy/json/document.h"
#include "tests/support/backend_process.h"
#include "tests/support/websocket_peer.h"

namespace framewall::test {
namespace {

constexpr int kRuns = 20;
constexpr size_t kTalkers = 3;
constexpr size_t kWindow = 16;  // messages of one that wait for their acknowledgement

std::string Text(const json::Value& value, std::string_view name) {
  const auto found = value.Find(name);
  return found && found->kind() == json::Kind::kString ? std::string(found->AsString()) : "";
}
int64_t Integer(const json::Value& value, std::string_view name) {
  const auto found = value.Find(name);
  return found && found->kind() == json::Kind::kInteger ? found->AsInteger() : -1;
}

struct Ack {
  int64_t number = 0;
  std::string id;
  bool operator==(const Ack&) const = default;
};
using Acks = std::map<std::string, Ack>;  // by client id

class Socket {
 public:
  Socket(const BackendProcess& backend, const std::string& token, const std::string& room)
      : client_(backend.socket_path(), Options(token)), room_(room) {}

  bool Join() {
    if (client_.status() != 101) return false;
    client_->SendText(R"({"type":"hello","v":1,"rooms":[{"room":")" + room_ + "\"}]}");
    return Wait("joined").has_value();
  }
  bool Say(const std::string& client_id) {
    return client_->SendText(R"({"type":"message","room":")" + room_ + R"(","client_id":")" +
                             client_id + R"(","text":"text of )" + client_id + "\"}");
  }
  // The next message of that type; nothing once the socket has ended.
  std::optional<json::Document> Wait(std::string_view type) {
    for (;;) {
      const WebSocketEvent event = client_->Read();
      if (event.kind != WebSocketEvent::Kind::kText) return std::nullopt;
      auto document = json::Document::Parse(event.payload);
      if (!document.ok()) return std::nullopt;
      const std::string got = Text(document->root(), "type");
      if (got == type) return std::move(document).value();
      if (got == "error") error_ = event.payload;
    }
  }
  // The acknowledgement that comes next.
  bool ReadAck(Acks& acks) {
    const auto ack = Wait("ack");
    if (!ack) return false;
    acks[Text(ack->root(), "client_id")] =
        Ack{Integer(ack->root(), "number"), Text(ack->root(), "id")};
    return true;
  }
  struct Stored {
    Ack ack;
    std::string client_id;
    std::string text;
  };
  // All of the room, in pages.
  std::vector<Stored> History() {
    std::vector<Stored> all;
    for (int64_t after = 0;;) {
      client_->SendText(R"({"type":"history","room":")" + room_ + R"(","limit":200,"after":)" +
                        std::to_string(after) + "}");
      const auto page = Wait("history");
      if (!page) return {};
      const json::Value messages = *page->root().Find("messages");
      for (size_t i = 0; i < messages.size(); ++i) {
        const json::Value message = messages.At(i);
        all.push_back({{Integer(message, "number"), Text(message, "id")},
                       Text(message, "client_id"),
                       Text(message, "text")});
        after = all.back().ack.number;
      }
      if (!page->root().Find("more")->AsBoolean() || messages.size() == 0) return all;
    }
  }
  const std::string& error() const { return error_; }

 private:
  static WebSocketClientOptions Options(const std::string& token) {
    WebSocketClientOptions options;
    options.path = "/ws/chat";
    options.headers = "Authorization: Bearer " + token + "\r\n";
    return options;
  }
  WebSocketClient client_;
  std::string room_;
  std::string error_;
};

// Says as much as is acknowledged, until the socket ends.
struct Talker {
  Acks acks;
  std::set<std::string> said;

  void Run(Socket& socket, const std::string& prefix, std::atomic<size_t>& count) {
    for (size_t i = 0;;) {
      while (said.size() - acks.size() < kWindow) {
        const std::string client_id = prefix + std::to_string(i++);
        said.insert(client_id);
        if (!socket.Say(client_id)) return Finish(socket, count);
      }
      if (!socket.ReadAck(acks)) return;
      ++count;
    }
  }
  // What had been acknowledged before the end may still be on its way.
  void Finish(Socket& socket, std::atomic<size_t>& count) {
    while (socket.ReadAck(acks)) ++count;
  }
};

class BackendCrash : public testing::Test {
 protected:
  BackendCrash()
      : backend(
            "accounts: {registration_open: true}\n"
            "chat: {messages: 10000, burst: 100000}\n") {}

  void SetUp() override {
    ASSERT_TRUE(backend.Start()) << backend.Output();
    constexpr char kAccount[] = R"({"name":"anna","password":"a long enough phrase"})";
    ASSERT_EQ(201, backend.Request("POST", "/api/v1/register", "", kAccount).status());
    const HttpMessage in = backend.Request("POST", "/api/v1/login", "", kAccount);
    token = Member(in.body, "access_token");
    const HttpMessage made =
        backend.Request("POST", "/api/v1/rooms", "Authorization: Bearer " + token + "\r\n",
                        R"({"name":"Kitchen"})");
    ASSERT_EQ(201, made.status()) << made.body;
    room = Member(made.body, "id");
  }
  static std::string Member(const std::string& text, std::string_view name) {
    const auto document = json::Document::Parse(text);
    return document.ok() ? Text(document->root(), name) : "";
  }
  std::unique_ptr<Socket> Join() {
    auto socket = std::make_unique<Socket>(backend, token, room);
    EXPECT_TRUE(socket->Join()) << backend.Output();
    return socket;
  }
  // Talks until `count` were acknowledged, and kills.
  void TalkAndKill(int run, size_t count) {
    std::vector<std::unique_ptr<Socket>> sockets;
    for (size_t i = 0; i < kTalkers; ++i) sockets.push_back(Join());
    std::vector<Talker> talkers(kTalkers);
    std::vector<std::thread> threads;
    std::atomic<size_t> acknowledged = 0;
    for (size_t i = 0; i < kTalkers; ++i) {
      threads.emplace_back([&, i] {
        talkers[i].Run(*sockets[i], std::to_string(run) + "-" + std::to_string(i) + "-",
                       acknowledged);
      });
    }
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (acknowledged < count && std::chrono::steady_clock::now() < patience) {
      std::this_thread::yield();
    }
    EXPECT_EQ(128 + SIGKILL, backend.Kill());
    for (std::thread& thread : threads) thread.join();
    EXPECT_GE(acknowledged, count) << sockets[0]->error();
    unsure.clear();
    for (const Talker& talker : talkers) {
      for (const std::string& client_id : talker.said) {
        const auto ack = talker.acks.find(client_id);
        if (ack == talker.acks.end()) {
          unsure.push_back(client_id);
        } else {
          acks.insert(*ack);
        }
      }
    }
  }
  // The history against all that was ever acknowledged.
  void CheckHistory(Socket& socket) {
    std::set<std::string> seen;
    int64_t number = 0;
    for (const Socket::Stored& stored : socket.History()) {
      EXPECT_EQ(++number, stored.ack.number);
      EXPECT_TRUE(seen.insert(stored.client_id).second) << "twice: " << stored.client_id;
      EXPECT_EQ("text of " + stored.client_id, stored.text);
      const auto ack = acks.find(stored.client_id);
      if (ack == acks.end()) continue;
      EXPECT_EQ(ack->second, stored.ack) << stored.client_id;
    }
    for (const auto& [client_id, ack] : acks) {
      ASSERT_TRUE(seen.contains(client_id)) << "acknowledged and lost: " << client_id;
    }
  }

  BackendProcess backend;
  std::string token;
  std::string room;
  Acks acks;                        // of all runs
  std::vector<std::string> unsure;  // of the last run: sent, and no word of them
};

TEST_F(BackendCrash, LosesNothingThatWasAcknowledged) {
  std::mt19937 random(5);
  for (int run = 0; run < kRuns; ++run) {
    SCOPED_TRACE("run " + std::to_string(run));
    TalkAndKill(run, 20 + random() % 150);
    ASSERT_TRUE(backend.Start()) << backend.Output();
    auto socket = Join();
    CheckHistory(*socket);
    if (HasFatalFailure()) return;
    // Sent again, as a client does; in the next history each is there once.
    for (const std::string& client_id : unsure) ASSERT_TRUE(socket->Say(client_id));
    for (size_t i = 0; i < unsure.size(); ++i) ASSERT_TRUE(socket->ReadAck(acks));
    CheckHistory(*socket);
    if (HasFatalFailure()) return;
  }
  EXPECT_GE(acks.size(), size_t{20} * kRuns);
}

}  // namespace
}  // namespace framewall::test
