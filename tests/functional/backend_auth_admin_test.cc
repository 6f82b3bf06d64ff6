// API keys, tickets, and what administrators do with accounts.
#include <gtest/gtest.h>

#include "tests/support/backend_accounts.h"

namespace framewall::test {
namespace {

class AdminTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(backend.Start()) << backend.Output();
    admin = FirstAdmin(backend);
    ann = NewPerson(backend, "ann");
  }
  int Ask(const std::string& token) const {
    return backend.Get("/internal/auth", BearerField(token)).status();
  }
  HttpMessage Post(const Person& who, const std::string& path, const std::string& body = "") const {
    return backend.Request("POST", path, who.field(), body);
  }
  HttpMessage Patch(const Person& who, const std::string& user, const std::string& body) const {
    return backend.Request("PATCH", "/api/v1/users/" + user, who.field(), body);
  }
  int Delete(const Person& who, const std::string& path) const {
    return backend.Request("DELETE", path, who.field()).status();
  }

  BackendProcess backend{std::string(kOpenRegistration)};
  Person admin;
  Person ann;
};

TEST_F(AdminTest, AKeyIsShownOnceAndDoesWhatItsScopesSay) {
  const HttpMessage made =
      Post(ann, "/api/v1/keys",
           R"({"name":"laptop","scopes":["llm","usage:read"],"expires_in_days":30})");
  ASSERT_EQ(made.status(), 201) << made.body;
  const std::string key = JsonAt(made, "/key");
  EXPECT_TRUE(key.starts_with("fw_"));
  EXPECT_EQ(key.size(), 46u);
  for (const std::string& other : {key + "A", key.substr(0, 45), std::string("fw_")}) {
    EXPECT_EQ(backend.Get("/internal/auth", BearerField(other)).status(), 401) << other.size();
  }
  EXPECT_NE(JsonAt(made, "/expires"), "null");
  const HttpMessage listed = backend.Get("/api/v1/keys", ann.field());
  EXPECT_EQ(listed.body.find(key), std::string::npos);
  EXPECT_EQ(JsonAt(listed, "/items/0/name"), "laptop");
  EXPECT_EQ(JsonAt(listed, "/items/0/hint"), key.substr(0, 8));
  EXPECT_EQ(JsonAt(listed, "/items/0/last_used"), "null");

  const HttpMessage who = backend.Get("/internal/auth", BearerField(key));
  EXPECT_EQ(who.status(), 204);
  EXPECT_EQ(who.Header("x-auth-user"), ann.id);
  EXPECT_EQ(who.Header("x-auth-kind"), "key");
  EXPECT_EQ(who.Header("x-auth-key"), JsonAt(made, "/id"));
  EXPECT_EQ(who.Header("x-auth-scope"), "llm usage:read");
  EXPECT_TRUE(Eventually([&] {
    return JsonAt(backend.Get("/api/v1/keys", ann.field()), "/items/0/last_used") != "null";
  }));

  const HttpMessage out = backend.Get("/api/v1/keys", BearerField(key));
  EXPECT_EQ(out.status(), 403) << "a key makes and sees no keys";
  EXPECT_EQ(JsonAt(out, "/code"), "session_required");
  const std::string narrow = NewKey(backend, ann, R"(["chat"])");
  EXPECT_EQ(JsonAt(backend.Get("/internal/auth", BearerField(narrow)), "/code"),
            "insufficient_scope");
  EXPECT_EQ(backend.Request("POST", "/api/v1/socket-ticket", BearerField(narrow)).status(), 201);
  EXPECT_EQ(backend.Request("POST", "/api/v1/socket-ticket", BearerField(key)).status(), 403);
}

