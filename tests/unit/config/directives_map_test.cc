// map, geo, geoip2, split_clients.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/config_testing.h"

namespace framewall::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> ErrorsOf(std::string_view http) { return LoadHttp(http).errors(); }

TEST(Map, HasExactKeysRegexesAndADefault) {
  const Loaded loaded = LoadHttp(
      "map $host$uri $x { default d$uri; Abc 1; '' empty; \\default word; ~^(?<rest>A) $rest; "
      "~*b 2; volatile; }\nserver { return 200 $x; }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const MapConfig& map = loaded.config->http.maps[0];
  EXPECT_EQ(map.source.source, "$host$uri");
  EXPECT_EQ(map.default_value.source, "d$uri");
  EXPECT_TRUE(map.is_volatile);
  EXPECT_EQ(map.exact.at("abc").source, "1");
  EXPECT_EQ(map.exact.at("").source, "empty");
  EXPECT_EQ(map.exact.at("default").source, "word");
  ASSERT_EQ(map.regexes.size(), 2u);
  EXPECT_FALSE(map.regexes[0].regex.regex->Matches("a"));
  EXPECT_TRUE(map.regexes[1].regex.regex->Matches("B"));
}

TEST(Map, HostnamesMayStandAnywhere) {
  const Loaded loaded =
      LoadHttp("map $host $x { .a.org 1; *.b.org 2; www.c.* 3; d.org 4; hostnames; }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const MapConfig& map = loaded.config->http.maps[0];
  EXPECT_EQ(map.leading_wildcards.at("a.org").source, "1");
  EXPECT_EQ(map.exact.at("a.org").source, "1");
  EXPECT_EQ(map.leading_wildcards.at("b.org").source, "2");
  EXPECT_EQ(map.exact.count("b.org"), 0u);
  EXPECT_EQ(map.trailing_wildcards.at("www.c").source, "3");
  const Loaded plain = LoadHttp("map $host $x { *.b.org 2; }");
  EXPECT_EQ(plain.config->http.maps[0].exact.count("*.b.org"), 1u);
}

TEST(Map, RefusesBadLines) {
  EXPECT_THAT(ErrorsOf("map $host x { }"), ElementsAre(HasSubstr("invalid variable name \"x\"")));
  EXPECT_THAT(ErrorsOf("map $host $x { a; }"),
              ElementsAre(HasSubstr("invalid number of the map parameters")));
  EXPECT_THAT(ErrorsOf("map $host $x { a 1; A 2; }"),
              ElementsAre(HasSubstr("conflicting parameter \"A\"")));
  EXPECT_THAT(ErrorsOf("map $host $x { default 1; default 2; }"),
              ElementsAre(HasSubstr("duplicate default map parameter")));
  EXPECT_THAT(ErrorsOf("map $host $x { ~( 1; }"), ElementsAre(HasSubstr("pcre2_compile()")));
  EXPECT_THAT(ErrorsOf("map $host $x { hostnames; a.*.b 1; }"),
              ElementsAre(HasSubstr("invalid hostname or wildcard \"a.*.b\"")));
}

TEST(Geo, HasNetworksProxiesAndRanges) {
  const Loaded loaded = LoadHttp(
      "geo $x { default d; 10.0.0.0/8 a; 127.0.0.1 b; ::1/128 c; 10.1.0.0/16 e; delete "
      "10.1.0.0/16;\n proxy 192.168.0.0/16; proxy_recursive; }\n"
      "geo $arg_ip $y { ranges; 10.0.0.1-10.0.0.9 r; default z; }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const GeoConfig& geo = loaded.config->http.geos[0];
  EXPECT_EQ(geo.address.source, "$remote_addr");
  EXPECT_EQ(geo.default_value, "d");
  const auto value = [](const GeoConfig& of, std::string_view address) {
    const uint32_t found = of.networks.Find(*IpAddress::Parse(address));
    return found == NetworkMap::kNone ? of.default_value : of.values.at(found);
  };
  EXPECT_EQ(value(geo, "10.1.2.3"), "a");
  EXPECT_EQ(value(geo, "127.0.0.1"), "b");
  EXPECT_EQ(value(geo, "::1"), "c");
  EXPECT_EQ(value(geo, "::2"), "d");
  EXPECT_TRUE(geo.proxies.Contains(*IpAddress::Parse("192.168.3.4")));
  EXPECT_FALSE(geo.proxies.Contains(*IpAddress::Parse("10.0.0.1")));
  EXPECT_TRUE(geo.proxy_recursive);
  const GeoConfig& ranges = loaded.config->http.geos[1];
  EXPECT_TRUE(ranges.ranges);
  EXPECT_EQ(ranges.address.source, "$arg_ip");
  EXPECT_EQ(value(ranges, "10.0.0.0"), "z");
  EXPECT_EQ(value(ranges, "10.0.0.1"), "r");
  EXPECT_EQ(value(ranges, "10.0.0.9"), "r");
  EXPECT_EQ(value(ranges, "10.0.0.10"), "z");
}

TEST(Geo, TellsOfDuplicatesAndOfNothingToDelete) {
  EXPECT_THAT(Show(LoadHttp("geo $x { 10.0.0.0/8 a; 10.0.0.0/8 b; }").diagnostics),
              HasSubstr("duplicate network \"10.0.0.0/8\", value: \"b\", old value: \"a\""));
  EXPECT_THAT(Show(LoadHttp("geo $x { delete 10.0.0.0/8; }").diagnostics),
              HasSubstr("no network \"10.0.0.0/8\" to delete"));
  EXPECT_THAT(Show(LoadHttp("geo $x { ranges; 10.0.0.1-10.0.0.2 a; delete 10.0.0.1-10.0.0.3; }")
                       .diagnostics),
              HasSubstr("no address range \"10.0.0.1-10.0.0.3\" to delete"));
}

TEST(Geoip2, HasRecordsMetadataAndSettings) {
  const Loaded loaded = LoadHttp(
      "geoip2_proxy 10.0.0.0/8; geoip2_proxy 2001:db8::/32; geoip2_proxy_recursive on;\n"
      "geoip2 country.mmdb { auto_reload 5m; $code default=US source=$arg_ip country iso_code;\n"
      "$built metadata build_epoch; $whole; }\n"
      "geoip2 /var/city.mmdb { $region subdivisions 0 iso_code; }\n"
      "server { return 200 $code$built$whole$region; }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const HttpConfig& http = loaded.config->http;
  ASSERT_EQ(http.geoip2_databases.size(), 2u);
  EXPECT_EQ(http.geoip2_databases[0].path, loaded.config->FullPath("country.mmdb"));
  EXPECT_EQ(http.geoip2_databases[0].auto_reload, Milliseconds(300000));
  EXPECT_EQ(http.geoip2_databases[1].path, "/var/city.mmdb");
  EXPECT_EQ(http.geoip2_databases[1].auto_reload, Milliseconds(0));
  ASSERT_EQ(http.geoip2_variables.size(), 4u);
  const Geoip2Variable& code = http.geoip2_variables[0];
  EXPECT_EQ(code.default_value, "US");
  EXPECT_EQ(code.source->source, "$arg_ip");
  EXPECT_THAT(code.path, ElementsAre("country", "iso_code"));
  EXPECT_EQ(http.geoip2_variables[1].kind, Geoip2Variable::Kind::kBuildEpoch);
  EXPECT_THAT(http.geoip2_variables[2].path, IsEmpty());
  EXPECT_FALSE(http.geoip2_variables[3].source);
  EXPECT_EQ(http.geoip2_variables[3].database, 1u);
  EXPECT_TRUE(http.geoip2_proxies.Contains(*IpAddress::Parse("2001:db8::1")));
  EXPECT_TRUE(http.geoip2_proxy_recursive);
}

TEST(Geoip2, RefusesBadLines) {
  EXPECT_THAT(ErrorsOf("geoip2 a.mmdb { country iso_code; }"),
              ElementsAre(HasSubstr("invalid setting \"country\"")));
  EXPECT_THAT(ErrorsOf("geoip2 a.mmdb { $x defualt=US country; }"),
              ElementsAre(HasSubstr("invalid setting \"defualt=US\" for \"$x\"")));
  EXPECT_THAT(ErrorsOf("geoip2 a.mmdb { $x default=US default=DE country; }"),
              ElementsAre(HasSubstr("invalid setting \"default=DE\"")));
  EXPECT_THAT(ErrorsOf("geoip2 a.mmdb { $x source=remote_addr country; }"),
              ElementsAre(HasSubstr("invalid setting \"source=remote_addr\"")));
  EXPECT_THAT(ErrorsOf("geoip2 a.mmdb { $x metadata age; }"),
              ElementsAre(HasSubstr("build_epoch, last_check or last_change was expected")));
  EXPECT_THAT(ErrorsOf("geoip2 a.mmdb { $x metadata; }"),
              ElementsAre(HasSubstr("invalid metadata \"\"")));
  EXPECT_THAT(ErrorsOf("geoip2 a.mmdb { auto_reload; }"),
              ElementsAre(HasSubstr("invalid number of arguments in \"auto_reload\"")));
  EXPECT_THAT(ErrorsOf("geoip2 a.mmdb { auto_reload soon; }"), ElementsAre(HasSubstr("\"soon\"")));
  EXPECT_THAT(ErrorsOf("geoip2 a.mmdb { } geoip2 a.mmdb { }"),
              ElementsAre(HasSubstr("duplicate geoip2 database")));
  EXPECT_THAT(ErrorsOf("geoip2_proxy 10.0.0.0/40;"), ElementsAre(HasSubstr("10.0.0.0/40")));
  EXPECT_THAT(ErrorsOf("server { geoip2 a.mmdb { } }"), ElementsAre(HasSubstr("not allowed here")));
}

TEST(Geo, RefusesBadLines) {
  EXPECT_THAT(ErrorsOf("geo x { }"), ElementsAre(HasSubstr("invalid variable name \"x\"")));
  EXPECT_THAT(ErrorsOf("geo $x { 10.0.0.0/40 a; }"),
              ElementsAre(HasSubstr("invalid network \"10.0.0.0/40\"")));
  EXPECT_THAT(ErrorsOf("geo $x { 10.0.0.1; }"),
              ElementsAre(HasSubstr("invalid number of the geo parameters")));
  EXPECT_THAT(ErrorsOf("geo $x { ranges; 10.0.0.9-10.0.0.1 a; }"),
              ElementsAre(HasSubstr("invalid range \"10.0.0.9-10.0.0.1\"")));
  EXPECT_THAT(ErrorsOf("geo $x { 10.0.0.1 a; ranges; }"),
              ElementsAre(HasSubstr("must be the first directive")));
}

TEST(SplitClients, SumsItsShares) {
  const Loaded loaded = LoadHttp("split_clients $remote_addr $x { 0.5% a; 20% b; * c; }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const auto& parts = loaded.config->http.split_clients[0].parts;
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].upper, 21474836u);
  EXPECT_EQ(parts[1].upper, 21474836u + 858993459u);
  EXPECT_EQ(parts[2].upper, 0u);
  EXPECT_EQ(parts[2].value, "c");
}

TEST(SplitClients, RefusesBadShares) {
  EXPECT_THAT(ErrorsOf("split_clients $host $x { 60% a; 40% b; }"), IsEmpty());
  EXPECT_THAT(ErrorsOf("split_clients $host $x { 60% a; 41% b; }"),
              ElementsAre(HasSubstr("percent total is greater than 100%")));
  for (const std::string share : {"0%", "0.001%", "10", "x%", "101%"}) {
    EXPECT_THAT(ErrorsOf("split_clients $host $x { " + share + " a; }"),
                ElementsAre(HasSubstr("invalid percent value \"" + share + "\"")))
        << share;
  }
}

}  // namespace
}  // namespace framewall::config
