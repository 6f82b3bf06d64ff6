#include "proxy/config/builder.h"

#include <gtest/gtest.h>

#include "tests/unit/config/config_testing.h"

namespace framewall::config {
namespace {

using Texts = std::vector<std::string>;

const LocationConfig& Location(const Loaded& loaded, size_t index = 0) {
  return *loaded.config->http.servers.at(0)->root.locations.at(index);
}

TEST(Builder, ChecksNamePlaceAndForm) {
  EXPECT_EQ(LoadHttp("foo_bar_baz on;").errors(), Texts{"unknown directive \"foo_bar_baz\" :3"});
  EXPECT_EQ(LoadHttp("server { listem 80; }").errors(),
            Texts{"unknown directive \"listem\"; did you mean \"listen\"? :3"});
  EXPECT_EQ(LoadHttp("listen 80;").errors(), Texts{"\"listen\" directive is not allowed here :3"});
  EXPECT_EQ(LoadHttp("server { listen 80 { } }").errors(),
            Texts{"directive \"listen\" is not terminated by \";\" :3"});
  EXPECT_EQ(LoadHttp("server;").errors(), Texts{"directive \"server\" has no opening \"{\" :3"});
  EXPECT_EQ(LoadHttp("server { root; }").errors(),
            Texts{"invalid number of arguments in \"root\" directive :3"});
  EXPECT_EQ(LoadHttp("server { root a b; }").errors(),
            Texts{"invalid number of arguments in \"root\" directive :3"});
  EXPECT_EQ(LoadHttp("server { etag on;\netag off; }").errors(),
            Texts{"\"etag\" directive is duplicate :4"});
}

TEST(Builder, ReportsEveryError) {
  EXPECT_EQ(LoadHttp("nope_nope;\nserver {\n root;\n location / {\n  events {}\n }\n}").errors(),
            (Texts{"unknown directive \"nope_nope\" :3",
                   "invalid number of arguments in \"root\" directive :5",
                   "\"events\" directive is not allowed here :7"}));
}

TEST(Builder, NeedsEvents) {
  EXPECT_EQ(LoadText("http { }").errors(), Texts{"no \"events\" section in configuration :0"});
  EXPECT_EQ(LoadText("events {}\nevents {}").errors(),
            Texts{"\"events\" directive is duplicate :2"});
  EXPECT_NE(LoadText("events {}").config, nullptr);
}

TEST(Builder, SettingsReachChildrenWhateverTheOrder) {
  const Loaded loaded = LoadHttp(
      "server { location /a { location /a/b { } } keepalive_requests 7; }\n"
      "send_timeout 5s;");
  ASSERT_NE(loaded.config, nullptr) << Show(loaded.diagnostics);
  const CoreSettings& inner = Location(loaded).locations.at(0)->settings.core;
  EXPECT_EQ(inner.keepalive_requests, 7u);
  EXPECT_EQ(inner.send_timeout, Milliseconds(5000));
  EXPECT_EQ(loaded.config->http.settings.core.keepalive_requests, 1000u);
}

TEST(Builder, ServerSettingsReachServers) {
  const Loaded loaded = LoadHttp(
      "server { } server { merge_slashes on; }\n"
      "merge_slashes off;");
  ASSERT_NE(loaded.config, nullptr) << Show(loaded.diagnostics);
  EXPECT_FALSE(loaded.config->http.servers.at(0)->settings.merge_slashes);
  EXPECT_TRUE(loaded.config->http.servers.at(1)->settings.merge_slashes);
}

TEST(Builder, ListsAreReplacedByAChildsOwn) {
  const Loaded loaded = LoadHttp(
      "server { deny 10.0.0.1; allow 10.0.0.0/8; deny all;\n"
      " location /a { allow all; }\n"
      " location /b { }\n"
      " location /c { deny all; allow all; } }");
  ASSERT_NE(loaded.config, nullptr) << Show(loaded.diagnostics);
  EXPECT_EQ(Location(loaded, 0).settings.access.list->rules.size(), 1u);
  EXPECT_EQ(Location(loaded, 1).settings.access.list->rules.size(), 3u);
  EXPECT_EQ(Location(loaded, 2).settings.access.list->rules.size(), 2u);
  EXPECT_FALSE(Location(loaded, 2).settings.access.list->rules.at(0).allow);
}

TEST(Builder, ContentIsNotInheritedButByIf) {
  const Loaded loaded = LoadHttp(
      "server { location /a {\n"
      "  if ($uri = /x) { root /if; }\n"
      "  location /a/b { }\n"
      "  proxy_pass http://127.0.0.1:1; send_timeout 9s;\n"
      "} }");
  ASSERT_NE(loaded.config, nullptr) << Show(loaded.diagnostics);
  const LocationConfig& location = Location(loaded);
  EXPECT_TRUE(location.proxy_pass.set);
  EXPECT_FALSE(location.locations.at(0)->proxy_pass.set);
  EXPECT_EQ(location.locations.at(0)->content, ContentKind::kStatic);
  ASSERT_EQ(location.rewrite.size(), 1u);
  ASSERT_NE(location.rewrite[0].location, nullptr);
  const LocationConfig& inside = *location.rewrite[0].location;
  EXPECT_EQ(inside.match, LocationConfig::Match::kIf);
  EXPECT_EQ(inside.name, "/a");
  EXPECT_TRUE(inside.proxy_pass.set);
  EXPECT_NE(inside.proxy_pass.upstream, nullptr);
  EXPECT_EQ(inside.settings.core.root.constant_text(), "/if");
  EXPECT_EQ(inside.settings.core.send_timeout, Milliseconds(9000));
}

TEST(Builder, RewriteRulesKeepTheirOrder) {
  using Kind = RewriteInstruction::Kind;
  const Loaded loaded =
      LoadHttp("server {\n set $a 1;\n if ($a) { set $b 2; return 403; }\n set $c 3;\n break;\n}");
  ASSERT_NE(loaded.config, nullptr) << Show(loaded.diagnostics);
  const RewriteProgram& program = loaded.config->http.servers.at(0)->root.rewrite;
  ASSERT_EQ(program.size(), 4u);
  EXPECT_EQ(program[0].kind, Kind::kSet);
  EXPECT_EQ(program[1].kind, Kind::kIf);
  EXPECT_EQ(program[2].kind, Kind::kSet);
  EXPECT_EQ(program[3].kind, Kind::kBreak);
  ASSERT_EQ(program[1].block.size(), 2u);
  EXPECT_EQ(program[1].block[1].status, 403);
  EXPECT_EQ(program[1].location, nullptr);
}

TEST(Builder, IfHoldsOnlyWhatNginxAllows) {
  EXPECT_EQ(LoadHttp("server { if ($uri) { root /a; } }").errors(),
            Texts{"\"root\" directive is not allowed here :3"});
  EXPECT_EQ(LoadHttp("server { location / { if ($uri) { root /a; } } }").errors(), Texts{});
  EXPECT_EQ(LoadHttp("server { if ($uri) { if ($uri) { } } }").errors(),
            Texts{"\"if\" directive is not allowed here :3"});
}

TEST(Builder, LocationsNestByNginxsRules) {
  const auto errors = [](std::string_view inside) {
    return LoadHttp("server {" + std::string(inside) + "}").errors();
  };
  EXPECT_EQ(errors("location /a { location /b { } }"),
            Texts{"location \"/b\" is outside location \"/a\" :3"});
  EXPECT_EQ(errors("location = /a { location /a/b { } }"),
            Texts{"location \"/a/b\" cannot be inside the exact location \"/a\" :3"});
  EXPECT_EQ(errors("location @a { location /a { } }"),
            Texts{"location \"/a\" cannot be inside the named location \"@a\" :3"});
  EXPECT_EQ(errors("location /a { location @b { } }"),
            Texts{"named location \"@b\" can be on the server level only :3"});
  EXPECT_EQ(errors("location /a { } location /a { }"), Texts{"duplicate location \"/a\" :3"});
  EXPECT_EQ(errors("location /a { } location ^~ /a { }"), Texts{"duplicate location \"/a\" :3"});
  EXPECT_EQ(errors("location /a { } location = /a { }"), Texts{});
  EXPECT_EQ(errors("location ~ a { } location ~ a { }"), Texts{});
  EXPECT_EQ(errors("location /a { location ~ x { } location = /a { } }"), Texts{});
}

TEST(Builder, NumbersLocationsAndTheirParents) {
  const Loaded loaded = LoadHttp(
      "server { location /a { location /a/b { } limit_except GET { deny all; } } }\n"
      "server { }");
  ASSERT_NE(loaded.config, nullptr) << Show(loaded.diagnostics);
  const HttpConfig& http = loaded.config->http;
  EXPECT_EQ(http.location_count, 5);
  EXPECT_EQ(http.servers.at(1)->index, 1);
  EXPECT_EQ(Location(loaded).parent, &http.servers.at(0)->root);
  EXPECT_EQ(Location(loaded).locations.at(0)->parent, &Location(loaded));
  ASSERT_NE(Location(loaded).limit_except, nullptr);
  EXPECT_EQ(Location(loaded).limit_except->settings.access.list->rules.size(), 1u);
  EXPECT_NE(Location(loaded).limit_except_methods, 0u);
}

TEST(Builder, UpstreamsAreKnownBeforeServers) {
  const Loaded loaded = LoadHttp(
      "server { location / { proxy_pass http://app; } }\n"
      "upstream app { server 127.0.0.1:9; }");
  ASSERT_NE(loaded.config, nullptr) << Show(loaded.diagnostics);
  EXPECT_EQ(loaded.config->http.upstreams.size(), 1u);
  EXPECT_EQ(Location(loaded).proxy_pass.upstream, loaded.config->http.upstreams[0].get());
  EXPECT_EQ(LoadHttp("upstream a { server 127.0.0.1; }\nupstream a { server 127.0.0.1; }").errors(),
            Texts{"duplicate upstream \"a\" :4"});
}

}  // namespace
}  // namespace framewall::config
