// Every route of the program with every role, against backend_access/access.yaml. Each call gets a
// room, a conversation, a key and a user of its own, so that no call changes what another finds.
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <map>
#include <set>
#include <sstream>

#include "tests/functional/backend_api_testing.h"

namespace framewall::test {
namespace {

struct Route {
  std::string path, method, operation, who, scope;
};

std::vector<Route> ReadRoutes(const std::string& table) {
  std::vector<Route> routes;
  std::istringstream lines(table);
  Route route;
  while (lines >> route.path >> route.method >> route.operation >> route.who >> route.scope) {
    routes.push_back(route);
  }
  return routes;
}

class BackendAccess : public testing::Test {
 protected:
  void SetUp() override {
    table_ = YAML::LoadFile(FW_SOURCE_DIR "/tests/functional/backend_access/access.yaml");
    ASSERT_TRUE(backend_.Start()) << backend_.Output();
    api_ = std::make_unique<Api>(backend_);
    for (const char* name : {"other", "member", "owner", "guest", "victim"}) {
      people_[name] = NewPerson(backend_, name);
    }
    people_["admin"] = FirstAdmin(backend_);
    // The data of the one that serves is its own.
    BackendProcess other("log: {level: error}\n");
    const CommandResult told = other.Run({"--config", "backend.yaml", "--routes"});
    ASSERT_EQ(told.exit_code, 0) << told.output;
    routes_ = ReadRoutes(told.output);
    for (const YAML::Node& scope : table_["scopes"]) scopes_.push_back(scope.as<std::string>());
  }

  // A key of the owner with the scope alone, or with all others.
  std::string KeyField(const std::string& scope, bool others) {
    std::string& key = keys_[(others ? "!" : "") + scope];
    if (key.empty()) {
      std::string scopes;
      for (const std::string& one : scopes_) {
        if (scope != "-" && (one == scope) == others) continue;
        scopes += (scopes.empty() ? "" : ",") + JsonText(one);
      }
      key = NewKey(backend_, people_["owner"], "[" + scopes + "]");
    }
    return BearerField(key);
  }

  std::string FieldOf(const std::string& role, const Route& route) {
    if (role == "anonymous") return "";
    if (role == "key") return KeyField(route.scope, false);
    if (role == "other_key") return KeyField(route.scope, true);
    // Some calls end the log-in that they come with.
    if (route.operation == "logOut" || route.operation == "logOutEverywhere" ||
        route.operation == "changePassword") {
      return PersonOf(LogIn(backend_, people_[role].name)).field();
    }
    return people_[role].field();
  }

  // The route's path with things made for this call.
  std::string FreshTarget(const Route& route) {
    const Person& owner = people_["owner"];
    std::string target = route.path;
    const auto fill = [&target](const std::string& name, const std::string& value) {
      const size_t at = target.find("{" + name + "}");
      if (at != std::string::npos) target.replace(at, name.size() + 2, value);
    };
    if (target.find("{room}") != std::string::npos) {
      const std::string room = api_->NewRoom(owner);
      api_->Invite(owner, room, "member");
      api_->Join(people_["member"], room);
      fill("number", api_->Say(owner, RoomPath(room), "hello"));
      fill("room", room);
      fill("user", people_["member"].id);
    }
    if (target.find("{conversation}") != std::string::npos) {
      const std::string conversation =
          api_->NewConversation(owner, R"({"name":"a","assistant":null})");
      fill("number", api_->Say(owner, ConversationPath(conversation), "hello"));
      fill("conversation", conversation);
    }
    fill("user", people_["victim"].id);
    if (target.rfind("/api/v1/keys/", 0) == 0) fill("key", NewKeyId());
    fill("key", table_["setting"].as<std::string>());
    if (const YAML::Node query = table_["queries"][route.operation]) {
      target += "?" + query.as<std::string>();
    }
    return target;
  }

  std::string NewKeyId() {
    return JsonAt(
        api_->Post(people_["owner"], "/api/v1/keys", R"({"name":"k","scopes":["me:read"]})"),
        "/id");
  }

  std::string BodyOf(const Route& route) {
    const YAML::Node body = table_["bodies"][route.operation];
    if (!body) return "";
    std::string text = body.as<std::string>();
    // Names are taken once.
    const size_t at = text.find("%%N%%");
    if (at != std::string::npos) text.replace(at, 5, std::to_string(++names_));
    return text;
  }

