#include "proxy/filter/access.h"

#include <gtest/gtest.h>

#include "tests/unit/filter/exchange_testing.h"

namespace framewall::filter {
namespace {

using Kind = Verdict::Kind;

class Access : public ::testing::Test, public ExchangeTesting {
 protected:
  Verdict From(std::string_view address) {
    exchange::Exchange& exchange = Request("", "/");
    exchange.client_address =
        address == "unix:" ? *SocketAddress::FromUnixPath("/s") : *SocketAddress::Parse(address);
    return CheckAccess(exchange);
  }
};

TEST_F(Access, IsSilentWithoutRules) {
  Load("server { listen 8080; }");
  EXPECT_EQ(From("1.2.3.4:5").kind, Kind::kContinue);
}

TEST_F(Access, TheFirstRuleThatFitsDecides) {
  Load("server { listen 8080; allow 10.0.0.0/8; deny 10.1.0.0/16; deny 1.2.3.4; allow ::1; }");
  EXPECT_EQ(From("10.1.0.1:5").kind, Kind::kSatisfied);
  EXPECT_EQ(From("1.2.3.4:5").kind, Kind::kRespond);
  EXPECT_EQ(From("1.2.3.4:5").status, 403);
  EXPECT_EQ(From("[::1]:5").kind, Kind::kSatisfied);
  EXPECT_EQ(From("9.9.9.9:5").kind, Kind::kContinue);
}

TEST_F(Access, AllFitsEveryFamily) {
  Load("server { listen 8080; deny all; }");
  EXPECT_EQ(From("1.2.3.4:5").status, 403);
  EXPECT_EQ(From("[2001:db8::1]:5").status, 403);
  EXPECT_EQ(From("unix:").status, 403);
}

TEST_F(Access, UnixFitsNoNetwork) {
  Load("server { listen 8080; allow unix:; deny 0.0.0.0/0; deny ::/0; }");
  EXPECT_EQ(From("unix:").kind, Kind::kSatisfied);
  EXPECT_EQ(From("1.2.3.4:5").status, 403);
  Load("server { listen 8080; deny 0.0.0.0/0; deny ::/0; }");
  EXPECT_EQ(From("unix:").kind, Kind::kContinue);
}

TEST_F(Access, MappedAddressesAreIpv4) {
  Load("server { listen 8080; deny 10.0.0.0/8; }");
  EXPECT_EQ(From("[::ffff:10.0.0.1]:5").status, 403);
}

}  // namespace
}  // namespace framewall::filter
