// What the tests of WebSockets share.
#pragma once

#include <string>

#include "tests/support/proxy_process.h"
#include "tests/support/websocket_peer.h"

namespace framewall::test {

using Kind = WebSocketEvent::Kind;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A format with all that a session's line can say, "open" where nothing closed it.
inline constexpr char kSocketLog[] = R"(
  log_format socket '"$request" $status received=$websocket_messages_received/$websocket_bytes_received sent=$websocket_messages_sent/$websocket_bytes_sent refused=$websocket_messages_refused code=$websocket_close_code by=$websocket_closed_by reason="$websocket_reason"';
  access_log %%DIR%%/access.log socket;
)";

// What a location needs to pass sockets on, as nginx's documentation has it.
inline std::string SocketPass(const std::string& address, const std::string& scheme = "http") {
  return "proxy_pass " + scheme + "://" + address +
         "; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
         "proxy_set_header Connection \"upgrade\";";
}

// One server, whose `location /` passes sockets to `upstream`; `more` stands in it.
inline std::string SocketServer(const WebSocketUpstream& upstream, const std::string& more = "",
                                const std::string& server = "", const std::string& main = "") {
  return main + "\nevents {}\nhttp {" + kSocketLog +
         "  server {\n  listen 127.0.0.1:%%PORT_0%%;\n" + server + "\n  location / { " +
         SocketPass(upstream.address()) + "\n" + more + "\n} } }\n";
}

inline WebSocketClientOptions To(const std::string& path) {
  WebSocketClientOptions options;
  options.path = path;
  return options;
}

inline WebSocketClientOptions With(const std::string& headers) {
  WebSocketClientOptions options;
  options.headers = headers;
  return options;
}

// How a socket that was closed looks: the Close, then the end of the connection.
#define EXPECT_CLOSED_WITH(end, expected)                                     \
  do {                                                                        \
    const WebSocketEvent closed = (end).ReadToClose();                        \
    EXPECT_EQ(static_cast<int>(closed.kind), static_cast<int>(Kind::kClose)); \
    EXPECT_EQ(closed.code, (expected)) << closed.payload;                     \
  } while (false)

}  // namespace framewall::test
