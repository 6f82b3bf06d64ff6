#include "proxy/route/server_select.h"

#include <gtest/gtest.h>

#include <string>

#include "exchange_testing.h"

namespace framewall::route {
namespace {

class ServerSelectTest : public testing::Test {
 protected:
  std::string Find(const std::string& address, const std::string& host) {
    exchange::Exchange& exchange = testing_.Request("", "/");
    const ServerTable table(exchange.config.http);
    const AddressServers* servers = table.Find(*SocketAddress::Parse(address));
    if (servers == nullptr) return "-";
    return servers->Find(host, &exchange).primary_name();
  }

  ExchangeTesting testing_;
};

TEST_F(ServerSelectTest, NamesInOrderOfTheirKind) {
  testing_.Load(
      "server { listen 127.0.0.1:80; server_name first; }"
      "server { listen 127.0.0.1:80; server_name exact.example.com; }"
      "server { listen 127.0.0.1:80; server_name *.example.com; }"
      "server { listen 127.0.0.1:80; server_name *.sub.example.com; }"
      "server { listen 127.0.0.1:80; server_name exact.*; }"
      "server { listen 127.0.0.1:80; server_name ~^(?<who>.+)\\.test$; }");
  EXPECT_EQ(Find("127.0.0.1:80", "exact.example.com"), "exact.example.com");
  EXPECT_EQ(Find("127.0.0.1:80", "a.example.com"), "*.example.com");
  EXPECT_EQ(Find("127.0.0.1:80", "a.b.sub.example.com"), "*.sub.example.com");
  EXPECT_EQ(Find("127.0.0.1:80", "exact.org"), "exact.*");
  EXPECT_EQ(Find("127.0.0.1:80", "me.test"), "~^(?<who>.+)\\.test$");
  EXPECT_EQ(Find("127.0.0.1:80", "example.com"), "first");
  EXPECT_EQ(Find("127.0.0.1:80", ""), "first");
}

TEST_F(ServerSelectTest, ALeadingDotMeansTheNameItselfToo) {
  testing_.Load(
      "server { listen 127.0.0.1:80; server_name other; }"
      "server { listen 127.0.0.1:80; server_name .example.com; }");
  EXPECT_EQ(Find("127.0.0.1:80", "example.com"), ".example.com");
  EXPECT_EQ(Find("127.0.0.1:80", "a.example.com"), ".example.com");
  EXPECT_EQ(Find("127.0.0.1:80", "badexample.com"), "other");
}

TEST_F(ServerSelectTest, TheDefaultServerIsTheFirstOrTheOneThatSaysSo) {
  testing_.Load(
      "server { listen 127.0.0.1:80; server_name a; listen 127.0.0.1:81; }"
      "server { listen 127.0.0.1:80; server_name b; listen 127.0.0.1:81 default_server; }");
  EXPECT_EQ(Find("127.0.0.1:80", "x"), "a");
  EXPECT_EQ(Find("127.0.0.1:81", "x"), "b");
}

TEST_F(ServerSelectTest, AnAddressWinsOverTheWildcardOfItsPort) {
  testing_.Load(
      "server { listen 80; server_name wild; }"
      "server { listen 127.0.0.1:80; server_name local; }"
      "server { listen [::]:80; server_name six; }");
  EXPECT_EQ(Find("127.0.0.1:80", "x"), "local");
  EXPECT_EQ(Find("127.0.0.2:80", "x"), "wild");
  EXPECT_EQ(Find("[::1]:80", "x"), "six");
  EXPECT_EQ(Find("127.0.0.1:81", "x"), "-");
}

}  // namespace
}  // namespace framewall::route