  bool IsDialect(const std::string& path) {
    for (const YAML::Node& prefix : table_["dialects"]) {
      if (path.rfind(prefix.as<std::string>(), 0) == 0) return path.rfind("/api/v1/", 0) != 0;
    }
    return false;
  }

  BackendProcess backend_{std::string(kOpenRegistration)};
  YAML::Node table_;
  std::unique_ptr<Api> api_;
  std::map<std::string, Person> people_;
  std::map<std::string, std::string> keys_;
  std::vector<Route> routes_;
  std::vector<std::string> scopes_;
  int names_ = 0;
};

TEST_F(BackendAccess, TheTableHasEveryRouteOfTheProgramAndNoOther) {
  std::set<std::string> in_program;
  for (const Route& route : routes_) {
    if (!IsDialect(route.path)) in_program.insert(route.operation);
  }
  std::set<std::string> in_table;
  for (const auto& row : table_["routes"]) in_table.insert(row.first.as<std::string>());
  EXPECT_EQ(in_table, in_program);
}

TEST_F(BackendAccess, EveryRouteWithEveryRole) {
  const auto columns = table_["columns"].as<std::vector<std::string>>();
  // The document tells a limit that a hundred keys would reach.
  ASSERT_EQ(
      api_->Put(people_["admin"], "/api/v1/settings/keys_per_user", R"({"value":1000})").status(),
      200);
  for (const auto& [key, value] :
       std::map<std::string, int>{{"rooms_per_user", 10000}, {"conversations_per_user", 10000}}) {
    ASSERT_EQ(api_->Put(people_["admin"], "/api/v1/settings/" + key,
                        "{\"value\":" + std::to_string(value) + "}")
                  .status(),
              200);
  }
  size_t calls = 0;
  for (const Route& route : routes_) {
    const YAML::Node row = table_["routes"][route.operation];
    if (!row) continue;  // the other test says so
    ASSERT_EQ(row.size(), columns.size()) << route.operation;
    for (size_t i = 0; i < columns.size(); ++i) {
      const std::string target = FreshTarget(route);
      const std::string field = FieldOf(columns[i], route);
      const HttpMessage answer = api_->Call(route.method, target, field, BodyOf(route));
      EXPECT_EQ(answer.status(), row[i].as<int>())
          << route.operation << " as " << columns[i] << ": " << answer.body;
      ++calls;
      if (route.operation == "logOutEverywhere" && people_.count(columns[i]) == 1) {
        people_[columns[i]] = PersonOf(LogIn(backend_, columns[i]));
      }
    }
  }
  EXPECT_GE(calls, 350u);
}

// Other people's dialects: whoever is let in gets an answer of the dialect, whatever it is.
TEST_F(BackendAccess, DialectsAreForThoseWhoMayAskModels) {
  size_t calls = 0;
  for (const Route& route : routes_) {
    if (!IsDialect(route.path)) continue;
    EXPECT_EQ(route.scope, "llm") << route.path;
    for (const char* role : {"anonymous", "other", "admin", "key", "other_key"}) {
      std::string target = route.path;
      if (target.find('{') != std::string::npos) target.replace(target.find('{'), 7, "echo");
      const std::string body = route.method == "GET" ? "" : "{}";
      const HttpMessage answer = backend_.Request(route.method, target, FieldOf(role, route), body);
      const std::string name = role;
      if (name == "anonymous") {
        EXPECT_EQ(answer.status(), 401) << route.path;
      } else if (name == "other_key") {
        EXPECT_EQ(answer.status(), 403) << route.path;
        EXPECT_NE(answer.body.find("lacks the scope"), std::string::npos) << answer.body;
      } else {
        // 403 is also what is told of managing models, to everybody.
        EXPECT_NE(answer.status(), 401) << route.path << " " << role;
        EXPECT_NE(answer.status(), 500) << route.path << " " << role;
        EXPECT_EQ(answer.body.find("lacks the scope"), std::string::npos) << answer.body;
      }
      ++calls;
    }
  }
  EXPECT_GE(calls, 10u);
}

}  // namespace
}  // namespace framewall::test
