// What a WebSocket leaves in the access log: the request, both heads and all octets, whoever ends
// it.
#include <gtest/gtest.h>

#include <functional>

#include "proxy/ws/handshake.h"
#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"

namespace framewall::test {
namespace {

// Text frames of five octets: unmasked, and under the mask of zeros.
constexpr std::string_view kAnswer("\x81\x05hello", 7);
constexpr std::string_view kWords("\x81\x85\0\0\0\0hello", 11);

void AnswerEachMessage(FakeUpstream::Peer& peer) {
  const HttpMessage request = peer.ReadRequest();
  peer.Send(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Node: "
      "seven\r\nSec-WebSocket-Accept: " +
      ws::AcceptFor(request.Header("Sec-WebSocket-Key")) + "\r\n\r\n");
  while (!peer.ReadSome().empty()) peer.Send(kAnswer);
}

std::string Config(const FakeUpstream& upstream) {
  return "events {} http { log_format socket '$request $status cookie=$http_cookie "
         "node=$upstream_http_x_node,$sent_http_x_node up=$upstream_addr,$upstream_status,"
         "$upstream_response_length to_client=$body_bytes_sent'; access_log access.log socket; "
         "upstream app { least_conn; server " +
         upstream.address() +
         "; } "
         "server { listen 127.0.0.1:%%PORT_0%%; location / { proxy_pass http://app; "
         "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
         "proxy_set_header Connection upgrade; } } }";
}

// The line of a session with two answers to the client, ended by `end`.
void ExpectLine(const std::function<void(ProxyProcess&, RawClient&)>& end) {
  FakeUpstream upstream(AnswerEachMessage);
  ProxyProcess proxy(Config(upstream));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient client(proxy.port(0));
  client.Send(
      "GET /chat HTTP/1.1\r\nHost: a\r\nCookie: a=b\r\nConnection: Upgrade\r\nUpgrade: "
      "websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
      "AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
  ASSERT_EQ(client.ReadResponse(BodyRule::kOnlyHead).status(), 101);
  for (int i = 0; i < 2; ++i) {
    client.Send(kWords);
    ASSERT_NE(client.ReadUntil("hello").find("hello"), std::string::npos);
  }
  end(proxy, client);
  EXPECT_TRUE(proxy.WaitForLog("GET /chat HTTP/1.1 101 cookie=a=b node=seven,seven up=" +
                                   upstream.address() + ",101,14 to_client=14\n",
                               "access.log"))
      << proxy.Log("access.log");
}

TEST(SocketLog, ClientResets) {
  ExpectLine([](ProxyProcess&, RawClient& client) { client.Reset(); });
}

TEST(SocketLog, ClientEndsItsConnection) {
  ExpectLine([](ProxyProcess&, RawClient& client) { client.Close(); });
}

TEST(SocketLog, TheServerIsTerminated) {
  ExpectLine([](ProxyProcess& proxy, RawClient&) { proxy.Terminate(); });
}

}  // namespace
}  // namespace framewall::test
