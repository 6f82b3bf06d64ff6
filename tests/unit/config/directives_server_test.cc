// listen, server_name, and the heads of location and limit_except.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/config/directives/directives.h"
#include "proxy/config/host_port.h"
#include "proxy/http/method.h"
#include "tests/unit/config/config_testing.h"

namespace framewall::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Addresses(std::string_view text) {
  std::vector<std::string> out;
  const auto addresses = ParseListenAddress(text);
  if (!addresses) return {addresses.error().message};
  for (const SocketAddress& address : *addresses) out.push_back(address.ToText());
  return out;
}

TEST(Listen, TakesEveryFormOfAddress) {
  EXPECT_THAT(Addresses("8080"), ElementsAre("0.0.0.0:8080"));
  EXPECT_THAT(Addresses("*"), ElementsAre("0.0.0.0:80"));
  EXPECT_THAT(Addresses("*:81"), ElementsAre("0.0.0.0:81"));
  EXPECT_THAT(Addresses("127.0.0.1"), ElementsAre("127.0.0.1:80"));
  EXPECT_THAT(Addresses("127.0.0.1:65535"), ElementsAre("127.0.0.1:65535"));
  EXPECT_THAT(Addresses("[::]:82"), ElementsAre("[::]:82"));
  EXPECT_THAT(Addresses("[::1]"), ElementsAre("[::1]:80"));
  EXPECT_THAT(Addresses("unix:/tmp/a.sock"), ElementsAre("unix:/tmp/a.sock"));
  EXPECT_THAT(Addresses("127.0.0.1:80-82"),
              ElementsAre("127.0.0.1:80", "127.0.0.1:81", "127.0.0.1:82"));
  EXPECT_THAT(Addresses("8000-8001"), ElementsAre("0.0.0.0:8000", "0.0.0.0:8001"));
}

TEST(Listen, RefusesBadAddresses) {
  EXPECT_THAT(Addresses("0"), ElementsAre("invalid port"));
  EXPECT_THAT(Addresses("65536"), ElementsAre("invalid port"));
  EXPECT_THAT(Addresses("127.0.0.1:"), ElementsAre("invalid port"));
  EXPECT_THAT(Addresses("127.0.0.1:x"), ElementsAre("invalid port"));
  EXPECT_THAT(Addresses("82-80"), ElementsAre("invalid port range"));
  EXPECT_THAT(Addresses("[::x]:80"), ElementsAre("invalid IPv6 address"));
  EXPECT_THAT(Addresses("unix:"), ElementsAre(HasSubstr("no path")));
  EXPECT_THAT(Addresses(":80"), ElementsAre("no host"));
  EXPECT_THAT(Addresses("no such host:80"), ElementsAre("host not found"));
  EXPECT_THAT(LoadHttp("server { listen 0; }").errors(),
              ElementsAre("invalid port in \"0\" of the \"listen\" directive :3"));
}