TEST_F(AdminTest, KeysAreCheckedWhenTheyAreMade) {
  const auto refused = [&](const std::string& body) {
    return JsonAt(Post(ann, "/api/v1/keys", body), "/errors/0/pointer");
  };
  EXPECT_EQ(refused(R"({"scopes":["llm"]})"), "/name");
  EXPECT_EQ(refused(R"({"name":"a"})"), "/scopes");
  EXPECT_EQ(refused(R"({"name":"a","scopes":[]})"), "/scopes");
  EXPECT_EQ(refused(R"({"name":"a","scopes":["admin"]})"), "/scopes");
  EXPECT_EQ(refused(R"({"name":"a","scopes":["llm"],"expires_in_days":0})"), "/expires_in_days");
  EXPECT_EQ(refused(R"({"name":"a","scopes":["llm"],"expires_in_days":1})"), "");
  EXPECT_EQ(refused(R"({"name":"a","scopes":["llm"],"expires_in_days":3650})"), "");
  EXPECT_EQ(refused(R"({"name":"a","scopes":["llm"],"expires_in_days":3651})"), "/expires_in_days");
  EXPECT_EQ(refused(R"({"name":"a","scopes":["llm"],"expire":1})"), "/expire");
  const auto named = [&](size_t length) {
    return refused(R"({"scopes":["llm"],"name":")" + std::string(length, 'k') + "\"}");
  };
  EXPECT_EQ(named(64), "");
  EXPECT_EQ(named(65), "/name");
  // As many scopes as there are, and not one more.
  const HttpMessage scopes = backend.Get("/api/v1/scopes", ann.field());
  std::string all;
  size_t count = 0;
  for (; !JsonAt(scopes, "/items/" + std::to_string(count) + "/name").empty(); ++count) {
    all += (count == 0 ? "\"" : ",\"") +
           JsonAt(scopes, "/items/" + std::to_string(count) + "/name") + "\"";
  }
  EXPECT_EQ(count, 8u) << scopes.body;
  EXPECT_EQ(refused(R"({"name":"a","scopes":[)" + all + "]}"), "");
  EXPECT_EQ(refused(R"({"name":"a","scopes":[)" + all + R"(,"llm"]})"), "/scopes");
  EXPECT_EQ(Post(ann, "/api/v1/keys", R"({"name":"a","scopes":["llm"],"service":true})").status(),
            403);
}

TEST_F(AdminTest, ThereMayBeFiftyKeys) {
  const std::string body = R"({"name":"a","scopes":["llm"]})";
  for (int i = 0; i < 50; ++i) ASSERT_EQ(Post(ann, "/api/v1/keys", body).status(), 201) << i;
  EXPECT_EQ(JsonAt(Post(ann, "/api/v1/keys", body), "/code"), "too_many_keys");
  const HttpMessage page = backend.Get("/api/v1/keys?limit=49", ann.field());
  const std::string last =
      JsonAt(backend.Get("/api/v1/keys?limit=1&cursor=" + JsonAt(page, "/next"), ann.field()),
             "/items/0/id");
  ASSERT_NE(last, "");
  EXPECT_EQ(Delete(ann, "/api/v1/keys/" + last), 204);
  EXPECT_EQ(Post(ann, "/api/v1/keys", body).status(), 201);
}

TEST_F(AdminTest, ARevokedKeyIsRefusedAtOnce) {
  const HttpMessage made = Post(ann, "/api/v1/keys", R"({"name":"a","scopes":["llm"]})");
  const std::string key = JsonAt(made, "/key");
  const std::string path = "/api/v1/keys/" + JsonAt(made, "/id");
  const Person bob = NewPerson(backend, "bob");
  EXPECT_EQ(Delete(bob, path), 404) << "others' things do not exist";
  EXPECT_EQ(Delete(admin, path), 404) << "nor for administrators: a personal one";
  EXPECT_EQ(Ask(key), 204);
  EXPECT_EQ(Delete(ann, path), 204);
  EXPECT_EQ(Ask(key), 401);
  EXPECT_EQ(Delete(ann, path), 404);
  EXPECT_EQ(Delete(ann, "/api/v1/keys/nothing"), 404);
}

TEST_F(AdminTest, AServiceKeyIsEveryAdministratorsAndNeverOne) {
  const HttpMessage made =
      Post(admin, "/api/v1/keys", R"({"name":"crawler","scopes":["llm"],"service":true})");
  ASSERT_EQ(made.status(), 201);
  const HttpMessage who = backend.Get("/internal/auth", BearerField(JsonAt(made, "/key")));
  EXPECT_EQ(who.Header("x-auth-role"), "user");
  EXPECT_EQ(who.Header("x-auth-user"), admin.id);
  const std::string id = JsonAt(made, "/id");
  EXPECT_EQ(Delete(ann, "/api/v1/keys/" + id), 404);
  ASSERT_EQ(Patch(admin, ann.id, R"({"role":"admin"})").status(), 200);
  const Person second = PersonOf(LogIn(backend, "ann"));
  EXPECT_EQ(JsonAt(backend.Get("/api/v1/keys", second.field()), "/items/0/id"), id);
  EXPECT_EQ(Delete(second, "/api/v1/keys/" + id), 204);
  EXPECT_EQ(Ask(JsonAt(made, "/key")), 401);
}

