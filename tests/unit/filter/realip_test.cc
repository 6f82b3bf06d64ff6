#include "proxy/filter/realip.h"

#include <gtest/gtest.h>

#include "tests/unit/filter/exchange_testing.h"

namespace framewall::filter {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

class RealIp : public ::testing::Test, public ExchangeTesting {
 protected:
  void Configure(std::string_view directives) {
    Load("server { listen 8080; set_real_ip_from 127.0.0.1/32; set_real_ip_from 10.0.1.0/24; " +
         std::string(directives) + " }");
  }
  std::string Client(const Fields& fields) {
    exchange::Exchange& exchange = Request("", "/", fields);
    EXPECT_EQ(ApplyRealIp(exchange).kind, Verdict::Kind::kContinue);
    return exchange.client_address.ToText();
  }
};

constexpr char kForwarded[] = "real_ip_header X-Forwarded-For;";
constexpr char kRecursive[] = "real_ip_header X-Forwarded-For; real_ip_recursive on;";

TEST_F(RealIp, IsOffWithoutTrustedHops) {
  Load("server { listen 8080; }");
  EXPECT_EQ(Client({{"X-Real-IP", "192.0.2.1"}}), "127.0.0.1:40000");
}

TEST_F(RealIp, ReadsTheHeader) {
  Configure("");
  EXPECT_EQ(Client({{"X-Real-IP", "192.0.2.1"}}), "192.0.2.1:0");
  EXPECT_EQ(Client({}), "127.0.0.1:40000");
  Configure("real_ip_header X-Custom;");
  EXPECT_EQ(Client({{"x-custom", "192.0.2.1"}, {"X-Real-IP", "192.0.2.9"}}), "192.0.2.1:0");
}

TEST_F(RealIp, BelievesOnlyTrustedPeers) {
  Configure("");
  connection().peer = *SocketAddress::Parse("10.0.2.1:1");
  EXPECT_EQ(Client({{"X-Real-IP", "192.0.2.1"}}), "10.0.2.1:1");
  connection().peer = *SocketAddress::Parse("10.0.1.9:1");
  EXPECT_EQ(Client({{"X-Real-IP", "192.0.2.1"}}), "192.0.2.1:0");
}

TEST_F(RealIp, ReadsPortsAndBrackets) {
  Configure("");
  EXPECT_EQ(Client({{"X-Real-IP", "192.0.2.1:567"}}), "192.0.2.1:567");
  EXPECT_EQ(Client({{"X-Real-IP", "[2001:db8::1]:80"}}), "[2001:db8::1]:80");
  EXPECT_EQ(Client({{"X-Real-IP", "2001:db8::1"}}), "[2001:db8::1]:0");
}

TEST_F(RealIp, LeavesWhatItCannotRead) {
  Configure("");
  for (const char* text :
       {"", "x", ",", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:1x",
        "[2001:db8::1]", "[2001:db8::1]80", "[]:80", ":80", "unix:", "192.0.2.256"}) {
    EXPECT_EQ(Client({{"X-Real-IP", text}}), "127.0.0.1:40000") << text;
  }
}

TEST_F(RealIp, TakesTheLastAddressWithoutRecursion) {
  Configure(kForwarded);
  EXPECT_EQ(Client({{"X-Forwarded-For", "10.0.0.1, 192.0.2.1"}}), "192.0.2.1:0");
  EXPECT_EQ(Client({{"X-Forwarded-For", "192.0.2.1, 10.0.1.1, 127.0.0.1"}}), "127.0.0.1:0");
  EXPECT_EQ(Client({{"X-Forwarded-For", "192.0.2.1"}, {"X-Forwarded-For", "127.0.0.1, 10.0.1.1"}}),
            "10.0.1.1:0");
}

TEST_F(RealIp, TakesTheLastUntrustedAddressWithRecursion) {
  Configure(kRecursive);
  EXPECT_EQ(Client({{"X-Forwarded-For", "10.0.1.1, 192.0.2.1, 127.0.0.1"}}), "192.0.2.1:0");
  EXPECT_EQ(Client({{"X-Forwarded-For", "6.6.6.6,192.0.2.1 , 10.0.1.7,"}}), "192.0.2.1:0");
  EXPECT_EQ(Client({{"X-Forwarded-For", "10.0.1.1"},
                    {"X-Forwarded-For", "192.0.2.1"},
                    {"X-Forwarded-For", "127.0.0.1"}}),
            "192.0.2.1:0");
}

TEST_F(RealIp, KeepsTheLastGoodHopWhereTheNextIsGarbage) {
  Configure(kRecursive);
  EXPECT_EQ(Client({{"X-Forwarded-For", "garbage, 10.0.1.1"}}), "10.0.1.1:0");
  EXPECT_EQ(Client({{"X-Forwarded-For", "10.0.1.1, garbage"}}), "127.0.0.1:40000");
}

TEST_F(RealIp, AllHopsTrustedGivesTheFirst) {
  Configure(kRecursive);
  EXPECT_EQ(Client({{"X-Forwarded-For", "10.0.1.2, 10.0.1.1"}}), "10.0.1.2:0");
}

TEST_F(RealIp, UsesTheProxyProtocol) {
  Configure("real_ip_header proxy_protocol;");
  EXPECT_EQ(Client({}), "127.0.0.1:40000");
  connection().proxy_protocol.present = true;
  connection().proxy_protocol.source = *SocketAddress::Parse("192.0.2.1:99");
  EXPECT_EQ(Client({}), "192.0.2.1:99");
  connection().peer = *SocketAddress::Parse("9.9.9.9:1");
  EXPECT_EQ(Client({}), "9.9.9.9:1");
}

TEST_F(RealIp, DoesNotLookTwice) {
  Configure("");
  exchange::Exchange& exchange = Request("", "/", {{"X-Real-IP", "127.0.0.1"}});
  ApplyRealIp(exchange);
  ASSERT_EQ(exchange.client_address.ToText(), "127.0.0.1:0");
  exchange.request.fields.Set("X-Real-IP", "192.0.2.1");
  ApplyRealIp(exchange);
  EXPECT_EQ(exchange.client_address.ToText(), "127.0.0.1:0");
}

TEST_F(RealIp, TrustsUnixPeers) {
  Load("server { listen 8080; set_real_ip_from unix:; }");
  connection().peer = *SocketAddress::FromUnixPath("/s");
  EXPECT_EQ(Client({{"X-Real-IP", "192.0.2.1"}}), "192.0.2.1:0");
}

}  // namespace
}  // namespace framewall::filter
