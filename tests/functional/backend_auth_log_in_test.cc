// Registering, logging in, passwords: with the real backend.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "tests/support/backend_accounts.h"

namespace framewall::test {
namespace {

using Clock = std::chrono::steady_clock;

std::string From(const std::string& address) { return "X-Real-IP: " + address + "\r\n"; }

std::string Repeat(const std::string& piece, size_t count) {
  std::string text;
  while (count-- > 0) text += piece;
  return text;
}

class LogInTest : public testing::Test {
 protected:
  void Start(const std::string& accounts = "registration_open: true") {
    backend.SetSettings("accounts: {" + accounts + "}\n");
    ASSERT_TRUE(backend.Start()) << backend.Output();
  }
  int WrongFrom(const std::string& address, const std::string& name = "ann") {
    return LogIn(backend, name, "this is wrong", From(address)).status();
  }
  // Guessed at from twenty addresses: then one that is not familiar has one try, and 30 seconds,
  // which no slow machine takes for the next call.
  void Besiege(const std::string& name = "ann") {
    for (int i = 0; i < 20; ++i) EXPECT_EQ(WrongFrom("10.9.0." + std::to_string(i), name), 401);
  }
  BackendProcess backend;
};

TEST_F(LogInTest, RegistrationIsClosedUnlessItIsOpened) {
  Start("registration_open: false");
  const HttpMessage closed = Register(backend, "ann");
  EXPECT_EQ(closed.status(), 403);
  EXPECT_EQ(JsonAt(closed, "/code"), "registration_closed");
}

TEST_F(LogInTest, RegisteredPeopleLogIn) {
  Start();
  const HttpMessage registered =
      backend.Request("POST", "/api/v1/register", "",
                      R"({"name":"Ann","display_name":"Анна","password":"correct horse battery"})");
  EXPECT_EQ(registered.status(), 201) << registered.body;
  EXPECT_EQ(JsonAt(registered, "/name"), "ann");
  EXPECT_EQ(JsonAt(registered, "/display_name"), "Анна");
  EXPECT_EQ(JsonAt(registered, "/role"), "user");
  EXPECT_EQ(registered.body.find("$y$"), std::string::npos);
  const HttpMessage in = LogIn(backend, "ANN");
  EXPECT_EQ(in.status(), 200) << in.body;
  EXPECT_EQ(in.Header("cache-control"), "no-store");
  EXPECT_EQ(in.CountHeaders("set-cookie"), 0u) << "a program has its token in the body";
  EXPECT_EQ(JsonAt(in, "/token_type"), "Bearer");
  EXPECT_EQ(JsonAt(in, "/user/id"), JsonAt(registered, "/id"));
  EXPECT_TRUE(JsonAt(in, "/refresh_token").starts_with("fwr_"));
}

TEST_F(LogInTest, OfAUserAgentTwoHundredCharactersAreKept) {
  Start();
  ASSERT_EQ(Register(backend, "ann").status(), 201);
  const auto kept = [&](const std::string& sent) -> std::string {
    const HttpMessage in = LogIn(backend, "ann", kPassword, "User-Agent: " + sent + "\r\n");
    sqlite3* db = nullptr;
    sqlite3_stmt* find = nullptr;
    sqlite3_open(backend.directory().File("data/backend.db").c_str(), &db);
    sqlite3_prepare_v2(db, "SELECT user_agent FROM sessions WHERE id = ?", -1, &find, nullptr);
    const std::string id = JsonAt(in, "/session");
    sqlite3_bind_text(find, 1, id.c_str(), -1, SQLITE_TRANSIENT);
    std::string agent;
    if (sqlite3_step(find) == SQLITE_ROW) {
      agent.assign(static_cast<const char*>(sqlite3_column_blob(find, 0)),
                   static_cast<size_t>(sqlite3_column_bytes(find, 0)));
    }
    sqlite3_finalize(find);
    sqlite3_close(db);
    return agent;
  };
  EXPECT_EQ(kept(Repeat("a", 200)), Repeat("a", 200));
  EXPECT_EQ(kept(Repeat("a", 200) + "b"), Repeat("a", 200));
  EXPECT_EQ(kept("\xC3\xA9"), "??");
}

TEST_F(LogInTest, ANameIsTakenInAnyCase) {
  Start();
  EXPECT_EQ(Register(backend, "ann").status(), 201);
  const HttpMessage taken = Register(backend, "ANN");
  EXPECT_EQ(taken.status(), 409);
  EXPECT_EQ(JsonAt(taken, "/code"), "name_taken");
  EXPECT_EQ(JsonAt(Register(backend, "admin"), "/code"), "name_taken");
}

TEST_F(LogInTest, EveryBadFieldIsNamed) {
  Start();
  const HttpMessage bad =
      backend.Request("POST", "/api/v1/register", "",
                      R"({"name":"a","display_name":"\n","password":"short","role":"admin"})");
  EXPECT_EQ(bad.status(), 422);
  EXPECT_EQ(JsonAt(bad, "/errors/0/pointer"), "/name");
  EXPECT_EQ(JsonAt(bad, "/errors/1/pointer"), "/display_name");
  EXPECT_EQ(JsonAt(bad, "/errors/2/pointer"), "/password");
  EXPECT_EQ(JsonAt(bad, "/errors/3/pointer"), "/role");
}

TEST_F(LogInTest, PasswordsHaveBothTheirLimits) {
  Start("registration_open: true, password_min: 12, password_max: 64");
  EXPECT_EQ(Register(backend, "a1", Repeat("я", 11)).status(), 422);
  EXPECT_EQ(Register(backend, "a1", Repeat("я", 12)).status(), 201);
  EXPECT_EQ(Register(backend, "a2", Repeat("x", 64)).status(), 201);
  EXPECT_EQ(Register(backend, "a3", Repeat("x", 65)).status(), 422);
  EXPECT_EQ(LogIn(backend, "a2", Repeat("x", 64)).status(), 200);
  EXPECT_EQ(LogIn(backend, "a2", Repeat("x", 63)).status(), 401);
  EXPECT_EQ(LogIn(backend, "a2", Repeat("x", 65)).status(), 422) << "not hashed at all";
}

TEST_F(LogInTest, TheLongestPasswordThatIsAllowedWorks) {
  Start("registration_open: true, password_max: 511");
  EXPECT_EQ(Register(backend, "ann", Repeat("x", 511)).status(), 201);
  EXPECT_EQ(LogIn(backend, "ann", Repeat("x", 511)).status(), 200);
  EXPECT_EQ(LogIn(backend, "ann", Repeat("x", 510)).status(), 401);
}

// crypt(3) reads up to U+0000: nowhere is a beginning taken for the password.
TEST_F(LogInTest, APasswordIsNeverCutAtU0000) {
  Start();
  const std::string cut = std::string(kPassword) + '\0' + "x";
  EXPECT_EQ(Register(backend, "bob", cut).status(), 422);
  EXPECT_EQ(Register(backend, std::string("b\0b", 3)).status(), 422);
  ASSERT_EQ(Register(backend, "ann").status(), 201);
  const HttpMessage refused = LogIn(backend, "ann", cut);
  EXPECT_EQ(refused.status(), 422) << refused.body;
  EXPECT_EQ(JsonAt(refused, "/errors/0/pointer"), "/password");
  EXPECT_EQ(LogIn(backend, "nobody", cut).body, refused.body);
  EXPECT_EQ(LogIn(backend, std::string("ann\0x", 5)).status(), 401);
  const Person ann = PersonOf(LogIn(backend, "ann"));
  const auto change = [&](const std::string& from, const std::string& to) {
    return backend.Request(
        "POST", "/api/v1/password", ann.field(),
        "{\"current_password\":" + JsonText(from) + ",\"new_password\":" + JsonText(to) + "}");
  };
  const HttpMessage current = change(cut, "quite another phrase");
  EXPECT_EQ(current.status(), 422);
  EXPECT_EQ(JsonAt(current, "/errors/0/pointer"), "/current_password");
  const HttpMessage fresh =
      change(std::string(kPassword), std::string("quite another\0 phrase", 21));
  EXPECT_EQ(fresh.status(), 422);
  EXPECT_EQ(JsonAt(fresh, "/errors/0/pointer"), "/new_password");
  EXPECT_EQ(LogIn(backend, "ann").status(), 200) << "nothing has changed";
}

TEST_F(LogInTest, AnUnknownNameGetsTheSameAnswerAfterTheSameTime) {
  Start();
  ASSERT_EQ(Register(backend, "ann").status(), 201);
  const HttpMessage wrong = LogIn(backend, "ann", "this is wrong");
  const HttpMessage unknown = LogIn(backend, "nobody", "this is wrong");
  EXPECT_EQ(wrong.status(), 401);
  EXPECT_EQ(unknown.status(), 401);
  EXPECT_EQ(wrong.body, unknown.body);
  EXPECT_EQ(LogIn(backend, "no such name!", "this is wrong").body, wrong.body);

  int address = 0;
  const auto median = [&](const std::string& name) {
    std::vector<double> seconds;
    for (int i = 0; i < 9; ++i) {
      const std::string from = "10.1.0." + std::to_string(++address);
      const auto begin = Clock::now();
      EXPECT_EQ(WrongFrom(from, name), 401);
      seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
    }
    std::sort(seconds.begin(), seconds.end());
    return seconds[4];
  };
  const double ratio = median("nobody") / median("ann");
  EXPECT_GT(ratio, 0.5);
  EXPECT_LT(ratio, 2.0);
}

TEST_F(LogInTest, WrongPasswordsHaveToWaitLongerEachTime) {
  Start();
  ASSERT_EQ(Register(backend, "ann").status(), 201);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(WrongFrom("192.0.2.1"), 401);
  int longest = 0;
  for (int refused = 0; refused < 3;) {
    const HttpMessage wait = LogIn(backend, "ann", "this is wrong", From("192.0.2.1"));
    if (wait.status() == 401) continue;  // it took longer than it had to wait
    ASSERT_EQ(wait.status(), 429);
    EXPECT_EQ(JsonAt(wait, "/code"), "rate");
    const int seconds = std::stoi(wait.Header("retry-after"));
    if (seconds > longest) ++refused;
    longest = std::max(longest, seconds);
    std::this_thread::sleep_for(std::chrono::seconds(seconds));
  }
  EXPECT_GE(longest, 4) << "1, 2, 4";
}

TEST_F(LogInTest, AGuessedAccountIsOpenToItsOwner) {
  Start();
  ASSERT_EQ(Register(backend, "ann").status(), 201);
  ASSERT_EQ(LogIn(backend, "ann", kPassword, From("198.51.100.1")).status(), 200);
  Besiege();
  EXPECT_EQ(WrongFrom("192.0.2.1"), 401);
  const HttpMessage wait = LogIn(backend, "ann", kPassword, From("192.0.2.1"));
  EXPECT_EQ(wait.status(), 429) << "also with the right one";
  EXPECT_GE(std::stoi(wait.Header("retry-after")), 20);
  EXPECT_EQ(LogIn(backend, "ann", kPassword, From("192.0.2.2")).status(), 200)
      << "from somewhere new, at the first try";
  // From where he was before he may even mistype, as ever.
  EXPECT_EQ(WrongFrom("198.51.100.1"), 401);
  EXPECT_EQ(WrongFrom("198.51.100.1"), 401);
  EXPECT_EQ(LogIn(backend, "ann", kPassword, From("198.51.100.1")).status(), 200);
}

TEST_F(LogInTest, AnUnknownNameWaitsLikeAKnownOne) {
  Start();
  Besiege("nobody");
  EXPECT_EQ(WrongFrom("192.0.2.1", "nobody"), 401);
  EXPECT_EQ(WrongFrom("192.0.2.1", "nobody"), 429);
}

TEST_F(LogInTest, ManyAtOnceAreNotMoreTries) {
  Start();
  ASSERT_EQ(Register(backend, "ann").status(), 201);
  std::vector<RawClient> clients;
  const std::string body = R"({"name":"ann","password":"this is wrong"})";
  for (int i = 0; i < 20; ++i) {
    clients.push_back(backend.Connect());
    clients.back().Send("POST /api/v1/login HTTP/1.1\r\nHost: a\r\n" + From("192.0.2.1") +
                        "Content-Type: application/json\r\nContent-Length: " +
                        std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  int checked = 0;
  int refused = 0;
  for (RawClient& client : clients) {
    const int status = client.ReadResponse().status();
    checked += status == 401 ? 1 : 0;
    refused += status == 429 ? 1 : 0;
  }
  EXPECT_EQ(checked, 3);
  EXPECT_EQ(refused, 17);
}

TEST_F(LogInTest, MorePasswordsThanThereIsRoomForAreRefused) {
  Start("registration_open: true, password_threads: 1, password_queue: 1");
  std::vector<RawClient> clients;
  const std::string body = R"({"name":"nobody","password":"this is wrong"})";
  for (int i = 0; i < 20; ++i) {
    clients.push_back(backend.Connect());
    clients.back().Send(
        "POST /api/v1/login HTTP/1.1\r\nHost: a\r\n" + From("10.0.0." + std::to_string(i)) +
        "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body);
  }
  int checked = 0;
  int refused = 0;
  for (RawClient& client : clients) {
    const HttpMessage answer = client.ReadResponse();
    checked += answer.status() == 401 ? 1 : 0;
    if (answer.status() != 503) continue;
    ++refused;
    EXPECT_EQ(JsonAt(answer, "/code"), "busy");
    EXPECT_EQ(answer.Header("retry-after"), "2");
  }
  EXPECT_GE(checked, 2);
  EXPECT_GE(refused, 1);
  EXPECT_EQ(checked + refused, 20);
  EXPECT_EQ(backend.Get("/health").status(), 200);
}

TEST_F(LogInTest, TheLoopGoesOnWhilePasswordsAreHashed) {
  Start("registration_open: true, password_threads: 1");
  std::vector<RawClient> clients;
  const std::string body = R"({"name":"nobody","password":"this is wrong"})";
  for (int i = 0; i < 30; ++i) {
    clients.push_back(backend.Connect());
    clients.back().Send(
        "POST /api/v1/login HTTP/1.1\r\nHost: a\r\n" + From("10.0.0." + std::to_string(i)) +
        "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body);
  }
  // 30 hashes in one thread are more than half a second; every one of these would wait for one.
  double slowest = 0;
  double all = 0;
  for (int i = 0; i < 10; ++i) {
    const auto begin = Clock::now();
    EXPECT_EQ(backend.Get("/health").status(), 200);
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    slowest = std::max(slowest, seconds);
    all += seconds;
  }
  const auto begin = Clock::now();
  for (RawClient& client : clients) EXPECT_EQ(client.ReadResponse().status(), 401);
  EXPECT_LT(all, std::chrono::duration<double>(Clock::now() - begin).count())
      << "ten probes took longer than the hashes, the slowest " << slowest;
}

TEST_F(LogInTest, TheFirstAdministratorChangesHisPasswordFirst) {
  Start();
  struct stat info {};
  const std::string path = backend.directory().File("data/admin-password");
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_NE(backend.Output().find("data/admin-password"), std::string::npos);
  std::string password = backend.directory().Read("data/admin-password");
  password.pop_back();
  EXPECT_EQ(backend.Output().find(password), std::string::npos);

  const HttpMessage in = LogIn(backend, "admin", password);
  EXPECT_EQ(JsonAt(in, "/user/must_change_password"), "true");
  const Person first = PersonOf(in);
  const HttpMessage refused = backend.Get("/api/v1/users", first.field());
  EXPECT_EQ(refused.status(), 403);
  EXPECT_EQ(JsonAt(refused, "/code"), "password_change_required");
  EXPECT_EQ(backend.Request("POST", "/api/v1/socket-ticket", first.field()).status(), 403);
  EXPECT_EQ(backend.Get("/internal/auth", first.field()).status(), 403);

  const Person admin = FirstAdmin(backend);
  EXPECT_EQ(backend.Get("/api/v1/users", admin.field()).status(), 200);
  EXPECT_EQ(backend.Get("/api/v1/users", first.field()).status(), 401);
  EXPECT_FALSE(backend.directory().Has("data/admin-password"));
  EXPECT_EQ(LogIn(backend, "admin", password).status(), 401);
  // The next start makes no second one.
  EXPECT_EQ(backend.Terminate(), 0);
  ASSERT_TRUE(backend.Start());
  EXPECT_FALSE(backend.directory().Has("data/admin-password"));
  EXPECT_EQ(LogIn(backend, "admin").status(), 200);
}

TEST_F(LogInTest, ChangingThePasswordEndsEverySessionAndGivesANewOne) {
  Start();
  const Person ann = NewPerson(backend, "ann");
  const Person elsewhere = PersonOf(LogIn(backend, "ann"));
  const auto change = [&](const std::string& from, const std::string& to) {
    return backend.Request(
        "POST", "/api/v1/password", ann.field(),
        R"({"current_password":")" + from + R"(","new_password":")" + to + "\"}");
  };
  const HttpMessage wrong = change("not the password", "another horse battery");
  EXPECT_EQ(wrong.status(), 403);
  EXPECT_EQ(JsonAt(wrong, "/code"), "wrong_password");
  EXPECT_EQ(change(std::string(kPassword), "short").status(), 422);
  EXPECT_EQ(change(std::string(kPassword), std::string(kPassword)).status(), 422);
  const Person after = PersonOf(change(std::string(kPassword), "another horse battery"));
  for (const Person& old : {ann, elsewhere}) {
    EXPECT_EQ(backend.Get("/api/v1/keys", old.field()).status(), 401);
    EXPECT_EQ(
        backend
            .Request("POST", "/api/v1/refresh", "", R"({"refresh_token":")" + old.refresh + "\"}")
            .status(),
        401);
  }
  EXPECT_EQ(backend.Get("/api/v1/keys", after.field()).status(), 200);
  EXPECT_EQ(LogIn(backend, "ann").status(), 401);
  EXPECT_EQ(LogIn(backend, "ann", "another horse battery").status(), 200);
}

TEST_F(LogInTest, AStolenTokenDoesNotGuessThePasswordFaster) {
  Start();
  const Person ann = NewPerson(backend, "ann");
  const auto guess = [&] {
    return backend
        .Request("POST", "/api/v1/password", ann.field() + From("192.0.2.66"),
                 R"({"current_password":"a wrong guess","new_password":"another horse battery"})")
        .status();
  };
  Besiege();
  EXPECT_EQ(guess(), 403);
  EXPECT_EQ(guess(), 429);
}

TEST_F(LogInTest, TheTrailTellsAdministratorsHowLogInsEnded) {
  Start();
  const Person ann = NewPerson(backend, "ann");
  Besiege();
  EXPECT_EQ(WrongFrom("192.0.2.1"), 401);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(WrongFrom("192.0.2.1"), 429);
  const Person admin = FirstAdmin(backend);
  const std::string path = "/api/v1/users/" + ann.id + "/logins";
  EXPECT_EQ(backend.Get(path, ann.field()).status(), 403);
  const HttpMessage trail = backend.Get(path, admin.field());
  EXPECT_EQ(trail.status(), 200);
  EXPECT_EQ(JsonAt(trail, "/items/0/outcome"), "delayed");
  EXPECT_EQ(JsonAt(trail, "/items/0/address"), "192.0.2.1");
  EXPECT_EQ(JsonAt(trail, "/items/1/outcome"), "wrong_password") << "one line for all refusals";
  EXPECT_EQ(JsonAt(trail, "/items/21/outcome"), "wrong_password");
  EXPECT_EQ(JsonAt(trail, "/items/22/outcome"), "success");
  EXPECT_EQ(JsonAt(trail, "/items/23/outcome"), "");
  const HttpMessage page = backend.Get(path + "?limit=2", admin.field());
  EXPECT_EQ(JsonAt(page, "/items/2/outcome"), "");
  const HttpMessage next =
      backend.Get(path + "?limit=2&cursor=" + JsonAt(page, "/next"), admin.field());
  EXPECT_EQ(JsonAt(next, "/items/0/at"), JsonAt(trail, "/items/2/at"));
  EXPECT_EQ(backend.Get(path + "?limit=0", admin.field()).status(), 422);
  EXPECT_EQ(backend.Get(path + "?limit=200", admin.field()).status(), 200);
  EXPECT_EQ(backend.Get(path + "?limit=201", admin.field()).status(), 422);
  EXPECT_EQ(backend.Get(path + "?cursor=x", admin.field()).status(), 422);
}

TEST_F(LogInTest, NoSecretIsInAnyLogAndNoPasswordInTheDatabase) {
  Start();
  const std::string canary = "canary-7f3a-password";
  ASSERT_EQ(Register(backend, "ann", canary).status(), 201);
  const Person ann = PersonOf(LogIn(backend, "ann", canary));
  const std::string key = NewKey(backend, ann, R"(["llm"])");
  LogIn(backend, canary, "canary-as-a-name");
  LogIn(backend, "ann", canary + "-wrong");
  backend.Get("/internal/auth?token=" + ann.token, BearerField(key));
  backend.Get("/internal/auth", BearerField(ann.token + "x"));
  backend.Get("/internal/auth", BearerField(key + "x"));
  const HttpMessage refreshed =
      backend.Request("POST", "/api/v1/refresh", "", R"({"refresh_token":")" + ann.refresh + "\"}");
  const std::string fresh = JsonAt(refreshed, "/refresh_token");
  const Person admin = FirstAdmin(backend);
  EXPECT_EQ(backend.Terminate(), 0);
  std::string everything = backend.Output();
  const std::string signature = ann.token.substr(ann.token.rfind('.') + 1);
  for (const std::string& secret :
       {canary, ann.token, signature, ann.refresh, fresh, key, std::string("$y$")}) {
    EXPECT_EQ(everything.find(secret), std::string::npos) << secret;
  }
  everything =
      backend.directory().Read("data/backend.db") + backend.directory().Read("data/backend.db-wal");
  ASSERT_NE(everything.find("$y$"), std::string::npos);
  for (const std::string& secret :
       {canary, signature, ann.refresh, fresh, key, std::string(kPassword)}) {
    EXPECT_EQ(everything.find(secret), std::string::npos) << secret;
  }
}

}  // namespace
}  // namespace framewall::test
