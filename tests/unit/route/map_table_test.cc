#include "proxy/route/map_table.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "exchange_testing.h"

namespace framewall::route {
namespace {

class MapTableTest : public testing::Test {
 protected:
  // What a location's add_header makes of `$out` for the query `args`.
  std::string Out(const std::string& blocks, const std::string& args,
                  std::vector<std::pair<std::string, std::string>> fields = {}) {
    testing_.Load(blocks + " server { listen 127.0.0.1:80; add_header X $out; }");
    exchange::Exchange& exchange = testing_.Request("", "/", std::move(fields));
    exchange.args = args;
    return std::string(exchange.Expand(exchange.settings().headers.add_header[0].value));
  }

  ExchangeTesting testing_;
};

TEST_F(MapTableTest, ComparesWithoutCaseAndFallsBack) {
  const std::string map = "map $args $out { default no; one 1; ONE-more $request_method; }";
  EXPECT_EQ(Out(map, "one"), "1");
  EXPECT_EQ(Out(map, "One"), "1");
  EXPECT_EQ(Out(map, "one-MORE"), "GET");
  EXPECT_EQ(Out(map, "two"), "no");
  EXPECT_EQ(Out("map $args $out { one 1; }", "two"), "");
}

TEST_F(MapTableTest, HostnamesBeforeRegexesInOrder) {
  const std::string map =
      "map $args $out { hostnames; default no; a.example.com exact; *.example.com left; "
      ".example.org dot; www.* right; ~^re(.) got-$1; ~*^re other; }";
  EXPECT_EQ(Out(map, "a.example.com"), "exact");
  EXPECT_EQ(Out(map, "b.example.com"), "left");
  EXPECT_EQ(Out(map, "example.org"), "dot");
  EXPECT_EQ(Out(map, "x.example.org"), "dot");
  EXPECT_EQ(Out(map, "www.test"), "right");
  EXPECT_EQ(Out(map, "rex"), "got-x");
  EXPECT_EQ(Out(map, "example.com"), "no");
}

TEST_F(MapTableTest, GeoTakesTheLongestNetwork) {
  const std::string geo =
      "geo $arg_ip $out { default far; 10.0.0.0/8 ten; 10.1.0.0/16 one; 2001:db8::/32 six; }";
  EXPECT_EQ(Out(geo, "ip=10.1.2.3"), "one");
  EXPECT_EQ(Out(geo, "ip=10.2.2.3"), "ten");
  EXPECT_EQ(Out(geo, "ip=2001:db8::1"), "six");
  EXPECT_EQ(Out(geo, "ip=192.0.2.1"), "far");
  EXPECT_EQ(Out(geo, "ip=nonsense"), "far");
}

TEST_F(MapTableTest, GeoBelievesTheProxiesItIsTold) {
  const std::string geo =
      "geo $out { default far; proxy 127.0.0.0/8; 10.0.0.0/8 ten; 192.0.2.0/24 lab; }";
  EXPECT_EQ(Out(geo, "", {{"X-Forwarded-For", "10.0.0.1, 192.0.2.7"}}), "lab");
  EXPECT_EQ(Out(geo, ""), "far");
}

TEST_F(MapTableTest, GeoCountsMappedAddressesAsIpv4AndRangesByTheLast) {
  const std::string geo = "geo $arg_ip $out { default far; 10.0.0.0/8 ten; ::/0 six; }";
  EXPECT_EQ(Out(geo, "ip=::ffff:10.1.2.3"), "ten");
  EXPECT_EQ(Out(geo, "ip=::ffff:11.1.2.3"), "far");
  EXPECT_EQ(Out(geo, "ip=::1"), "six");
  const std::string ranges =
      "geo $arg_ip $out { ranges; default far; 10.0.0.0-10.0.0.9 a; 10.0.0.5-10.0.0.7 b; "
      "2001:db8::1-2001:db8::9 c; 10.0.0.9-10.0.0.20 d; delete 10.0.0.5-10.0.0.7; }";
  EXPECT_EQ(Out(ranges, "ip=10.0.0.6"), "a");
  EXPECT_EQ(Out(ranges, "ip=10.0.0.9"), "d");
  EXPECT_EQ(Out(ranges, "ip=10.0.0.21"), "far");
  EXPECT_EQ(Out(ranges, "ip=2001:db8::9"), "c");
}

// What a request pays for `$out`: the client's address as text, read, found, and its value.
class GeoCost : public MapTableTest {
 protected:
  struct Cost {
    double load_seconds;
    double nanoseconds;
  };
  // Of the processor: others share the machine.
  static double Since(std::clock_t begun) {
    return static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC;
  }

