#include "proxy/config/validate.h"

#include <gtest/gtest.h>

#include "tests/unit/config/config_testing.h"

namespace framewall::config {
namespace {

using Texts = std::vector<std::string>;

TEST(Validate, ServerWithoutListenGetsTheDefault) {
  const Loaded loaded = LoadHttp("server { }");
  ASSERT_NE(loaded.config, nullptr) << Show(loaded.diagnostics);
  ASSERT_EQ(loaded.config->http.servers.at(0)->listens.size(), 1u);
}

TEST(Validate, OneDefaultServerForAnAddress) {
  EXPECT_EQ(LoadHttp("server { listen 127.0.0.1:81 default_server; }\n"
                     "server { listen 127.0.0.1:81 default_server; server_name a; }")
                .errors(),
            Texts{"a duplicate default server for 127.0.0.1:81 :4"});
  EXPECT_EQ(LoadHttp("server { listen 127.0.0.1:81 default_server; }\n"
                     "server { listen 127.0.0.1:82 default_server; }")
                .errors(),
            Texts{});
  EXPECT_EQ(LoadHttp("server { listen 127.0.0.1:81; listen 127.0.0.1:81; }").errors().size(), 1u);
}

TEST(Validate, ConflictingNamesAreWarnedOf) {
  const Loaded loaded = LoadHttp(
      "server { listen 80; server_name a b; }\n"
      "server { listen 80; server_name b; }\n"
      "server { listen 81; server_name b; }");
  EXPECT_NE(loaded.config, nullptr);
  EXPECT_EQ(Show(loaded.diagnostics),
            "warning: conflicting server name \"b\" on 0.0.0.0:80, ignored in framewall.conf:4\n");
  EXPECT_EQ(Show(LoadHttp("server { listen 80; } server { listen 80; }").diagnostics),
            "warning: conflicting server name \"\" on 0.0.0.0:80, ignored in framewall.conf:3\n");
}

TEST(Validate, VariablesMustBeKnown) {
  EXPECT_EQ(LoadHttp("server { set $a $nobody; }").errors(),
            Texts{"unknown \"nobody\" variable :3"});
  EXPECT_EQ(LoadHttp("server { set $a $uri; set $b $a$arg_x; set $args 1; }").errors(), Texts{});
  EXPECT_EQ(LoadHttp("server { set $uri 1; }").errors(),
            Texts{"the duplicate \"uri\" variable :3"});
  // Wherever it is defined, earlier or later.
  EXPECT_EQ(LoadHttp("server { set $a $later; } server { listen 1; set $later 1; }").errors(),
            Texts{});
}

TEST(Validate, TlsNeedsACertificate) {
  EXPECT_EQ(LoadHttp("server { listen 127.0.0.1:443 ssl; }").errors(),
            Texts{"no \"ssl_certificate\" is defined for the \"listen ... ssl\" directive :3"});
  EXPECT_EQ(LoadHttp("server { listen 127.0.0.1:443 ssl; ssl_reject_handshake on; }").errors(),
            Texts{});
  EXPECT_EQ(LoadHttp("server { listen 127.0.0.1:443 ssl; ssl_reject_handshake on; }\n"
                     "server { listen 127.0.0.1:443; server_name a; }")
                .errors(),
            Texts{"no \"ssl_certificate\" is defined for the \"listen ... ssl\" directive :4"});
}

TEST(Validate, UpgradesWantHttp11) {
  const std::string location =
      "server { listen 81; location / { proxy_pass http://127.0.0.1:82; proxy_set_header Upgrade "
      "$http_upgrade; ";
  EXPECT_EQ(Show(LoadHttp(location + "} }").diagnostics),
            "warning: \"proxy_set_header Upgrade\" without \"proxy_http_version 1.1\": WebSocket "
            "handshakes are sent as HTTP/1.1 all the same in framewall.conf:3\n");
  EXPECT_EQ(Show(LoadHttp(location + "proxy_http_version 1.1; } }").diagnostics), "");
}

TEST(Validate, LimitZonesMustExist) {
  EXPECT_EQ(LoadHttp("server { limit_req zone=a; }").errors().size(), 1u);
  EXPECT_EQ(LoadHttp("server { limit_req zone=a; }\n"
                     "limit_req_zone $remote_addr zone=a:1m rate=1r/s;")
                .errors(),
            Texts{});
}

}  // namespace
}  // namespace framewall::config
