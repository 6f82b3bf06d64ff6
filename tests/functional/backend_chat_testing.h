// People of a chat over the real framewall-backend.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/backend_process.h"
#include "tests/support/json_text.h"
#include "tests/support/websocket_peer.h"

namespace framewall::test {

inline constexpr char kChatPassword[] = "correct horse battery staple";

// Somebody with an account, logged in.
struct ChatUser {
  std::string id;
  std::string name;
  std::string token;
  std::string bearer() const { return "Authorization: Bearer " + token + "\r\n"; }
};

// One socket of /ws/chat.
class ChatSocket {
 public:
  explicit ChatSocket(std::unique_ptr<WebSocketClient> client) : client_(std::move(client)) {}

  int status() const { return client_->status(); }
  WebSocketClient& client() { return *client_; }
  void Say(const std::string& json) { client_->end().SendText(json); }
  void Hello(const std::string& rooms = "") {
    Say(R"({"type":"hello","v":1,"rooms":[)" + rooms + "]}");
  }
  // {"type":…,"ref":"r","room":…, and more}
  void Of(const std::string& type, const std::string& room, const std::string& more = "") {
    Say(R"({"type":")" + type + R"(","ref":"r","room":")" + room + "\"" +
        (more.empty() ? "" : "," + more) + "}");
  }
  void Message(const std::string& room, const std::string& client_id, const std::string& text) {
    Say(R"({"type":"message","room":")" + room + R"(","client_id":")" + client_id +
        R"(","text":")" + text + "\"}");
  }

  // The next message; `closed` once it is none.
  std::optional<Json> Read(std::chrono::milliseconds wait = kPatience) {
    const WebSocketEvent event = client_->end().Read(wait);
    if (event.kind == WebSocketEvent::Kind::kText) return Json(event.payload);
    if (event.kind == WebSocketEvent::Kind::kSilence) return std::nullopt;
    is_closed = true;
    code = event.kind == WebSocketEvent::Kind::kClose ? event.code : 1006;
    reason = event.payload;
    return std::nullopt;
  }
  // The next of that type; those before it are dropped. Null: the socket ended, or silence.
  Json Wait(const std::string& type, std::chrono::milliseconds wait = kPatience) {
    while (auto message = Read(wait)) {
      if (message->type() == type) return *message;
    }
    ADD_FAILURE() << "no " << type
                  << (is_closed ? ", but closed with " + std::to_string(code) : "");
    return Json("null");
  }
  // The code of the error that comes next.
  std::string WaitForError() { return Wait("error").At("problem").At("code").Text(); }
  void WaitForClose() {
    while (Read()) {
    }
  }

  bool is_closed = false;
  int code = 0;
  std::string reason;

 private:
  std::unique_ptr<WebSocketClient> client_;
};

class ChatTest : public testing::Test {
 protected:
  static constexpr char kOpen[] = "accounts: {registration_open: true}\n";

  void Start(const std::string& more = "") {
    backend.SetSettings(kOpen + more);
    ASSERT_TRUE(backend.Start()) << backend.Output();
  }

  ChatUser Register(const std::string& name) {
    const HttpMessage made = backend.Request("POST", "/api/v1/register", "", Account(name));
    EXPECT_EQ(made.status(), 201) << made.body << backend.Output();
    return LogIn(name);
  }
  ChatUser LogIn(const std::string& name) {
    const HttpMessage answer = backend.Request("POST", "/api/v1/login", "", Account(name));
    EXPECT_EQ(answer.status(), 200) << answer.body;
    const Json json(answer.body);
    return {json.At("user").At("id").Text(), name, json.At("access_token").Text()};
  }
  static std::string Account(const std::string& name) {
    return R"({"name":")" + name + R"(","password":")" + kChatPassword + "\"}";
  }
  std::string Ticket(const ChatUser& user) {
    const HttpMessage answer =
        backend.Request("POST", "/api/v1/socket-ticket", user.bearer(), "{}");
    EXPECT_LT(answer.status(), 300) << answer.body;
    return Json(answer.body).At("ticket").Text();
  }

  // The first is the owner, the others are invited and accept. Its id.
  std::string MakeRoom(const std::vector<ChatUser>& people, const std::string& assistant = "") {
    const std::string path = "/api/v1/rooms";
    const HttpMessage made = backend.Request(
        "POST", path, people.at(0).bearer(),
        R"({"name":"Kitchen","visibility":"private")" +
            (assistant.empty() ? "" : R"(,"assistant":")" + assistant + "\"") + "}");
    EXPECT_EQ(made.status(), 201) << made.body;
    const std::string id = Json(made.body).At("id").Text();
    for (size_t i = 1; i < people.size(); ++i) {
      const HttpMessage invited =
          backend.Request("POST", path + "/" + id + "/members", people[0].bearer(),
                          R"({"user":")" + people[i].name + "\"}");
      EXPECT_EQ(invited.status(), 201) << invited.body;
      const HttpMessage joined =
          backend.Request("PUT", path + "/" + id + "/membership", people[i].bearer(), "{}");
      EXPECT_EQ(joined.status(), 200) << joined.body;
    }
    return id;
  }
  std::string MakeConversation(const ChatUser& user, const std::string& model = "echo") {
    const HttpMessage made = backend.Request("POST", "/api/v1/conversations", user.bearer(),
                                             R"({"name":"Talk","assistant":")" + model + "\"}");
    EXPECT_EQ(made.status(), 201) << made.body;
    return Json(made.body).At("id").Text();
  }

  std::unique_ptr<ChatSocket> Connect(const std::string& headers, const std::string& query = "") {
    WebSocketClientOptions options;
    options.path = "/ws/chat" + query;
    options.headers = headers;
    return std::make_unique<ChatSocket>(
        std::make_unique<WebSocketClient>(backend.socket_path(), options));
  }
  std::unique_ptr<ChatSocket> Come(const ChatUser& user) { return Connect(user.bearer()); }
  // In the room, with everything told that is told at once.
  std::unique_ptr<ChatSocket> Join(const ChatUser& user, const std::string& room,
                                   std::optional<int64_t> after = std::nullopt) {
    auto socket = Come(user);
    EXPECT_EQ(socket->status(), 101) << socket->client().answer().body;
    socket->Hello(R"({"room":")" + room + "\"" +
                  (after ? ",\"after\":" + std::to_string(*after) : "") + "}");
    socket->Wait("welcome");
    EXPECT_EQ(socket->Wait("joined").At("room").Text(), room);
    return socket;
  }

  BackendProcess backend;
};

}  // namespace framewall::test
