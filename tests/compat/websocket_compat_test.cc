// The same configuration for Debian's nginx with its ModSecurity connector and for framewall: an
// attack in a WebSocket message passes nginx unseen, framewall closes the socket with 1008.
#include <gtest/gtest.h>

#include <string>

#include "proxy/ws/handshake.h"
#include "proxy/ws/message_reader.h"
#include "proxy/ws/message_writer.h"
#include "tests/compat/nginx.h"
#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"

namespace framewall::test {
namespace {

constexpr char kAttack[] = R"({"text":"1' UNION SELECT login, password FROM users -- "})";
// In English: CRS without rules/exclusions takes Cyrillic letters for an attack.
constexpr char kClean[] = R"({"text":"We meet at seven by the entrance, I have the tickets"})";

// Answers each message with "got: " and the message.
void ServeSockets(FakeUpstream::Peer& peer) {
  const HttpMessage request = peer.ReadRequest();
  if (!request.complete) return;
  peer.Send(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      ws::AcceptFor(request.Header("Sec-WebSocket-Key")) + "\r\n\r\n");
  ws::MessageReader reader(ws::ReaderOptions{}, nullptr);
  ws::MessageWriter writer(ws::WriterOptions{}, nullptr);
  for (std::string piece = peer.ReadSome(); !piece.empty(); piece = peer.ReadSome()) {
    ByteView input = piece;
    while (!input.empty()) {
      std::string out;
      switch (reader.Read(&input)) {
        case ws::ReadEvent::kMessage:
          writer.WriteMessage(reader.message_opcode(), "got: " + reader.payload(), out);
          break;
        case ws::ReadEvent::kClose:
          writer.WriteClose(ws::CloseCode::kNormal, {}, out);
          break;
        default:
          break;
      }
      peer.Send(out);
    }
  }
}

struct Answer {
  ws::ReadEvent event = ws::ReadEvent::kNeedMore;  // none came
  std::string text;                                // of a message
  int close_code = 0;
};

// Opens a socket, sends one message, and tells what came back.
Answer Say(uint16_t port, std::string_view message) {
  Answer answer;
  RawClient client(port);
  client.Send(
      "GET /chat HTTP/1.1\r\nHost: chat.example\r\nUser-Agent: Mozilla/5.0 Firefox/128.0\r\n"
      "Accept: */*\r\nOrigin: http://chat.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
      ws::NewKey() + "\r\n\r\n");
  const HttpMessage head = client.ReadResponse(BodyRule::kOnlyHead);
  EXPECT_EQ(head.status(), 101);
  if (head.status() != 101) return answer;
  ws::MessageWriter writer(ws::WriterOptions{.role = ws::Role::kClient}, nullptr);
  std::string out;
  writer.WriteMessage(ws::Opcode::kText, message, out);
  client.Send(out);
  ws::MessageReader reader(ws::ReaderOptions{.role = ws::Role::kClient}, nullptr);
  for (std::string piece = client.wire().ReadSome(); !piece.empty();
       piece = client.wire().ReadSome()) {
    ByteView input = piece;
    answer.event = reader.Read(&input);
    if (answer.event == ws::ReadEvent::kNeedMore) continue;
    if (answer.event == ws::ReadEvent::kMessage) answer.text = reader.payload();
    if (answer.event == ws::ReadEvent::kClose) answer.close_code = reader.close_code();
    break;
  }
  return answer;
}

class WebSocketCompat : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!HasNginx()) GTEST_SKIP() << "no nginx with the ModSecurity connector";
  }

  std::string Config() const {
    return LoadModules() + R"(
events {}
http {
  server {
    listen 127.0.0.1:%%PORT_0%%;
    modsecurity on;
    )" + DebianRules(folder_) +
           R"(
    location / {
      proxy_pass http://)" +
           upstream_.address() + R"(;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
    }
  }
}
)";
  }

  TempDir folder_;
  FakeUpstream upstream_{ServeSockets};
};

TEST_F(WebSocketCompat, NginxPassesTheAttack) {
  ProxyProcess nginx(Config(), kNginx);
  ASSERT_TRUE(nginx.Start()) << nginx.Output();
  EXPECT_EQ(Say(nginx.port(0), kClean).text, std::string("got: ") + kClean);
  EXPECT_EQ(Say(nginx.port(0), kAttack).text, std::string("got: ") + kAttack);
}

TEST_F(WebSocketCompat, FramewallClosesItWithTheSameFile) {
  ProxyProcess framewall(Config());
  ASSERT_TRUE(framewall.Start()) << framewall.Output();
  EXPECT_EQ(Say(framewall.port(0), kClean).text, std::string("got: ") + kClean);
  const Answer answer = Say(framewall.port(0), kAttack);
  EXPECT_EQ(answer.event, ws::ReadEvent::kClose);
  EXPECT_EQ(answer.close_code, 1008);
  EXPECT_TRUE(framewall.WaitForLog("ModSecurity: Access denied with code 403 (phase 2)"));
  EXPECT_EQ(framewall.CountInLog("[id \"949110\"]"), 1u);
}

}  // namespace
}  // namespace framewall::test
