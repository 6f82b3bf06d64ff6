// proxy_*, proxy_ssl_* and upstream blocks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/config_testing.h"

namespace framewall::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Loaded LoadLocation(std::string_view inside, std::string_view http = "") {
  return LoadHttp(std::string(http) + " server { location /a/ { " + std::string(inside) + " } }");
}
const LocationConfig& First(const Loaded& loaded) {
  return *loaded.config->http.servers[0]->root.locations[0];
}
std::vector<std::string> ErrorsOf(std::string_view inside) { return LoadLocation(inside).errors(); }

TEST(ProxyPass, MakesAnUpstreamOfAnAddress) {
  const Loaded loaded = LoadLocation("proxy_pass http://127.0.0.1:8080/b?c;");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const ProxyPass& pass = First(loaded).proxy_pass;
  EXPECT_TRUE(pass.set);
  EXPECT_FALSE(pass.secure);
  EXPECT_TRUE(pass.has_uri);
  EXPECT_EQ(pass.uri, "/b?c");
  EXPECT_EQ(pass.host_text, "127.0.0.1:8080");
  ASSERT_NE(pass.upstream, nullptr);
  EXPECT_TRUE(pass.upstream->implied);
  EXPECT_EQ(pass.upstream->name, "127.0.0.1:8080");
  ASSERT_EQ(pass.upstream->servers.size(), 1u);
  EXPECT_EQ(pass.upstream->servers[0].addresses[0].ToText(), "127.0.0.1:8080");
  EXPECT_EQ(First(loaded).content, ContentKind::kProxy);
}

TEST(ProxyPass, KnowsSchemesPortsAndSockets) {
  const Loaded https = LoadLocation("proxy_pass HTTPS://127.0.0.1;");
  ASSERT_THAT(https.errors(), IsEmpty());
  EXPECT_TRUE(First(https).proxy_pass.secure);
  EXPECT_FALSE(First(https).proxy_pass.has_uri);
  EXPECT_EQ(First(https).proxy_pass.upstream->servers[0].addresses[0].port(), 443);
  const Loaded usual = LoadLocation("proxy_pass http://127.0.0.1:80;");
  EXPECT_EQ(First(usual).proxy_pass.host_text, "127.0.0.1");
  const Loaded unix_socket = LoadLocation("proxy_pass http://unix:/tmp/s:/uri;");
  ASSERT_THAT(unix_socket.errors(), IsEmpty());
  EXPECT_EQ(First(unix_socket).proxy_pass.uri, "/uri");
  EXPECT_EQ(First(unix_socket).proxy_pass.host_text, "localhost");
  EXPECT_EQ(First(unix_socket).proxy_pass.upstream->servers[0].addresses[0].unix_path(), "/tmp/s");
  const Loaded v6 = LoadLocation("proxy_pass http://[::1]:81/;");
  ASSERT_THAT(v6.errors(), IsEmpty());
  EXPECT_EQ(First(v6).proxy_pass.upstream->servers[0].addresses[0].ToText(), "[::1]:81");
}

