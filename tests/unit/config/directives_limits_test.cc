// redis blocks, redis= of zones, websocket_limit_message, and which zones wait for identity.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/config_testing.h"

namespace framewall::config {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> ErrorsOf(std::string_view http) { return LoadHttp(http).errors(); }

TEST(RedisDirectives, AreAllRead) {
  TemporaryFolder secrets;
  const std::string file = secrets.Write("secret", "# of the edge\nuser edge\npassword a b\n");
  const Loaded loaded = LoadHttp(
      "redis edge { sentinel main; server 127.0.0.1; server [::1]:99;\n"
      "database 3; prefix p:; timeout 20ms; max_fails 7;\n"
      "fail_timeout 2s; credentials_file " +
      file +
      "; ssl on; ssl_name r.example; ssl_trusted_certificate ca.pem; }\n"
      "limit_req_zone $host zone=a:1m rate=20r/s redis=edge\n"
      "redis_down=refuse; limit_req_zone $host zone=b:1m rate=1r/s;");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  ASSERT_EQ(loaded.config->http.redis.size(), 1u);
  const RedisConfig& redis = *loaded.config->http.redis[0];
  EXPECT_EQ(redis.name, "edge");
  EXPECT_EQ(redis.sentinel, "main");
  ASSERT_EQ(redis.servers.size(), 2u);
  EXPECT_EQ(redis.servers[0].port, 26379) << "a Sentinel's port, wherever its name stands";
  EXPECT_EQ(redis.servers[1].host, "::1");
  EXPECT_EQ(redis.servers[1].port, 99);
  EXPECT_EQ(redis.database, 3u);
  EXPECT_EQ(redis.prefix, "p:");
  EXPECT_EQ(redis.timeout.count(), 20);
  EXPECT_EQ(redis.max_fails, 7u);
  EXPECT_EQ(redis.fail_timeout.count(), 2000);
  EXPECT_EQ(redis.user, "edge");
  EXPECT_EQ(redis.password, "a b");
  EXPECT_TRUE(redis.ssl && redis.ssl_verify);
  const auto& zones = loaded.config->http.limit_zones;
  EXPECT_EQ(zones[0]->redis, 0);
  EXPECT_EQ(zones[0]->redis_down, RedisDown::kRefuse);
  EXPECT_EQ(zones[1]->redis, -1);
}

TEST(RedisDirectives, RefuseWhatCannotWork) {
  EXPECT_THAT(ErrorsOf("redis a { }"), ElementsAre(HasSubstr("no \"server\" in redis \"a\"")));
  EXPECT_THAT(ErrorsOf("redis a { server 127.0.0.1; server 127.0.0.2; }"),
              ElementsAre(HasSubstr("a second \"server\"")));
  EXPECT_THAT(ErrorsOf("redis a { server 127.0.0.1; server 127.0.0.2; cluster on; }"), IsEmpty());
  EXPECT_THAT(ErrorsOf("redis a { server 127.0.0.1; cluster on; database 1; }"),
              ElementsAre(HasSubstr("a Redis Cluster has database 0 alone")));
  EXPECT_THAT(ErrorsOf("redis a { server 127.0.0.1; cluster on; database 0; }"), IsEmpty());
  EXPECT_THAT(ErrorsOf("redis a { server 127.0.0.1; cluster on; sentinel b; }"),
              ElementsAre(HasSubstr("exclude each other")));
  EXPECT_THAT(ErrorsOf("redis a { server 127.0.0.1:0; }"), ElementsAre(HasSubstr("invalid port")));
  EXPECT_THAT(ErrorsOf("redis a { server 127.0.0.1; timeout 0; }"),
              ElementsAre(HasSubstr("\"timeout\" of 1ms")));
  EXPECT_THAT(ErrorsOf("redis a { server 127.0.0.1; max_fails 0; }"),
              ElementsAre(HasSubstr("max_fails")));
  EXPECT_THAT(ErrorsOf("redis a { server 127.0.0.1; ssl on; }"),
              ElementsAre(HasSubstr("no \"ssl_trusted_certificate\"")));
  EXPECT_THAT(ErrorsOf("redis a { server 127.0.0.1; ssl on; ssl_verify off; }"), IsEmpty());
  EXPECT_THAT(ErrorsOf("redis a { server 127.0.0.1; } redis a { server 127.0.0.1; }"),
              ElementsAre(HasSubstr("duplicate redis \"a\"")));
  EXPECT_THAT(ErrorsOf("redis a { listen 1; }"),
              testing::Contains(HasSubstr("\"listen\" directive is not allowed here")));
}

TEST(RedisDirectives, TellWhatIsWrongWithTheirFileAndNotWhatStandsInIt) {
  TemporaryFolder secrets;
  const auto errors_of = [](const std::string& path) {
    return ErrorsOf("redis a { server 127.0.0.1;\ncredentials_file " + path + "; }");
  };
  EXPECT_THAT(errors_of("/none/here"),
              ElementsAre(AllOf(HasSubstr("cannot read \"/none/here\""), HasSubstr("No such file"),
                                HasSubstr(":4"))));
  EXPECT_THAT(errors_of(secrets.Write("bad", "user a\nhunter2\n")),
              ElementsAre(AllOf(HasSubstr("bad:2: "), HasSubstr("\"password TEXT\" was expected"),
                                testing::Not(HasSubstr("hunter2")))));
  EXPECT_THAT(errors_of(secrets.Write("none", "user a\n")),
              ElementsAre(HasSubstr("no \"password TEXT\" line")));
  EXPECT_THAT(errors_of(secrets.path()), ElementsAre(HasSubstr(secrets.path())));
}

TEST(LimitsDirectives, ZonesInRedis) {
  constexpr std::string_view kRedis = "redis edge { server 127.0.0.1; }\n";
  const auto errors_of = [&](std::string_view rest) {
    return ErrorsOf(std::string(kRedis) + std::string(rest));
  };
  EXPECT_THAT(errors_of("limit_req_zone $host zone=a:1m rate=1r/s redis=edgy;"),
              ElementsAre(HasSubstr("unknown redis \"edgy\" of zone \"a\"")));
  EXPECT_THAT(errors_of("limit_req_zone $host zone=a:1m rate=1r/s redis=;"),
              ElementsAre(HasSubstr("redis=NAME")));
  EXPECT_THAT(errors_of("limit_req_zone $host zone=a:1m rate=1r/s redis=edge redis_down=open;"),
              ElementsAre(HasSubstr("redis_down=local, pass or refuse")));
  EXPECT_THAT(errors_of("limit_req_zone $host zone=a:1m rate=1r/s redis_down=pass;"),
              ElementsAre(HasSubstr("without \"redis=NAME\"")));
  EXPECT_THAT(errors_of("limit_conn_zone $host zone=a:1m redis=edge;"),
              ElementsAre(HasSubstr("connections are counted on this machine alone")));
  EXPECT_THAT(errors_of("limit_req_zone $host zone=a:1m rate=100000r/s redis=edge;"), IsEmpty());
  EXPECT_THAT(errors_of("limit_req_zone $host zone=a:1m rate=100001r/s redis=edge;"),
              ElementsAre(HasSubstr("100000r/s at most")));
}

TEST(LimitsDirectives, LimitsOfMessages) {
  const Loaded loaded = LoadHttp(
      "limit_req_zone $host zone=a:1m rate=1r/s; limit_req_zone $host zone=b:1m rate=1r/s;\n"
      "websocket_limit_message zone=a burst=5 nodelay drop;\n"
      "websocket_limit_message zone=b 'error={\"e\":1}';\n"
      "server { location /off { websocket_limit_message off; } }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const auto& server = loaded.config->http.servers[0]->root;
  const auto& uses = server.settings.limits.messages;
  ASSERT_EQ(uses.size(), 2u);
  EXPECT_EQ(uses[0].over, OverMessageLimit::kDrop);
  EXPECT_EQ(uses[0].limit.burst, 5u);
  EXPECT_TRUE(uses[0].limit.nodelay);
  EXPECT_EQ(uses[1].over, OverMessageLimit::kError);
  EXPECT_EQ(uses[1].error, "{\"e\":1}");
  EXPECT_EQ(uses[1].limit.zone, 1);
  EXPECT_TRUE(server.locations[0]->settings.limits.messages.empty());
  EXPECT_EQ(loaded.config->http.limit_zones[0]->largest_burst, 5u);

  EXPECT_THAT(ErrorsOf("websocket_limit_message close;"),
              ElementsAre(HasSubstr("must have \"zone\"")));
  EXPECT_THAT(ErrorsOf("websocket_limit_message zone=a;"),
              ElementsAre(HasSubstr("no limit_req_zone of this name")));
  EXPECT_THAT(ErrorsOf("limit_req_zone $host zone=a:1m rate=1r/s; websocket_limit_message zone=a "
                       "refuse;"),
              ElementsAre(HasSubstr("[close | drop | error=TEXT]")));
}

// "before" or "behind" the access phase, by zone.
std::string PlacesOf(std::string_view http) {
  const Loaded loaded = LoadHttp(http);
  EXPECT_THAT(loaded.errors(), IsEmpty());
  std::string places;
  for (const auto& zone : loaded.config->http.limit_zones) {
    if (!places.empty()) places += " ";
    places += zone->by_identity ? "behind" : "before";
  }
  return places;
}

std::string Zone(std::string_view key) {
  static int number = 0;
  return "limit_req_zone " + std::string(key) + " zone=z" + std::to_string(++number) +
         ":32k rate=1r/s;";
}

TEST(Identity, PutsZonesBehindTheAccessPhase) {
  EXPECT_EQ(PlacesOf(Zone("$host")), "before");
  EXPECT_EQ(PlacesOf(Zone("$jwt_claim_sub") + Zone("$host") + Zone("a$jwt_claim_sub/b")),
            "behind before behind");
  EXPECT_EQ(PlacesOf(Zone("$jwt_header_kid") + Zone("$jwt_payload")), "behind behind");
  EXPECT_EQ(PlacesOf("limit_conn_zone $jwt_claim_sub zone=c:32k;"), "behind");
}

TEST(Identity, GoesThroughWhateverIsMadeOfIt) {
  EXPECT_EQ(PlacesOf("map $jwt_claim_sub $a { default 1; }\n" + Zone("$a")), "behind");
  EXPECT_EQ(PlacesOf("map $host $a { default $jwt_claim_sub; }\n" + Zone("$a")), "behind");
  EXPECT_EQ(PlacesOf("map $host $a { ~x $jwt_claim_sub; }\n" + Zone("$a")), "behind");
  EXPECT_EQ(PlacesOf("map $host $a { x $jwt_claim_sub; }\n" + Zone("$a")), "behind");
  EXPECT_EQ(PlacesOf("map $jwt_claim_sub $a { '~^(?<tenant>.)' 1; }\n" + Zone("$tenant")),
            "behind");
  EXPECT_EQ(PlacesOf("split_clients $jwt_claim_sub $a { 50% x; * y; }\n" + Zone("$a")), "behind");
  EXPECT_EQ(PlacesOf("geo $jwt_claim_sub $a { default x; }\n" + Zone("$a")), "behind");
  EXPECT_EQ(PlacesOf("server { location / { set $a x$jwt_claim_sub; } }\n" + Zone("$a")), "behind");
  EXPECT_EQ(PlacesOf("auth_jwt_claim_set $role role;\n" + Zone("$role")), "behind");
  EXPECT_EQ(PlacesOf("server { location / { auth_request /a; auth_request_set $user $host; } }\n" +
                     Zone("$user")),
            "behind");
  // From one to the next, whatever the order of the file.
  EXPECT_EQ(PlacesOf("map $b $c { default 1; } map $a $b { default 1; }\n"
                     "map $jwt_claim_sub $a { default 1; }\n" +
                     Zone("$c")),
            "behind");
  EXPECT_EQ(PlacesOf("map $host $a { default 1; } map $a $b { default 1; }\n" + Zone("$b")),
            "before");
}

}  // namespace
}  // namespace framewall::config