TEST_F(AdminTest, OnlyAdministratorsSeeAccounts) {
  for (const char* path : {"/api/v1/users", "/api/v1/users/x"}) {
    EXPECT_EQ(backend.Get(path).status(), 401);
    EXPECT_EQ(backend.Get(path, ann.field()).status(), 403);
  }
  const std::string key = NewKey(backend, admin, R"(["llm"])");
  EXPECT_EQ(backend.Get("/api/v1/users", BearerField(key)).status(), 403);
  const HttpMessage users = backend.Get("/api/v1/users", admin.field());
  EXPECT_EQ(JsonAt(users, "/items/0/name"), "admin");
  EXPECT_EQ(JsonAt(users, "/items/1/name"), "ann");
  EXPECT_EQ(users.body.find("$y$"), std::string::npos);
  EXPECT_EQ(backend.Get("/api/v1/users/" + ann.id, admin.field()).status(), 200);
  EXPECT_EQ(backend.Get("/api/v1/users/x", admin.field()).status(), 404);
}

TEST_F(AdminTest, MakesAccountsWithAPasswordThatIsShownOnce) {
  const HttpMessage made = Post(admin, "/api/v1/users", R"({"name":"carl","display_name":"Карл"})");
  ASSERT_EQ(made.status(), 201) << made.body;
  const std::string password = JsonAt(made, "/password");
  EXPECT_EQ(password.size(), 20u);
  const HttpMessage in = LogIn(backend, "carl", password);
  EXPECT_EQ(JsonAt(in, "/user/must_change_password"), "true");
  const HttpMessage given = Post(
      admin, "/api/v1/users", R"({"name":"dora","role":"admin","password":"given to her once"})");
  EXPECT_EQ(JsonAt(given, "/password"), "");
  EXPECT_EQ(JsonAt(given, "/role"), "admin");
  EXPECT_EQ(JsonAt(Post(admin, "/api/v1/users", R"({"name":"ann"})"), "/code"), "name_taken");
  EXPECT_EQ(Post(admin, "/api/v1/users", R"({"name":"emil","role":"root"})").status(), 422);
  EXPECT_EQ(
      Post(admin, "/api/v1/users", R"({"name":"emil","password":"given to\u0000 him"})").status(),
      422);
}

TEST_F(AdminTest, ALockEndsSessionsAndKeysAtOnce) {
  const std::string key = NewKey(backend, ann, R"(["llm"])");
  EXPECT_EQ(Ask(key), 204);
  const HttpMessage locked = Patch(admin, ann.id, R"({"locked":true})");
  EXPECT_EQ(JsonAt(locked, "/locked"), "true");
  EXPECT_EQ(Ask(ann.token), 401);
  EXPECT_EQ(Ask(key), 401);
  EXPECT_EQ(
      backend.Request("POST", "/api/v1/refresh", "", R"({"refresh_token":")" + ann.refresh + "\"}")
          .status(),
      401);
  const HttpMessage in = LogIn(backend, "ann");
  EXPECT_EQ(in.status(), 403);
  EXPECT_EQ(JsonAt(in, "/code"), "account_locked");
  EXPECT_EQ(LogIn(backend, "ann", "this is wrong").status(), 401)
      << "whoever does not know the password learns nothing";
  EXPECT_EQ(Patch(admin, ann.id, R"({"locked":false})").status(), 200);
  EXPECT_EQ(LogIn(backend, "ann").status(), 200);
  EXPECT_EQ(Ask(key), 204);
  EXPECT_EQ(Ask(ann.token), 401) << "what ended stays ended";
}