TEST(ProxyPass, FindsAnUpstreamThatComesLater) {
  const Loaded loaded = LoadHttp(
      "server { location / { proxy_pass http://Back; } location /b { proxy_pass http://back/; } }\n"
      "upstream back { server 127.0.0.1:8081; }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const auto& locations = loaded.config->http.servers[0]->root.locations;
  ASSERT_EQ(loaded.config->http.upstreams.size(), 1u);
  EXPECT_EQ(locations[0]->proxy_pass.upstream, loaded.config->http.upstreams[0].get());
  EXPECT_EQ(locations[1]->proxy_pass.upstream, loaded.config->http.upstreams[0].get());
  EXPECT_THAT(
      LoadLocation("proxy_pass http://back:80;", "upstream back { server 127.0.0.1; }").errors(),
      ElementsAre(HasSubstr("upstream \"back\" may not have port 80")));
}

TEST(ProxyPass, SameAddressSameImpliedUpstream) {
  const Loaded loaded = LoadHttp(
      "server { location /a { proxy_pass http://127.0.0.1:1/x; if ($uri) { proxy_pass "
      "http://127.0.0.1:1; }\n limit_except GET { proxy_pass http://127.0.0.1:2; } } }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  EXPECT_EQ(loaded.config->http.upstreams.size(), 2u);
  EXPECT_EQ(First(loaded).rewrite[0].location->proxy_pass.upstream,
            First(loaded).proxy_pass.upstream);
}

TEST(ProxyPass, WithNamesIsKeptForTheRequest) {
  const Loaded loaded = LoadLocation("proxy_pass http://$arg_host/x;");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  EXPECT_TRUE(First(loaded).proxy_pass.has_variables);
  EXPECT_EQ(First(loaded).proxy_pass.upstream, nullptr);
  EXPECT_EQ(First(loaded).proxy_pass.url.source, "http://$arg_host/x");
}

TEST(ProxyPass, RefusesBadUrls) {
  EXPECT_THAT(ErrorsOf("proxy_pass 127.0.0.1;"), ElementsAre(HasSubstr("invalid URL prefix")));
  EXPECT_THAT(ErrorsOf("proxy_pass http://;"), ElementsAre(HasSubstr("no host in upstream")));
  EXPECT_THAT(ErrorsOf("proxy_pass http://a:99999;"),
              ElementsAre(HasSubstr("invalid port in upstream \"a:99999\"")));
  EXPECT_THAT(ErrorsOf("proxy_pass 'http://no such host/';"),
              ElementsAre(HasSubstr("host not found in upstream \"no such host\"")));
  EXPECT_THAT(ErrorsOf("proxy_pass http://127.0.0.1; proxy_pass http://127.0.0.1;"),
              ElementsAre(HasSubstr("\"proxy_pass\" directive is duplicate")));
}

TEST(ProxyPass, HasNoUriWhereThereIsNoPrefix) {
  for (const std::string block :
       {"location ~ a { %s }", "location @a { %s }", "location /a { if ($uri) { %s } }",
        "location /a { limit_except GET { %s } }"}) {
    const auto with = [&](std::string_view url) {
      std::string server = block;
      server.replace(server.find("%s"), 2, "proxy_pass " + std::string(url) + ";");
      return LoadHttp("server { " + server + " }").errors();
    };
    EXPECT_THAT(with("http://127.0.0.1/x"), ElementsAre(HasSubstr("cannot have URI part")))
        << block;
    EXPECT_THAT(with("http://127.0.0.1"), IsEmpty()) << block;
  }
}

TEST(ProxyDirectives, SetTheRequest) {
  const Loaded loaded = LoadHttp(
      "proxy_set_header A $host; proxy_set_header B ''; proxy_method PUT; proxy_set_body x;\n"
      "proxy_http_version 1.1; proxy_pass_request_headers off; proxy_pass_request_body off;\n"
      "proxy_request_buffering off; proxy_bind 127.0.0.1 transparent; proxy_connect_timeout 1s;\n"
      "proxy_send_timeout 2s; proxy_read_timeout 3s; proxy_socket_keepalive on;\n"
      "server { proxy_set_header C c; }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const ProxySettings& proxy = loaded.config->http.settings.proxy;
  ASSERT_EQ(proxy.set_header.size(), 2u);
  EXPECT_EQ(proxy.set_header[1].name, "B");
  EXPECT_TRUE(proxy.http11);
  EXPECT_TRUE(proxy.http_version_set);
  EXPECT_FALSE(proxy.pass_request_headers);
  EXPECT_EQ(proxy.set_body->source, "x");
  EXPECT_TRUE(proxy.bind_transparent);
  EXPECT_EQ(proxy.read_timeout.count(), 3000);
  const auto& child = loaded.config->http.servers[0]->root.settings.proxy.set_header;
  ASSERT_EQ(child.size(), 1u) << "a child's own list replaces its parent's";
  EXPECT_EQ(child[0].name, "C");
  EXPECT_THAT(LoadHttp("proxy_set_header 'A b' x;").errors(),
              ElementsAre(HasSubstr("invalid header name")));
  EXPECT_THAT(LoadHttp("proxy_http_version 1.2;").errors(),
              ElementsAre(HasSubstr("it must be \"1.0\" or \"1.1\"")));
  EXPECT_THAT(LoadHttp("proxy_bind nowhere;").errors(),
              ElementsAre(HasSubstr("invalid address \"nowhere\"")));
  EXPECT_THAT(LoadHttp("proxy_bind 127.0.0.1 opaque;").errors(),
              ElementsAre(HasSubstr("invalid parameter \"opaque\"")));
}

TEST(ProxyDirectives, BusySizeFollowsTheBuffersUnlessSet) {
  const Loaded loaded = LoadHttp(
      "proxy_buffer_size 16k; server { proxy_buffers 4 32k; }\n"
      "server { proxy_busy_buffers_size 24k; location / { proxy_buffers 4 64k; } }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  EXPECT_EQ(loaded.config->http.settings.proxy.busy_buffers_size, 32768u);
  EXPECT_EQ(loaded.config->http.servers[0]->root.settings.proxy.busy_buffers_size, 65536u);
  EXPECT_EQ(loaded.config->http.servers[0]->root.settings.proxy.buffers_count, 4u);
  const LocationConfig& kept = *loaded.config->http.servers[1]->root.locations[0];
  EXPECT_EQ(kept.settings.proxy.busy_buffers_size, 24576u);
  EXPECT_THAT(LoadHttp("proxy_buffer_size 0;").errors(), ElementsAre(HasSubstr("has a size")));
  EXPECT_THAT(LoadHttp("proxy_buffers 1 4k;").errors(), ElementsAre(HasSubstr("between 2")));
}

TEST(ProxyDirectives, BufferSizesFitTogether) {
  const std::string pass = " proxy_pass http://127.0.0.1;";
  EXPECT_THAT(ErrorsOf("proxy_buffers 3 4k;" + pass), IsEmpty());
  EXPECT_THAT(ErrorsOf("proxy_buffers 2 4k;" + pass), ElementsAre(HasSubstr("minus one buffer")));
  EXPECT_THAT(ErrorsOf("proxy_buffers 4 8k; proxy_busy_buffers_size 4k;" + pass),
              ElementsAre(HasSubstr("equal to or greater than the maximum")));
  EXPECT_THAT(ErrorsOf("proxy_max_temp_file_size 1k;" + pass),
              ElementsAre(HasSubstr("\"proxy_max_temp_file_size\" must be equal to zero")));
  EXPECT_THAT(ErrorsOf("proxy_max_temp_file_size 0;" + pass), IsEmpty());
}

TEST(ProxyDirectives, SetTheAnswer) {
  const Loaded loaded = LoadHttp(
      "proxy_buffering off; proxy_max_temp_file_size 0; proxy_temp_path tmp; \n"
      "proxy_next_upstream error http_503 non_idempotent; proxy_next_upstream_tries 2;\n"
      "proxy_next_upstream_timeout 4s; proxy_intercept_errors on; proxy_ignore_client_abort on;\n"
      "proxy_ignore_headers X-Accel-Redirect Vary; proxy_hide_header A; proxy_hide_header B;\n"
      "proxy_pass_header Server; proxy_limit_rate 1k; proxy_force_ranges on;");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const ProxySettings& proxy = loaded.config->http.settings.proxy;
  EXPECT_FALSE(proxy.buffering);
  EXPECT_EQ(proxy.max_temp_file_size, 0u);
  EXPECT_EQ(proxy.next_upstream, kNextError | kNextHttp503 | kNextNonIdempotent);
  EXPECT_EQ(proxy.ignore_headers, kIgnoreAccelRedirect | kIgnoreVary);
  EXPECT_THAT(proxy.hide_header, ElementsAre("A", "B"));
  EXPECT_THAT(proxy.pass_header, ElementsAre("Server"));
  EXPECT_THAT(LoadHttp("proxy_next_upstream http_501;").errors(),
              ElementsAre(HasSubstr("invalid value \"http_501\" in \"proxy_next_upstream\"")));
  EXPECT_THAT(LoadHttp("proxy_ignore_headers X;").errors(),
              ElementsAre(HasSubstr("invalid value \"X\"")));
}

TEST(ProxyDirectives, Redirect) {
  const Loaded loaded = LoadLocation(
      "proxy_pass http://127.0.0.1:8080; proxy_redirect default; proxy_redirect http://a/ $host/;\n"
      "proxy_redirect ~^(http)://B(.*)$ $1://c$2; proxy_redirect ~*^x /y;");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const ProxySettings& proxy = First(loaded).settings.proxy;
  EXPECT_TRUE(proxy.redirect_default);
  ASSERT_EQ(proxy.redirects.size(), 3u);
  EXPECT_EQ(proxy.redirects[1].kind, ProxyRedirect::Kind::kRegex);
  EXPECT_FALSE(proxy.redirects[1].regex.regex->Matches("http://b"));
  EXPECT_TRUE(proxy.redirects[2].regex.regex->Matches("X"));
  const Loaded off = LoadHttp("proxy_redirect off; server { proxy_redirect a b; }");
  ASSERT_THAT(off.errors(), IsEmpty());
  EXPECT_TRUE(off.config->http.settings.proxy.redirect_off);
  EXPECT_FALSE(off.config->http.servers[0]->root.settings.proxy.redirect_off);
  EXPECT_FALSE(off.config->http.servers[0]->root.settings.proxy.redirect_default);
  EXPECT_THAT(ErrorsOf("proxy_redirect default; proxy_pass http://127.0.0.1;"),
              ElementsAre(HasSubstr("should be placed after the \"proxy_pass\"")));
  EXPECT_THAT(
      ErrorsOf("proxy_pass http://$arg_a; proxy_redirect default;"),
      ElementsAre(HasSubstr("cannot be used with \"proxy_pass\" directive with variables")));
  EXPECT_THAT(LoadHttp("proxy_redirect on;").errors(),
              ElementsAre(HasSubstr("invalid parameter \"on\"")));
}

TEST(ProxyDirectives, Cookies) {
  const Loaded loaded = LoadHttp(
      "proxy_cookie_domain .a.org .b.org; proxy_cookie_domain ~A\\.c $host;\n"
      "proxy_cookie_path /one/ /two/; proxy_cookie_path ~^/A /b; \n"
      "proxy_cookie_flags one httponly samesite=$arg_s; proxy_cookie_flags ~ secure;\n"
      "server { proxy_cookie_path off; proxy_cookie_flags off; }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const ProxySettings& proxy = loaded.config->http.settings.proxy;
  ASSERT_EQ(proxy.cookie_domain.size(), 2u);
  EXPECT_EQ(proxy.cookie_domain[0].from.source, "a.org");
  EXPECT_EQ(proxy.cookie_domain[0].to.source, "b.org");
  EXPECT_TRUE(proxy.cookie_domain[1].regex.regex->Matches("a.c"));
  ASSERT_EQ(proxy.cookie_path.size(), 2u);
  EXPECT_FALSE(proxy.cookie_path[1].regex.regex->Matches("/a"));
  ASSERT_EQ(proxy.cookie_flags.size(), 2u);
  EXPECT_TRUE(proxy.cookie_flags[1].is_regex);
  const ProxySettings& child = loaded.config->http.servers[0]->root.settings.proxy;
  EXPECT_TRUE(child.cookie_path.empty());
  EXPECT_TRUE(child.cookie_flags.empty());
  EXPECT_EQ(child.cookie_domain.size(), 2u);
  EXPECT_THAT(LoadHttp("proxy_cookie_path on;").errors(),
              ElementsAre(HasSubstr("invalid parameter \"on\"")));
  EXPECT_THAT(LoadHttp("proxy_cookie_flags a sweet;").errors(),
              ElementsAre(HasSubstr("invalid parameter \"sweet\"")));
}

TEST(ProxyTlsDirectives, Set) {
  const Loaded loaded = LoadHttp(
      "proxy_ssl_protocols TLSv1.2 TLSv1.3; proxy_ssl_ciphers HIGH; proxy_ssl_verify on;\n"
      "proxy_ssl_verify_depth 2; proxy_ssl_trusted_certificate ca.pem; proxy_ssl_crl /x/crl;\n"
      "proxy_ssl_certificate $arg_c.pem; proxy_ssl_certificate_key k.pem; proxy_ssl_name $host;\n"
      "proxy_ssl_server_name on; proxy_ssl_session_reuse off; proxy_ssl_password_file p;\n"
      "proxy_ssl_conf_command Options -SessionTicket;");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const ProxyTlsSettings& tls = loaded.config->http.settings.proxy.tls;
  EXPECT_EQ(tls.protocols, kTlsV12 | kTlsV13);
  EXPECT_EQ(tls.trusted_certificate, loaded.folder->path() + "/ca.pem");
  EXPECT_EQ(tls.crl, "/x/crl");
  EXPECT_FALSE(tls.certificate.constant());
  EXPECT_EQ(tls.certificate_key.source, loaded.folder->path() + "/k.pem");
  EXPECT_EQ(tls.conf_commands.size(), 1u);
  EXPECT_THAT(LoadHttp("proxy_ssl_protocols TLSv2;").errors(),
              ElementsAre(HasSubstr("invalid value \"TLSv2\"")));
  EXPECT_THAT(LoadHttp("proxy_ssl_certificate engine:x:y;").errors(),
              ElementsAre(HasSubstr("engines are not supported")));
}

Loaded LoadUpstream(std::string_view inside) {
  return LoadHttp("upstream u { " + std::string(inside) + " }");
}

TEST(UpstreamDirectives, Servers) {
  const Loaded loaded = LoadUpstream(
      "server 127.0.0.1 weight=5 max_conns=7 max_fails=0 fail_timeout=20s;\n"
      "server [::1]:81 backup; server unix:/tmp/s down;");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const auto& servers = loaded.config->http.upstreams[0]->servers;
  ASSERT_EQ(servers.size(), 3u);
  EXPECT_EQ(servers[0].addresses[0].port(), 80);
  EXPECT_EQ(servers[0].weight, 5);
  EXPECT_EQ(servers[0].max_conns, 7);
  EXPECT_EQ(servers[0].max_fails, 0);
  EXPECT_EQ(servers[0].fail_timeout.count(), 20000);
  EXPECT_TRUE(servers[1].backup);
  EXPECT_TRUE(servers[2].down);
  EXPECT_THAT(LoadUpstream("server 127.0.0.1 weight=0;").errors(),
              ElementsAre(HasSubstr("invalid parameter \"weight=0\"")));
  EXPECT_THAT(LoadUpstream("server 127.0.0.1 resolve;").errors(),
              ElementsAre(HasSubstr("invalid parameter \"resolve\"")));
  EXPECT_THAT(LoadUpstream("server 'no such host';").errors(),
              ElementsAre(HasSubstr("host not found in upstream \"no such host\"")));
  EXPECT_THAT(LoadUpstream("").errors(),
              ElementsAre(HasSubstr("no servers are inside upstream \"u\"")));
}

TEST(UpstreamDirectives, Balancers) {
  const auto kind = [](std::string_view line) {
    const Loaded loaded = LoadUpstream(std::string(line) + " server 127.0.0.1;");
    EXPECT_THAT(loaded.errors(), IsEmpty());
    return loaded.config->http.upstreams[0]->balancer;
  };
  EXPECT_EQ(kind(""), BalancerKind::kRoundRobin);
  EXPECT_EQ(kind("least_conn;"), BalancerKind::kLeastConn);
  EXPECT_EQ(kind("ip_hash;"), BalancerKind::kIpHash);
  EXPECT_EQ(kind("hash $uri;"), BalancerKind::kHash);
  EXPECT_EQ(kind("hash $uri consistent;"), BalancerKind::kConsistentHash);
  EXPECT_EQ(kind("random;"), BalancerKind::kRandom);
  EXPECT_EQ(kind("random two;"), BalancerKind::kRandomTwoLeastConn);
  EXPECT_EQ(kind("random two least_conn;"), BalancerKind::kRandomTwoLeastConn);
  EXPECT_THAT(LoadUpstream("hash $uri steady; server 127.0.0.1;").errors(),
              ElementsAre(HasSubstr("invalid parameter \"steady\"")));
  EXPECT_THAT(LoadUpstream("random three; server 127.0.0.1;").errors(),
              ElementsAre(HasSubstr("invalid parameter \"three\"")));
  EXPECT_THAT(LoadUpstream("ip_hash; server 127.0.0.1 ; server 127.0.0.2 backup;").errors(),
              ElementsAre(HasSubstr("does not support parameter \"backup\"")));
  EXPECT_THAT(Show(LoadUpstream("server 127.0.0.1; server 127.0.0.2 backup; ip_hash;").diagnostics),
              HasSubstr("warning: balancing method does not support parameter \"backup\""));
  EXPECT_THAT(Show(LoadUpstream("ip_hash; least_conn; server 127.0.0.1;").diagnostics),
              HasSubstr("load balancing method redefined"));
}

TEST(UpstreamDirectives, KeepaliveAndZone) {
  const Loaded loaded = LoadUpstream(
      "server 127.0.0.1; zone z 64k; keepalive 3; keepalive_requests 4; keepalive_timeout 5s;\n"
      "keepalive_time 6s;");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const UpstreamConfig& upstream = *loaded.config->http.upstreams[0];
  EXPECT_EQ(upstream.zone_name, "z");
  EXPECT_EQ(upstream.zone_size, 65536u);
  EXPECT_EQ(upstream.keepalive, 3u);
  EXPECT_EQ(upstream.keepalive_requests, 4u);
  EXPECT_EQ(upstream.keepalive_timeout.count(), 5000);
  EXPECT_EQ(upstream.keepalive_time.count(), 6000);
  EXPECT_THAT(LoadUpstream("server 127.0.0.1; zone z 1k;").errors(),
              ElementsAre(HasSubstr("zone \"z\" is too small")));
  EXPECT_THAT(LoadUpstream("server 127.0.0.1; zone z big;").errors(),
              ElementsAre(HasSubstr("invalid zone size \"big\"")));
  EXPECT_THAT(LoadUpstream("server 127.0.0.1; keepalive 0;").errors(),
              ElementsAre(HasSubstr("between 1")));
}

}  // namespace
}  // namespace framewall::config
