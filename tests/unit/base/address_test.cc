#include "proxy/base/address.h"

#include <gtest/gtest.h>

namespace framewall {
namespace {

IpAddress Ip(std::string_view text) {
  const auto address = IpAddress::Parse(text);
  EXPECT_TRUE(address) << text;
  return address.value_or(IpAddress());
}

Cidr Net(std::string_view text) {
  const auto cidr = Cidr::Parse(text);
  EXPECT_TRUE(cidr) << text;
  return cidr.value_or(Cidr());
}

TEST(IpAddress, ReadsAndWritesBothFamilies) {
  EXPECT_EQ(Ip("1.2.3.4").ToText(), "1.2.3.4");
  EXPECT_EQ(Ip("1.2.3.4").bytes(), std::string_view("\1\2\3\4"));
  EXPECT_EQ(Ip("2001:DB8:0:0:1:0:0:1").ToText(), "2001:db8::1:0:0:1");
  EXPECT_EQ(Ip("::1").bytes().size(), 16u);
  EXPECT_TRUE(IpAddress().empty());
  EXPECT_EQ(IpAddress().ToText(), "");
}

TEST(IpAddress, RefusesWhatIsNoAddress) {
  for (std::string_view text : {"", "1.2.3", "1.2.3.256", "1.2.3.4.5", "1.2.3.4 ", "[::1]",
                                "::1%lo", "a.b.c.d", "1::2::3", "1.2.3.4/8"}) {
    EXPECT_FALSE(IpAddress::Parse(text)) << text;
  }
  EXPECT_FALSE(IpAddress::Parse(std::string_view("1.2.3.4\0", 8)));
  EXPECT_FALSE(IpAddress::Parse(std::string(200, '1')));
}

TEST(IpAddress, UnmapsOnlyMappedAddresses) {
  EXPECT_EQ(Ip("::ffff:1.2.3.4").Unmapped(), Ip("1.2.3.4"));
  EXPECT_EQ(Ip("::1").Unmapped(), Ip("::1"));
  EXPECT_EQ(Ip("1.2.3.4").Unmapped(), Ip("1.2.3.4"));
}

TEST(IpAddress, BuildsFromNumbers) {
  EXPECT_EQ(IpAddress::FromV4(0x7f000001), Ip("127.0.0.1"));
  std::array<uint8_t, 16> bytes{};
  bytes[15] = 1;
  EXPECT_EQ(IpAddress::FromV6(bytes), Ip("::1"));
}

TEST(IpAddress, OrdersV4BeforeV6) {
  EXPECT_LT(Ip("1.2.3.4"), Ip("1.2.3.5"));
  EXPECT_LT(Ip("255.255.255.255"), Ip("::"));
}

TEST(SocketAddress, ReadsWhatItWrites) {
  for (std::string_view text : {"1.2.3.4:80", "[::1]:443", "127.0.0.1:0", "unix:/run/app.sock"}) {
    const auto address = SocketAddress::Parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->ToText(), text);
    EXPECT_EQ(SocketAddress::FromSockaddr(address->get(), address->length()), *address);
  }
}

TEST(SocketAddress, RefusesWhatIsNoEndpoint) {
  for (std::string_view text : {"", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:000080",
                                "1.2.3.4:-1", "::1:80", "[1.2.3.4]:80", "[::1]", "unix:", "a:80"}) {
    EXPECT_FALSE(SocketAddress::Parse(text)) << text;
  }
}

TEST(SocketAddress, TellsItsParts) {
  auto address = SocketAddress::FromIp(Ip("::1"), 65535);
  EXPECT_EQ(address.family(), AF_INET6);
  EXPECT_EQ(address.port(), 65535);
  EXPECT_EQ(address.ip(), Ip("::1"));
  EXPECT_EQ(address.HostText(), "::1");
  address.set_port(80);
  EXPECT_EQ(address.ToText(), "[::1]:80");
  EXPECT_TRUE(SocketAddress().empty());
  EXPECT_EQ(SocketAddress().family(), AF_UNSPEC);
  EXPECT_EQ(SocketAddress().ToText(), "");
}

TEST(SocketAddress, DiffersByPortAndFamily) {
  EXPECT_EQ(SocketAddress::Parse("1.2.3.4:80"), SocketAddress::Parse("1.2.3.4:80"));
  EXPECT_NE(SocketAddress::Parse("1.2.3.4:80"), SocketAddress::Parse("1.2.3.4:81"));
  EXPECT_NE(SocketAddress::Parse("[::]:80"), SocketAddress::Parse("0.0.0.0:80"));
  EXPECT_NE(SocketAddress::Parse("unix:/a"), SocketAddress::Parse("unix:/b"));
}

TEST(SocketAddress, UnixPathFitsUpToTheLimit) {
  const std::string longest = "/" + std::string(sizeof(sockaddr_un::sun_path) - 2, 'a');
  const auto fits = SocketAddress::FromUnixPath(longest);
  ASSERT_TRUE(fits.ok());
  EXPECT_EQ(fits->unix_path(), longest);
  EXPECT_EQ(fits->port(), 0);
  EXPECT_TRUE(fits->ip().empty());
  EXPECT_FALSE(SocketAddress::FromUnixPath(longest + "a").ok());
  EXPECT_FALSE(SocketAddress::FromUnixPath(std::string_view("/a\0b", 4)).ok());
}

TEST(SocketAddress, UnnamedUnixPeerHasNoPath) {
  sockaddr_un peer{};
  peer.sun_family = AF_UNIX;
  const auto address = SocketAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&peer),
                                                   sizeof(peer.sun_family));
  EXPECT_TRUE(address.is_unix());
  EXPECT_EQ(address.ToText(), "unix:");
  EXPECT_EQ(address.HostText(), "unix:");
}

