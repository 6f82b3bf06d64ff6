#include "backend/server/router.h"

#include <gtest/gtest.h>

#include "backend/server/access.h"
#include "backend/server/arguments.h"
#include "tests/unit/backend/server/server_harness.h"

namespace framewall::backend::server {
namespace {

void Nobody(CallRef) {}

Route Of(std::string_view method, std::string_view pattern, std::string_view operation) {
  return Open(method, pattern, operation, Nobody);
}

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    auto made = Router::Make({
        Of("GET", "/", "root"),
        Of("GET", "/rooms", "list"),
        Of("POST", "/rooms", "create"),
        Of("GET", "/rooms/{room}", "get"),
        Of("DELETE", "/rooms/{id}", "delete"),
        Of("GET", "/rooms/mine", "mine"),
        Of("GET", "/rooms/{room}/members/{user}", "member"),
        Of("GET", "/models/{model...}", "model"),
        Of("GET", "/models/known/info", "info"),
    });
    router_ = std::move(made).value();
  }

  // "operation name=value,...", or "405 ALLOW", or "404".
  std::string Find(std::string_view method, std::string_view path) {
    const auto segments = SplitPath(path);
    if (!segments) return "400";
    const Router::Match match = router_->Find(method, path, *segments);
    if (match.route == nullptr) return match.allow.empty() ? "404" : "405 " + match.allow;
    std::string text(match.route->operation);
    for (const auto& [name, value] : match.parameters) {
      text += " " + std::string(name) + "=" + value;
    }
    return text;
  }

  std::unique_ptr<Router> router_;
};

TEST_F(RouterTest, FindsLiteralsAndParameters) {
  EXPECT_EQ(Find("GET", "/"), "root");
  EXPECT_EQ(Find("GET", "/rooms"), "list");
  EXPECT_EQ(Find("POST", "/rooms"), "create");
  EXPECT_EQ(Find("GET", "/rooms/7"), "get room=7");
  EXPECT_EQ(Find("DELETE", "/rooms/7"), "delete id=7");
  EXPECT_EQ(Find("GET", "/rooms/7/members/8"), "member room=7 user=8");
}

TEST_F(RouterTest, LiteralsWinAndParametersStandInWhereTheyEnd) {
  EXPECT_EQ(Find("GET", "/rooms/mine"), "mine");
  EXPECT_EQ(Find("GET", "/rooms/mine/members/8"), "member room=mine user=8");
  EXPECT_EQ(Find("GET", "/models/known/info"), "info");
  EXPECT_EQ(Find("GET", "/models/known"), "model model=known");
}

TEST_F(RouterTest, RestTakesSlashesWrittenEitherWay) {
  EXPECT_EQ(Find("GET", "/models/org/m:1"), "model model=org/m:1");
  EXPECT_EQ(Find("GET", "/models/org%2Fm:1"), "model model=org/m:1");
  EXPECT_EQ(Find("GET", "/models/"), "404");
}

TEST_F(RouterTest, EscapedSlashStaysInItsSegment) {
  EXPECT_EQ(Find("GET", "/rooms/a%2Fb"), "get room=a/b");
  EXPECT_EQ(Find("GET", "/rooms%2F7"), "404");
  EXPECT_EQ(Find("GET", "/rooms/%D0%B6"), "get room=\xD0\xB6");
}

TEST_F(RouterTest, NothingIsNoSegment) {
  EXPECT_EQ(Find("GET", "/rooms/"), "404");
  EXPECT_EQ(Find("GET", "//rooms"), "404");
  EXPECT_EQ(Find("GET", "/rooms//members/8"), "404");
  EXPECT_EQ(Find("GET", "/room"), "404");
}

TEST_F(RouterTest, TellsOtherMethods) {
  EXPECT_EQ(Find("HEAD", "/rooms"), "list");
  EXPECT_EQ(Find("PUT", "/rooms"), "405 GET, HEAD, POST");
  EXPECT_EQ(Find("PUT", "/rooms/7"), "405 DELETE, GET, HEAD");
  EXPECT_EQ(Find("get", "/rooms"), "405 GET, HEAD, POST");
}

TEST(RouterPatterns, WrongOnesStopTheStart) {
  const auto error_of = [](std::vector<Route> routes) {
    const auto made = Router::Make(std::move(routes));
    return made.ok() ? std::string() : made.error().message;
  };
  EXPECT_EQ(error_of({Of("GET", "/a/{x}", "a"), Of("GET", "/a/{y}", "b")}),
            "route GET /a/{y}: the same as /a/{x}");
  EXPECT_EQ(error_of({Of("GET", "/a", "a"), Of("GET", "/b", "a")}),
            "route GET /b: another route has the operation a");
  EXPECT_EQ(error_of({Of("GET", "/a", "a"), Of("POST", "/a", "b")}), "");
  EXPECT_NE(error_of({Of("GET", "a", "a")}), "");
  EXPECT_NE(error_of({Of("GET", "/a{b}", "a")}), "");
  EXPECT_NE(error_of({Of("GET", "/{a}/{a}", "a")}), "");
  EXPECT_NE(error_of({Of("GET", "/{a...}/b", "a")}), "");
  EXPECT_NE(error_of({Of("G T", "/a", "a")}), "");
  EXPECT_NE(error_of({Of("GET", "/a", "")}), "");
  EXPECT_NE(error_of({Open("GET", "/a", "a", nullptr)}), "");
}

