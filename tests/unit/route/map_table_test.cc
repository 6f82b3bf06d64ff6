#include "proxy/route/map_table.h"

#include <gtest/gtest.h>

#include <string>

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