TEST_F(AdminTest, ARoleThatChangesEndsSessions) {
  EXPECT_EQ(Patch(admin, ann.id, R"({"role":"admin"})").status(), 200);
  EXPECT_EQ(Ask(ann.token), 401);
  const Person as_admin = PersonOf(LogIn(backend, "ann"));
  EXPECT_EQ(backend.Get("/api/v1/users", as_admin.field()).status(), 200);
  EXPECT_EQ(Patch(admin, ann.id, R"({"role":"admin"})").status(), 200);
  EXPECT_EQ(Ask(as_admin.token), 204) << "nothing changed";
  EXPECT_EQ(Patch(admin, ann.id, R"({"display_name":"Anna"})").status(), 200);
  EXPECT_EQ(Ask(as_admin.token), 204);
}

TEST_F(AdminTest, TheLastAdministratorStaysOne) {
  for (const char* change : {R"({"role":"user"})", R"({"locked":true})"}) {
    const HttpMessage refused = Patch(admin, admin.id, change);
    EXPECT_EQ(refused.status(), 409) << change;
    EXPECT_EQ(JsonAt(refused, "/code"), "last_admin");
  }
  ASSERT_EQ(Patch(admin, ann.id, R"({"role":"admin"})").status(), 200);
  ASSERT_EQ(Patch(admin, ann.id, R"({"locked":true})").status(), 200);
  EXPECT_EQ(Patch(admin, admin.id, R"({"role":"user"})").status(), 409) << "the other is locked";
  ASSERT_EQ(Patch(admin, ann.id, R"({"locked":false})").status(), 200);
  EXPECT_EQ(Patch(admin, admin.id, R"({"role":"user"})").status(), 200);
  EXPECT_EQ(Ask(admin.token), 401);
}

TEST_F(AdminTest, ResetsAPasswordAndEndsSessions) {
  const HttpMessage reset = Post(admin, "/api/v1/users/" + ann.id + "/password");
  ASSERT_EQ(reset.status(), 200) << reset.body;
  EXPECT_EQ(Ask(ann.token), 401);
  EXPECT_EQ(LogIn(backend, "ann").status(), 401);
  const HttpMessage in = LogIn(backend, "ann", JsonAt(reset, "/password"));
  EXPECT_EQ(JsonAt(in, "/user/must_change_password"), "true");
  EXPECT_EQ(Post(ann, "/api/v1/users/" + admin.id + "/password").status(), 401);
  const Person bob = NewPerson(backend, "bob");
  EXPECT_EQ(Post(bob, "/api/v1/users/" + admin.id + "/password").status(), 403);
}

TEST_F(AdminTest, EndsSomebodysSessions) {
  EXPECT_EQ(Delete(admin, "/api/v1/users/" + ann.id + "/sessions"), 204);
  EXPECT_EQ(Ask(ann.token), 401);
  EXPECT_EQ(Ask(admin.token), 204);
  EXPECT_EQ(LogIn(backend, "ann").status(), 200);
  EXPECT_EQ(Delete(admin, "/api/v1/users/01a1ffd3-97bf-7010-9ef0-cbaccb995ab4/sessions"), 404);
}

TEST_F(AdminTest, TicketsAreForPeopleWhoAreLoggedIn) {
  EXPECT_EQ(backend.Request("POST", "/api/v1/socket-ticket").status(), 401);
  const HttpMessage ticket = Post(ann, "/api/v1/socket-ticket");
  EXPECT_EQ(ticket.status(), 201);
  EXPECT_EQ(JsonAt(ticket, "/expires_in"), "30");
  EXPECT_EQ(JsonAt(ticket, "/ticket").size(), 43u);
  for (int i = 1; i < 16; ++i) EXPECT_EQ(Post(ann, "/api/v1/socket-ticket").status(), 201) << i;
  const HttpMessage more = Post(ann, "/api/v1/socket-ticket");
  EXPECT_EQ(more.status(), 429);
  EXPECT_EQ(more.Header("retry-after"), "30");
  EXPECT_EQ(Post(admin, "/api/v1/socket-ticket").status(), 201);
}

TEST_F(AdminTest, BodiesHaveALimit) {
  const std::string padding(8192, ' ');
  EXPECT_EQ(backend.Request("POST", "/api/v1/login", "", "{}" + padding.substr(2)).status(), 422);
  EXPECT_EQ(backend.Request("POST", "/api/v1/login", "", "{}" + padding).status(), 413);
}

}  // namespace
}  // namespace framewall::test