TEST(RouterErrors, TheLongestPrefixSaysTheShape) {
  const auto shape = [](std::string body) -> ErrorShape {
    return [body](const Problem& problem) {
      return Reply{.status = problem.status, .body = body, .fields = {}};
    };
  };
  Route own = Of("GET", "/v1/own", "own");
  own.error_shape = shape("own");
  const auto router = Router::Make({own, Of("GET", "/v1/models", "models")},
                                   {{"/v1/", shape("v1")}, {"/v1/chat/", shape("chat")}});
  ASSERT_TRUE(router.ok());
  const auto shape_of = [&](std::string_view path) -> std::string {
    const auto match = (*router)->Find("PUT", path, *SplitPath(path));
    return match.error_shape == nullptr ? "none" : (*match.error_shape)(Problem()).body;
  };
  EXPECT_EQ(shape_of("/v1/own"), "own");
  EXPECT_EQ(shape_of("/v1/models"), "v1");
  EXPECT_EQ(shape_of("/v1/nothing"), "v1");
  EXPECT_EQ(shape_of("/v1/chat/x"), "chat");
  EXPECT_EQ(shape_of("/v2"), "none");
}

// --- Paths and queries --------------------------------------------------------------------------

TEST(SplitPathTest, RefusesWhatTwoReadersWouldTakeDifferently) {
  for (const std::string_view path :
       {"", "a", "/a/../b", "/a/./b", "/a/%2e%2E/b", "/%", "/%1", "/%zz", "/%00", "/%ff", "/.."}) {
    EXPECT_FALSE(SplitPath(path)) << path;
  }
  EXPECT_TRUE(SplitPath("/..a/.b/c.."));
}

TEST(SplitPathTest, HasALimit) {
  std::string path;
  for (size_t i = 0; i < kMostSegments; ++i) path += "/a";
  EXPECT_TRUE(SplitPath(path));
  EXPECT_FALSE(SplitPath(path + "/a"));
}

TEST(ParseArgumentsTest, DecodesInOrder) {
  const Arguments expected = {{"a", "1"}, {"b", "x y+z"}, {"c", ""}, {"a", "2=3"}, {"", "n"}};
  EXPECT_EQ(ParseArguments("a=1&b=x+y%2Bz&c&&a=2=3&=n"), expected);
  EXPECT_EQ(ParseArguments(""), Arguments());
}

TEST(ParseArgumentsTest, RefusesWhatIsNoText) {
  for (const std::string_view query : {"a=%", "a=%f", "%zz=1", "a=%00", "a=%ff", "a=\xff"}) {
    EXPECT_FALSE(ParseArguments(query)) << query;
  }
  std::string many;
  for (size_t i = 0; i < kMostArguments; ++i) many += "a&";
  EXPECT_TRUE(ParseArguments(many));
  EXPECT_FALSE(ParseArguments(many + "a"));
}

// --- Who may come in ----------------------------------------------------------------------------

Identity Session(Role role) {
  Identity identity;
  identity.kind = Identity::Kind::kSession;
  identity.role = role;
  return identity;
}

Identity Key(Role role, std::vector<std::string> scopes) {
  Identity identity = Session(role);
  identity.kind = Identity::Kind::kKey;
  identity.scopes = std::move(scopes);
  return identity;
}

std::string Code(const Access& access, const Identity& identity) {
  const std::optional<Problem> problem = CheckAccess(access, identity);
  return problem ? std::to_string(problem->status) + " " + problem->code : "ok";
}

TEST(AccessTest, RolesAndScopes) {
  const Access anyone{.who = Access::Who::kAnyone};
  const Access user{.who = Access::Who::kUser};
  const Access scoped{.who = Access::Who::kUser, .scope = "rooms"};
  const Access admin{.who = Access::Who::kAdmin, .scope = "admin"};
  EXPECT_EQ(Code(anyone, Identity()), "ok");
  EXPECT_EQ(Code(user, Identity()), "401 unauthorized");
  EXPECT_EQ(Code(admin, Identity()), "401 unauthorized");
  EXPECT_EQ(Code(user, Session(Role::kUser)), "ok");
  EXPECT_EQ(Code(scoped, Session(Role::kUser)), "ok");
  EXPECT_EQ(Code(admin, Session(Role::kUser)), "403 forbidden");
  EXPECT_EQ(Code(admin, Session(Role::kAdmin)), "ok");
  EXPECT_EQ(Code(user, Key(Role::kUser, {"rooms"})), "403 session_required");
  EXPECT_EQ(Code(scoped, Key(Role::kUser, {"models", "rooms"})), "ok");
  EXPECT_EQ(Code(scoped, Key(Role::kUser, {"models"})), "403 insufficient_scope");
  EXPECT_EQ(Code(admin, Key(Role::kUser, {"admin"})), "403 forbidden");
  EXPECT_EQ(Code(admin, Key(Role::kAdmin, {"admin"})), "ok");
}

}  // namespace
}  // namespace framewall::backend::server
