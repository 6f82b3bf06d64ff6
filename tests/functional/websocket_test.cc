// Clients and upstreams that were not written here: python3-websockets and npm's ws, as Debian
// packs them.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/functional/websocket_testing.h"
#include "tests/support/script.h"

namespace framewall::test {
namespace {

constexpr char kLocations[] = R"(
  websocket_message_rate off; websocket_client_message_rate off;
  location /large { PASS; websocket_max_message_size 16m; }
  location /takeover { PASS; websocket_deflate_context_takeover on; }
  location /small { PASS; websocket_deflate_window_bits 10; }
  location /plain { PASS; websocket_deflate off; }
  location /both { PASS; websocket_upstream_deflate on; }
  location /both/takeover { PASS; websocket_deflate_context_takeover on;
    websocket_upstream_deflate on; websocket_upstream_deflate_context_takeover on; }
  location /inspected { PASS; modsecurity on; modsecurity_rules '
    SecRuleEngine On
    SecRequestBodyAccess On
    SecRule ARGS "@contains attack" "id:1,phase:2,deny,status:403,log"
    '; }
  location / { PASS; }
)";

// One check of `client` against a server of the same making, through framewall.
void Check(const std::string& program, const std::string& folder_suffix, const std::string& check,
           const std::vector<std::string>& environment = {}) {
  const std::string clients = FW_SOURCE_DIR "/tests/functional/clients/";
  Script server(program, {clients + "websocket_server" + folder_suffix}, environment);
  const std::string port = server.Read(false);
  ASSERT_GT(std::atoi(port.c_str()), 0) << port << "\n./dev deps test";
  std::string locations = kLocations;
  const std::string pass = SocketPass("127.0.0.1:" + std::to_string(std::atoi(port.c_str())));
  for (size_t at; (at = locations.find("PASS;")) != locations.npos;) {
    locations.replace(at, 5, pass);
  }
  ProxyProcess proxy("events {} http { server { listen 127.0.0.1:%%PORT_0%%;\n" + locations +
                     "} }");
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  Script client(program,
                {clients + "websocket_client" + folder_suffix,
                 "ws://127.0.0.1:" + std::to_string(proxy.port(0)), check},
                environment);
  const std::string said = client.Read(true);
  EXPECT_EQ(client.Wait(), 0) << said << proxy.Log();
}

class WebSocket : public ::testing::TestWithParam<const char*> {};

TEST_P(WebSocket, OfPython) { Check("/usr/bin/python3", ".py", GetParam()); }

INSTANTIATE_TEST_SUITE_P(Check, WebSocket,
                         ::testing::Values("text_and_binary", "fragmented", "ping_both_ways",
                                           "close_of_the_client", "close_of_the_upstream",
                                           "sixteen_mebibytes", "deflate_as_browsers_offer_it",
                                           "deflate_with_context_takeover",
                                           "deflate_with_small_windows",
                                           "deflate_towards_the_upstream", "deflate_off",
                                           "subprotocols", "many_at_once", "attack"),
                         [](const auto& check) { return std::string(check.param); });

class NodeWebSocket : public ::testing::TestWithParam<const char*> {};

TEST_P(NodeWebSocket, OfNpm) {
  Check("/usr/bin/node", ".js", GetParam(), {"NODE_PATH=/usr/share/nodejs"});
}

INSTANTIATE_TEST_SUITE_P(Check, NodeWebSocket,
                         ::testing::Values("text_and_binary", "deflate",
                                           "deflate_with_context_takeover", "fragments_and_pings",
                                           "closes", "subprotocols", "sixteen_mebibytes", "attack"),
                         [](const auto& check) { return std::string(check.param); });

}  // namespace
}  // namespace framewall::test
