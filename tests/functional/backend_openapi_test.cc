// The OpenAPI document that the program serves against the routes that it has, both ways.
//
// /v1/, /ollama/ and Ollama's own paths speak other people's dialects, whose documents are theirs
// (docs/llm.md); they are not in ours.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

#include "proxy/json/pointer.h"
#include "tests/functional/backend_api_testing.h"

namespace framewall::test {
namespace {

struct ToldRoute {
  std::string operation;
  std::string who;    // anyone, inside, user, admin
  std::string scope;  // "-": no key
};
// By "METHOD path".
using ToldRoutes = std::map<std::string, ToldRoute>;

bool IsDialect(const std::string& path) {
  return path.rfind("/v1/", 0) == 0 || path.rfind("/ollama/", 0) == 0 ||
         (path.rfind("/api/", 0) == 0 && path.rfind("/api/v1/", 0) != 0);
}

ToldRoutes ReadRoutes(const std::string& table) {
  ToldRoutes routes;
  std::istringstream lines(table);
  std::string path;
  std::string method;
  ToldRoute route;
  while (lines >> path >> method >> route.operation >> route.who >> route.scope) {
    if (!IsDialect(path)) routes[method + " " + path] = route;
  }
  return routes;
}

class BackendOpenApi : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(backend_.Start()) << backend_.Output();
    // The data of the one that serves is its own.
    BackendProcess other("log: {level: error}\n");
    const CommandResult told = other.Run({"--config", "backend.yaml", "--routes"});
    ASSERT_EQ(told.exit_code, 0) << told.output;
    routes_ = ReadRoutes(told.output);
    ASSERT_GT(routes_.size(), 50u) << told.output;
  }

  BackendProcess backend_;
  ToldRoutes routes_;
};

TEST_F(BackendOpenApi, TellsOfAllRoutesAndOfNothingElse) {
  const HttpMessage document = backend_.Get("/api/v1/openapi.json");
  ASSERT_EQ(document.status(), 200);
  EXPECT_EQ(document.Header("content-type"), "application/json");
  const OpenApiCheck check(document.body);
  std::map<std::string, std::string> told;
  for (const Operation& operation : check.operations()) {
    told[operation.method + " " + operation.path] = operation.id;
  }
  for (const auto& [place, route] : routes_) {
    EXPECT_EQ(told.count(place), 1u) << place << " is not in the document";
    EXPECT_EQ(told[place], route.operation) << place;
  }
  for (const auto& [place, id] : told) {
    EXPECT_TRUE(routes_.count(place) == 1 || id.empty()) << place << " is not in the program";
  }
}

TEST_F(BackendOpenApi, TellsWhoMayComeIn) {
  const OpenApiCheck check(backend_.Get("/api/v1/openapi.json").body);
  for (const Operation& operation : check.operations()) {
    const auto route = routes_.find(operation.method + " " + operation.path);
    ASSERT_NE(route, routes_.end()) << operation.path;
    const json::Value security = *check.At(operation).Find("security");
    const bool is_open = route->second.who == "anyone" || route->second.who == "inside";
    EXPECT_EQ(security.size() == 0, is_open) << operation.id;
    std::string scope = "-";
    for (size_t i = 0; i < security.size(); ++i) {
      if (const auto scopes = security.At(i).Find("key")) scope = scopes->At(0).AsString();
    }
    if (!is_open) {
      EXPECT_EQ(scope, route->second.scope) << operation.id;
    }
    // What administrators alone may do says so.
    const std::string summary(check.At(operation).Find("summary")->AsString());
    EXPECT_EQ(summary.find("(administrators)") != std::string::npos, route->second.who == "admin")
        << operation.id;
  }
}

TEST_F(BackendOpenApi, HasThisInstancesNumbers) {
  BackendProcess other(
      "limits: {page_limit: 77, page_size: 7}\nserver: {public_url: "
      "https://chat.example}\n");
  ASSERT_TRUE(other.Start()) << other.Output();
  const std::string document = other.Get("/api/v1/openapi.json").body;
  EXPECT_EQ(JsonAt(document, "/servers/0/url"), "https://chat.example");
  EXPECT_EQ(JsonAt(document, "/components/parameters/Limit/schema/maximum"), "77");
  EXPECT_EQ(JsonAt(document, "/components/parameters/Limit/schema/default"), "7");
  EXPECT_EQ(JsonAt(document, "/info/version"), JsonAt(other.Get("/version"), "/version"));
}

// A check that lets everything pass would show nothing.
TEST_F(BackendOpenApi, TheCheckOfAnswersFindsFaults) {
  OpenApiCheck check(backend_.Get("/api/v1/openapi.json").body);
  HttpMessage answer = backend_.Get("/version");
  EXPECT_EQ(check.WhyNot("GET", "/version", answer), "");
  EXPECT_NE(check.WhyNot("GET", "/api/v1/site", answer), "");
  EXPECT_NE(check.WhyNot("GET", "/api/v1/nothing", answer), "");
  EXPECT_NE(check.WhyNot("PUT", "/version", answer), "");
  const std::string body = answer.body;
  answer.body.insert(1, "\"more\":1,");
  EXPECT_NE(check.WhyNot("GET", "/version", answer), "");
  answer.body = "{}";
  EXPECT_NE(check.WhyNot("GET", "/version", answer), "");
  answer.body = body;
  answer.start_line = "HTTP/1.1 201 Created";
  EXPECT_NE(check.WhyNot("GET", "/version", answer), "");
  answer.start_line = "HTTP/1.1 404 Not Found";
  EXPECT_NE(check.WhyNot("GET", "/version", answer), "");
}

TEST_F(BackendOpenApi, ErrorsOfAllKindsHaveOneShape) {
  Api api(backend_);
  for (const auto& [method, target, headers, body, status] :
       std::vector<std::tuple<std::string, std::string, std::string, std::string, int>>{
           {"GET", "/api/v1/me", "", "", 401},
           {"GET", "/api/v1/me", "Authorization: Bearer x\r\n", "", 401},
           {"POST", "/api/v1/login", "", "{", 400},
           {"POST", "/api/v1/login", "", "[]", 400},
           {"POST", "/api/v1/login", "Content-Type: text/plain\r\n", "{}", 415},
           {"POST", "/api/v1/login", "", R"({"nme":1})", 422}}) {
    const HttpMessage answer = api.Call(method, target, headers, body);
    EXPECT_EQ(answer.status(), status) << target;
    EXPECT_EQ(answer.Header("content-type"), "application/problem+json");
  }
  // Without an operation there is nothing to check but the shape.
  for (const auto& [method, target, status] :
       std::vector<std::tuple<std::string, std::string, int>>{{"GET", "/api/v1/nothing", 404},
                                                              {"DELETE", "/api/v1/site", 405}}) {
    const HttpMessage answer = backend_.Request(method, target);
    EXPECT_EQ(answer.status(), status);
    EXPECT_EQ(answer.Header("content-type"), "application/problem+json");
    EXPECT_EQ(JsonAt(answer, "/status"), std::to_string(status));
    EXPECT_FALSE(JsonAt(answer, "/code").empty());
  }
}

}  // namespace
}  // namespace framewall::test