TEST(Listen, ReadsItsParameters) {
  const Loaded loaded = LoadHttp(
      "server { listen 127.0.0.1:8081 default_server proxy_protocol reuseport deferred\n"
      " backlog=100 rcvbuf=8k sndbuf=16k fastopen=3 so_keepalive=30m::10;\n"
      " listen [::]:8082 ipv6only=off; listen 8083 so_keepalive=off bind; }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const auto& listens = loaded.config->http.servers[0]->listens;
  ASSERT_EQ(listens.size(), 3u);
  EXPECT_TRUE(listens[0].default_server);
  EXPECT_TRUE(listens[0].proxy_protocol);
  EXPECT_TRUE(listens[0].reuseport);
  EXPECT_TRUE(listens[0].deferred);
  EXPECT_TRUE(listens[0].has_socket_options);
  EXPECT_EQ(listens[0].backlog, 100);
  EXPECT_EQ(listens[0].receive_buffer, 8192);
  EXPECT_EQ(listens[0].send_buffer, 16384);
  EXPECT_EQ(listens[0].fastopen, 3);
  EXPECT_EQ(listens[0].keepalive, true);
  EXPECT_EQ(listens[0].keepalive_idle, 1800);
  EXPECT_EQ(listens[0].keepalive_interval, 0);
  EXPECT_EQ(listens[0].keepalive_count, 10);
  EXPECT_EQ(listens[1].ipv6only, false);
  EXPECT_EQ(listens[2].keepalive, false);
}

TEST(Listen, RefusesBadParameters) {
  const auto errors = [](std::string_view parameters) {
    return LoadHttp("server { listen 127.0.0.1:8080 " + std::string(parameters) + "; }").errors();
  };
  EXPECT_THAT(errors("backlog=x"), ElementsAre(HasSubstr("invalid backlog \"backlog=x\"")));
  EXPECT_THAT(errors("backlog=0"), ElementsAre(HasSubstr("invalid backlog")));
  EXPECT_THAT(errors("rcvbuf=q"), ElementsAre(HasSubstr("invalid rcvbuf")));
  EXPECT_THAT(errors("sndbuf=q"), ElementsAre(HasSubstr("invalid sndbuf")));
  EXPECT_THAT(errors("fastopen=q"), ElementsAre(HasSubstr("invalid fastopen")));
  EXPECT_THAT(errors("ipv6only=maybe"), testing::Contains(HasSubstr("invalid ipv6only flags")));
  EXPECT_THAT(errors("ipv6only=on"), ElementsAre(HasSubstr("not supported on addr")));
  EXPECT_THAT(errors("so_keepalive=::"), ElementsAre(HasSubstr("invalid so_keepalive value")));
  EXPECT_THAT(errors("sll"), ElementsAre(HasSubstr("invalid parameter \"sll\"")));
  EXPECT_THAT(errors("quic"), ElementsAre(HasSubstr("HTTP/3 is not served")));
}

TEST(Listen, SaysWhatHttp2Gets) {
  const Loaded loaded = LoadHttp("server { listen 127.0.0.1:8080 http2; }");
  EXPECT_THAT(loaded.errors(), IsEmpty());
  EXPECT_THAT(Show(loaded.diagnostics), HasSubstr("HTTP/2 is not served"));
  EXPECT_TRUE(loaded.config->http.servers[0]->listens[0].http2);
}

TEST(Listen, IsRefusedTwiceInOneServer) {
  EXPECT_THAT(LoadHttp("server { listen 127.0.0.1:80; listen 127.0.0.1:80; }").errors(),
              ElementsAre(HasSubstr("a duplicate listen 127.0.0.1:80")));
}

TEST(ServerNames, HaveFourKinds) {
  const Loaded loaded = LoadHttp(
      "server { server_name Example.COM *.a.org .b.org www.c.* '' \"~^(?<Sub>[a-z]+)\\.d$\"; }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const auto& names = loaded.config->http.servers[0]->names;
  ASSERT_EQ(names.size(), 6u);
  EXPECT_EQ(names[0].kind, ServerName::Kind::kExact);
  EXPECT_EQ(names[0].name, "example.com");
  EXPECT_EQ(names[1].kind, ServerName::Kind::kLeadingWildcard);
  EXPECT_EQ(names[1].name, "a.org");
  EXPECT_FALSE(names[1].also_exact);
  EXPECT_EQ(names[2].name, "b.org");
  EXPECT_TRUE(names[2].also_exact);
  EXPECT_EQ(names[3].kind, ServerName::Kind::kTrailingWildcard);
  EXPECT_EQ(names[3].name, "www.c");
  EXPECT_EQ(names[4].name, "");
  EXPECT_EQ(names[5].kind, ServerName::Kind::kRegex);
  ASSERT_EQ(names[5].capture_slots.size(), 1u);
  const auto slot = static_cast<size_t>(names[5].capture_slots[0]);
  EXPECT_EQ(loaded.config->variables.names()[slot].name, "sub");
}

TEST(ServerNames, RefuseBadWildcards) {
  for (const std::string name : {"a*.org", "*.a.*", "*", "a..b.*", ".", "*a.org"}) {
    EXPECT_THAT(LoadHttp("server { server_name " + name + "; }").errors(),
                ElementsAre(HasSubstr("invalid server name or wildcard \"" + name + "\"")))
        << name;
  }
  EXPECT_THAT(LoadHttp("server { server_name ~; }").errors(),
              ElementsAre(HasSubstr("empty regex in server name")));
  EXPECT_THAT(LoadHttp("server { server_name '~('; }").errors(),
              ElementsAre(HasSubstr("missing closing parenthesis")));
}

const LocationConfig* First(const Loaded& loaded) {
  return loaded.config->http.servers[0]->root.locations[0].get();
}

TEST(LocationHead, HasModifiersApartAndGlued) {
  using Match = LocationConfig::Match;
  const struct {
    std::string_view head;
    Match match;
    std::string_view name;
  } cases[] = {
      {"/a", Match::kPrefix, "/a"},          {"= /a", Match::kExact, "/a"},
      {"=/a", Match::kExact, "/a"},          {"^~ /a", Match::kPrefixNoRegex, "/a"},
      {"^~/a", Match::kPrefixNoRegex, "/a"}, {"~ ^/A", Match::kRegex, "^/A"},
      {"~^/A", Match::kRegex, "^/A"},        {"~* ^/A", Match::kRegex, "^/A"},
      {"~*^/A", Match::kRegex, "^/A"},       {"@a", Match::kNamed, "@a"},
  };
  for (const auto& each : cases) {
    const Loaded loaded = LoadHttp("server { location " + std::string(each.head) + " { } }");
    ASSERT_THAT(loaded.errors(), IsEmpty()) << each.head;
    EXPECT_EQ(First(loaded)->match, each.match) << each.head;
    EXPECT_EQ(First(loaded)->name, each.name) << each.head;
  }
}

TEST(LocationHead, CaseCountsUnlessStarred) {
  const Loaded sensitive = LoadHttp("server { location ~ ^/A { } }");
  EXPECT_FALSE(First(sensitive)->regex.regex->Matches("/a"));
  const Loaded insensitive = LoadHttp("server { location ~* ^/A { } }");
  EXPECT_TRUE(First(insensitive)->regex.regex->Matches("/a"));
}

TEST(LocationHead, RefusesWhatCannotStandThere) {
  const auto errors = [](std::string_view server) {
    return LoadHttp("server { " + std::string(server) + " }").errors();
  };
  EXPECT_THAT(errors("location ! /a { }"),
              ElementsAre(HasSubstr("invalid location modifier \"!\"")));
  EXPECT_THAT(errors("location /a { location /b { } }"),
              ElementsAre(HasSubstr("location \"/b\" is outside location \"/a\"")));
  EXPECT_THAT(errors("location /a { location ~ b { } }"), IsEmpty());
  EXPECT_THAT(errors("location = /a { location /a/b { } }"),
              ElementsAre(HasSubstr("cannot be inside the exact location")));
  EXPECT_THAT(errors("location @a { location /b { } }"),
              ElementsAre(HasSubstr("cannot be inside the named location")));
  EXPECT_THAT(errors("location /a { location @b { } }"),
              ElementsAre(HasSubstr("on the server level only")));
  EXPECT_THAT(errors("location ~ ( { }"), ElementsAre(HasSubstr("missing closing parenthesis")));
}

TEST(LimitExcept, HasTheNumbersOfMethods) {
  using http::Method;
  for (const Method method :
       {Method::kHead, Method::kPost, Method::kPut, Method::kDelete, Method::kConnect,
        Method::kOptions, Method::kPatch, Method::kPropfind, Method::kProppatch, Method::kMkcol,
        Method::kCopy, Method::kMove, Method::kLock, Method::kUnlock}) {
    Directive directive;
    directive.args = {std::string(http::MethodName(method))};
    const auto bits = ParseLimitExceptMethods(directive);
    ASSERT_TRUE(bits.ok()) << directive.args[0];
    EXPECT_EQ(*bits, 1u << static_cast<int>(method)) << directive.args[0];
  }
  Directive get;
  get.args = {"GET"};
  EXPECT_EQ(*ParseLimitExceptMethods(get),
            (1u << static_cast<int>(Method::kGet)) | (1u << static_cast<int>(Method::kHead)));
  get.args = {"get"};
  EXPECT_EQ(ParseLimitExceptMethods(get).error().message, "invalid method \"get\"");
}

}  // namespace
}  // namespace framewall::config