TEST(SocketAddress, CutShortIsEmpty) {
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  const auto* raw = reinterpret_cast<const sockaddr*>(&peer);
  EXPECT_TRUE(SocketAddress::FromSockaddr(raw, sizeof(peer) - 1).empty());
  EXPECT_FALSE(SocketAddress::FromSockaddr(raw, sizeof(peer)).empty());
}

TEST(Cidr, HoldsItsNetworkAndNoMore) {
  const Cidr net = Net("10.1.0.0/23");
  EXPECT_FALSE(net.Contains(Ip("10.0.255.255")));
  EXPECT_TRUE(net.Contains(Ip("10.1.0.0")));
  EXPECT_TRUE(net.Contains(Ip("10.1.1.255")));
  EXPECT_FALSE(net.Contains(Ip("10.1.2.0")));
  EXPECT_TRUE(Net("2001:db8::/32").Contains(Ip("2001:db8:ffff::1")));
  EXPECT_FALSE(Net("2001:db8::/32").Contains(Ip("2001:db9::")));
}

TEST(Cidr, SingleAddressAndEverything) {
  EXPECT_TRUE(Net("1.2.3.4").Contains(Ip("1.2.3.4")));
  EXPECT_FALSE(Net("1.2.3.4").Contains(Ip("1.2.3.5")));
  EXPECT_EQ(Net("::1").prefix_length(), 128);
  EXPECT_TRUE(Net("0.0.0.0/0").Contains(Ip("255.255.255.255")));
  EXPECT_FALSE(Net("0.0.0.0/0").Contains(Ip("::1")));
  EXPECT_FALSE(Net("0.0.0.0/0").Contains(IpAddress()));
}

TEST(Cidr, MappedAddressIsIpv4) {
  EXPECT_TRUE(Net("10.0.0.0/8").Contains(Ip("::ffff:10.1.2.3")));
  EXPECT_FALSE(Net("::/0").Contains(Ip("::ffff:10.1.2.3")));
  EXPECT_TRUE(Net("::ffff:10.0.0.0/104").Contains(Ip("10.1.2.3")));
  EXPECT_FALSE(Net("::ffff:10.0.0.0/104").Contains(Ip("11.1.2.3")));
}

TEST(Cidr, ClearsAndReportsHostBits) {
  bool host_bits = false;
  const auto cidr = Cidr::Parse("10.1.2.3/12", &host_bits);
  ASSERT_TRUE(cidr);
  EXPECT_TRUE(host_bits);
  EXPECT_EQ(cidr->base(), Ip("10.0.0.0"));
  ASSERT_TRUE(Cidr::Parse("10.0.0.0/12", &host_bits));
  EXPECT_FALSE(host_bits);
}

TEST(Cidr, RefusesMalformed) {
  for (std::string_view text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1",
                                "10.0.0.0/8/8", "10.0.0.0/255.0.0.0", "10.0.0/8"}) {
    EXPECT_FALSE(Cidr::Parse(text)) << text;
  }
  EXPECT_TRUE(Cidr::Parse("10.0.0.0/32"));
  EXPECT_TRUE(Cidr::Parse("::/128"));
}

TEST(CidrSet, FindsAcrossOverlapsAndFamilies) {
  CidrSet set;
  for (std::string_view text : {"192.168.1.0/24", "10.0.0.0/8", "10.5.0.0/16", "2001:db8::/32",
                                "::ffff:172.16.0.0/108", "192.168.1.7"}) {
    set.Add(Net(text));
  }
  set.Build();
  for (std::string_view text :
       {"10.0.0.0", "10.4.255.255", "10.5.1.1", "10.6.0.0", "10.255.255.255", "192.168.1.0",
        "192.168.1.255", "172.31.255.255", "2001:db8::1", "::ffff:10.1.1.1"}) {
    EXPECT_TRUE(set.Contains(Ip(text))) << text;
  }
  for (std::string_view text : {"9.255.255.255", "11.0.0.0", "192.168.0.255", "192.168.2.0",
                                "172.32.0.0", "2001:db9::", "::", "0.0.0.0"}) {
    EXPECT_FALSE(set.Contains(Ip(text))) << text;
  }
  EXPECT_FALSE(set.Contains(IpAddress()));
}

TEST(CidrSet, AgreesWithEachNetworkAlone) {
  CidrSet set;
  std::vector<Cidr> nets;
  uint32_t seed = 12345;
  const auto next = [&seed] { return seed = seed * 1664525 + 1013904223; };
  for (int i = 0; i < 200; ++i) {
    const std::string text =
        IpAddress::FromV4(next()).ToText() + "/" + std::to_string(6 + (next() >> 16) % 27);
    nets.push_back(Net(text));
    set.Add(nets.back());
  }
  set.Build();
  for (int i = 0; i < 5000; ++i) {
    const IpAddress address = IpAddress::FromV4(next());
    bool expected = false;
    for (const Cidr& net : nets) expected = expected || net.Contains(address);
    EXPECT_EQ(set.Contains(address), expected) << address.ToText();
  }
}

TEST(CidrSet, EmptyHoldsNothing) { EXPECT_FALSE(CidrSet().Contains(Ip("1.2.3.4"))); }

TEST(CidrSetDeathTest, MustBeBuiltBeforeItIsAsked) {
  CidrSet set;
  set.Add(Net("10.0.0.0/8"));
  EXPECT_DEATH(set.Contains(Ip("10.0.0.1")), "is_built_");
}

}  // namespace
}  // namespace framewall