  Cost Measure(int networks) {
    std::string geo = "geo $out { default 0;\n";
    for (int i = 0; i < networks / 2; ++i) {
      geo += std::to_string(10 + i / 65536) + "." + std::to_string(i / 256 % 256) + "." +
             std::to_string(i % 256) + ".0/25 1;\n";
      std::array<char, 8> hex{};
      std::snprintf(hex.data(), hex.size(), "%x", static_cast<unsigned>(i));
      geo += "2001:db8:" + std::string(hex.data()) + "::/48 2;\n";
    }
    const auto begun = std::clock();
    testing_.Load(geo + "}\nserver { listen 127.0.0.1:80; add_header X $out; }");
    Cost cost{Since(begun), 1e9};
    exchange::Exchange& exchange = testing_.Request("", "/");
    const auto slot = exchange.settings().headers.add_header[0].value.parts[0].variable;
    std::vector<SocketAddress> clients;
    uint32_t number = 1;
    for (int i = 0; i < 2000; ++i) {
      number = number * 1664525 + 1013904223;
      const IpAddress v4 = IpAddress::FromV4((10u << 24) | (number >> 8));
      const IpAddress v6 =
          IpAddress::FromV6({0x20, 0x01, 0x0d, 0xb8, static_cast<uint8_t>(number >> 24),
                             static_cast<uint8_t>(number >> 16), 1});
      clients.push_back(SocketAddress::FromIp(i % 2 == 0 ? v4 : v6, 1));
    }
    size_t found = 0;
    for (int round = 0; round < 30; ++round) {
      const auto start = std::clock();
      for (const SocketAddress& client : clients) {
        exchange.Reset();
        exchange.client_address = client;
        if (exchange.Get(slot) != "0") ++found;
      }
      cost.nanoseconds =
          std::min(cost.nanoseconds, Since(start) * 1e9 / static_cast<double>(clients.size()));
    }
    EXPECT_GT(found, 0u);
    return cost;
  }
};

// Bounds are wide: others share the caches.
TEST_F(GeoCost, AHundredThousandNetworksAreReadAndAskedQuickly) {
  const Cost few = Measure(1000);
  const Cost many = Measure(100000);
  std::printf("1,000: %.0f ns; 100,000: %.0f ns, read in %.2f s\n", few.nanoseconds,
              many.nanoseconds, many.load_seconds);
  EXPECT_LT(many.nanoseconds, 2.5 * few.nanoseconds);
  EXPECT_LT(many.load_seconds, 2);
}

TEST_F(MapTableTest, SplitClientsKeepsAClientInItsPart) {
  const std::string split = "split_clients $args $out { 50% a; * b; }";
  int first = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string key = "client" + std::to_string(i);
    const std::string part = Out(split, key);
    EXPECT_EQ(Out(split, key), part);
    if (part == "a") ++first;
  }
  EXPECT_GT(first, 70);
  EXPECT_LT(first, 130);
}

// Reference values of MurmurHash2 with seed 0 for the lengths around a word.
TEST_F(MapTableTest, HashesAsMurmurHash2) {
  EXPECT_EQ(MurmurHash2(""), 0u);
  EXPECT_NE(MurmurHash2("a"), MurmurHash2("b"));
  EXPECT_NE(MurmurHash2("abcd"), MurmurHash2("abcde"));
}

}  // namespace
}  // namespace framewall::route
