// auth_jwt and websocket_auth_*: what they leave in the model, and what they refuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/config_testing.h"

namespace framewall::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const LocationSettings& Settings(const Loaded& loaded) { return loaded.config->http.settings; }
std::vector<std::string> ErrorsOf(std::string_view http) { return LoadHttp(http).errors(); }

TEST(JwtDirectives, RealmAndToken) {
  const Loaded loaded =
      LoadHttp("auth_jwt closed token=$cookie_sid; server { location / { auth_jwt off; } }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  EXPECT_TRUE(Settings(loaded).jwt.enabled());
  EXPECT_EQ(Settings(loaded).jwt.token.source, "$cookie_sid");
  EXPECT_FALSE(Settings(loaded).jwt.token_of_subprotocol);
  const auto& root = loaded.config->http.servers[0]->root;
  EXPECT_TRUE(root.settings.jwt.enabled());
  EXPECT_FALSE(root.locations[0]->settings.jwt.enabled());
  const Loaded of_list = LoadHttp("auth_jwt r token=$websocket_subprotocol_token;");
  EXPECT_TRUE(Settings(of_list).jwt.token_of_subprotocol);
}

TEST(JwtDirectives, KeysOfALevelStandTogether) {
  const Loaded loaded = LoadHttp(
      "auth_jwt_key_file a.json; auth_jwt_key_request /keys; auth_jwt_key_file /b.json;\n"
      "server { location / { auth_jwt_key_request /own; } }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const auto& keys = Settings(loaded).jwt.keys;
  ASSERT_EQ(keys.size(), 3u);
  EXPECT_EQ(keys[0].kind, JwtKeySource::Kind::kFile);
  EXPECT_EQ(keys[0].where, loaded.folder->path() + "/a.json");
  EXPECT_EQ(keys[1].kind, JwtKeySource::Kind::kRequest);
  EXPECT_EQ(keys[1].where, "/keys");
  EXPECT_EQ(keys[2].where, "/b.json");
  const auto& own = loaded.config->http.servers[0]->root.locations[0]->settings.jwt.keys;
  ASSERT_EQ(own.size(), 1u);
  EXPECT_EQ(own[0].where, "/own");

  std::string many;
  for (int i = 0; i < 16; ++i) many += "auth_jwt_key_file a.json;";
  EXPECT_THAT(ErrorsOf(many), IsEmpty());
  EXPECT_THAT(ErrorsOf(many + "auth_jwt_key_file a.json;"),
              ElementsAre(HasSubstr("more than 16 sources of keys")));
}

TEST(JwtDirectives, WithoutKeysThereIsAWarning) {
  const auto warns = [](std::string_view http) {
    return Show(LoadHttp(http).diagnostics).find("nobody may pass") != std::string::npos;
  };
  EXPECT_TRUE(warns("auth_jwt r; server { }"));
  EXPECT_TRUE(warns("server { location / { auth_jwt r; } }"));
  EXPECT_FALSE(warns("auth_jwt r; server { auth_jwt_key_file a; }"));
  EXPECT_FALSE(warns("auth_jwt r; server { location / { auth_jwt_key_file a; } }"));
  EXPECT_FALSE(warns("auth_jwt r; server { auth_jwt off; }"));
}

TEST(JwtDirectives, Require) {
  const Loaded loaded = LoadHttp(
      "auth_jwt_require $jwt_claim_a $jwt_claim_b; auth_jwt_require $jwt_claim_c error=403;");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const auto& require = Settings(loaded).jwt.require;
  ASSERT_EQ(require.size(), 2u);
  EXPECT_EQ(require[0].values.size(), 2u);
  EXPECT_EQ(require[0].status, 401);
  EXPECT_EQ(require[1].status, 403);
}

TEST(JwtDirectives, ClaimVariables) {
  const Loaded loaded = LoadHttp(
      "auth_jwt_claim_set $City address city; auth_jwt_header_set $kid kid; log_format a "
      "$city$kid;");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const auto& variables = loaded.config->http.token_variables;
  ASSERT_EQ(variables.size(), 2u);
  EXPECT_FALSE(variables[0].of_header);
  EXPECT_THAT(variables[0].path, ElementsAre("address", "city"));
  EXPECT_TRUE(variables[1].of_header);
  EXPECT_THAT(ErrorsOf("map $uri $x { default 1; } auth_jwt_claim_set $x sub;"),
              ElementsAre(HasSubstr("the duplicate \"x\" variable")));
  EXPECT_THAT(ErrorsOf("auth_jwt_claim_set x sub;"),
              ElementsAre(HasSubstr("invalid variable name \"x\"")));
}

TEST(JwtDirectives, FreshTokensOnASocket) {
  const Loaded loaded = LoadHttp(
      "websocket_auth_message renew type=/a~1b/c token=/d~0; websocket_auth_forward on; "
      "websocket_auth_failure ignore; server { websocket_auth_message off; }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const SocketTokenSettings& settings = Settings(loaded).socket_token;
  EXPECT_TRUE(settings.enabled && settings.forward);
  EXPECT_EQ(settings.name, "renew");
  EXPECT_THAT(settings.name_at, ElementsAre("a/b", "c"));
  EXPECT_THAT(settings.token_at, ElementsAre("d~"));
  EXPECT_EQ(settings.wrong, WrongSocketToken::kIgnore);
  const auto& off = loaded.config->http.servers[0]->root.settings.socket_token;
  EXPECT_FALSE(off.enabled);
  EXPECT_TRUE(off.forward);
  for (const char* line :
       {"websocket_auth_message '';", "websocket_auth_message auth token;",
        "websocket_auth_message auth token=;", "websocket_auth_message auth token=/;",
        "websocket_auth_message auth token=a;", "websocket_auth_message auth token=/a~2;",
        "websocket_auth_message auth token=/a~;", "websocket_auth_message off token=/a;"}) {
    EXPECT_THAT(ErrorsOf(line), ElementsAre(HasSubstr("NAME [type=/POINTER]"))) << line;
  }
}

}  // namespace
}  // namespace framewall::config
