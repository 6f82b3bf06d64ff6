// The chat as people have it: through conf/framewall.conf, with the rules on.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/functional/backend_chat_testing.h"
#include "tests/functional/gateway_testing.h"

namespace framewall::test {
namespace {

class ChatGateway : public ChatTest {
 protected:
  void SetUp() override {
    // The workers of a gateway that is started by root are others.
    Start("server: {socket_mode: \"0666\"}\n");
    proxy = std::make_unique<ProxyProcess>(
        GatewayConf(backend.address(), FW_SOURCE_DIR "/backend/page"));
    WriteCertificate(proxy->directory());
    ASSERT_TRUE(proxy->Start()) << proxy->Output();
  }
  std::unique_ptr<ChatSocket> Knock(const std::string& headers, const std::string& query = "") {
    WebSocketClientOptions options;
    options.path = "/ws/chat" + query;
    options.host = "localhost:8080";  // of public_url
    options.headers = headers;
    return std::make_unique<ChatSocket>(std::make_unique<WebSocketClient>(proxy->port(0), options));
  }
  std::unique_ptr<ChatSocket> FromPage(const ChatUser& user) {
    return Knock(kOrigin, "?ticket=" + Ticket(user));
  }

  static constexpr char kOrigin[] = "Origin: http://localhost:8080\r\n";
  std::unique_ptr<ProxyProcess> proxy;
};

TEST_F(ChatGateway, TwoPeopleTalkWithTickets) {
  const ChatUser ann = Register("ann");
  const ChatUser bob = Register("bob");
  const std::string room = MakeRoom({ann, bob}, "echo");
  auto a = FromPage(ann);
  auto b = FromPage(bob);
  for (auto* socket : {a.get(), b.get()}) {
    ASSERT_EQ(socket->status(), 101) << socket->client().answer().body << proxy->Output();
    socket->Hello("{\"room\":\"" + room + "\"}");
    EXPECT_EQ(socket->Wait("joined").At("room").Text(), room);
  }
  a->Message(room, "1", "Кто взял чашку? It's mine.");
  EXPECT_EQ(b->Wait("message").At("text").Text(), "Кто взял чашку? It's mine.");
  b->Message(room, "2", "@assistant who took it?");
  Json answer = a->Wait("message");
  while (answer.At("role").Text() == "user" && !a->is_closed) answer = a->Wait("message");
  EXPECT_EQ(a->Wait("answer_end").At("state").Text(), "whole");
  // The token of a socket that came by ticket is the backend's business.
  a->Say(R"({"type":"auth","ref":"t","token":")" + LogIn("ann").token + "\"}");
  EXPECT_EQ(a->Wait("authenticated").At("in_reply_to").Text(), "t");
}

TEST_F(ChatGateway, TicketsAreGoodOnceFromThePageAndInNoLog) {
  const ChatUser ann = Register("ann");
  const std::string ticket = Ticket(ann);
  EXPECT_EQ(Knock(kOrigin, "?ticket=" + ticket)->status(), 101) << proxy->Output();
  EXPECT_EQ(Knock(kOrigin, "?ticket=" + ticket)->status(), 401);
  EXPECT_EQ(Knock("Origin: http://evil.example\r\n", "?ticket=" + Ticket(ann))->status(), 403);
  EXPECT_EQ(Knock("")->status(), 401);
  EXPECT_EQ(Knock(ann.bearer())->status(), 101);
  proxy->Terminate();
  for (const char* log : {"error.log", "access.log", "audit.log"}) {
    EXPECT_EQ(proxy->Log(log).find(ticket), std::string::npos) << log;
  }
  EXPECT_EQ(backend.Output().find(ticket), std::string::npos);
}

TEST_F(ChatGateway, AnAttackIsRefusedAndTheOthersHearNothingOfIt) {
  const ChatUser ann = Register("ann");
  const std::string room = MakeRoom({ann});
  auto a = FromPage(ann);
  auto b = FromPage(ann);
  for (auto* socket : {a.get(), b.get()}) {
    socket->Hello("{\"room\":\"" + room + "\"}");
    socket->Wait("joined");
  }
  a->Message(room, "1' UNION SELECT name, password FROM users -- ", "x");
  a->WaitForClose();
  EXPECT_EQ(a->code, 1008) << a->reason;
  b->Of("history", room);
  EXPECT_EQ(b->Wait("history").At("messages").size(), 0u);
}

}  // namespace
}  // namespace framewall::test
