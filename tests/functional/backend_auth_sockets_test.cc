// Whatever ends a session or a key closes the sockets that were opened with it, and no others.
#include <gtest/gtest.h>

#include <functional>

#include "tests/support/backend_accounts.h"
#include "tests/support/websocket_peer.h"

namespace framewall::test {
namespace {

class OpenSocket {
 public:
  OpenSocket(const BackendProcess& backend, const std::string& headers,
             const std::string& query = "")
      : client_(backend.socket_path(), Options(headers, query)) {
    if (client_.status() != 101) return;
    client_.end().SendText(R"({"type":"hello","v":1,"rooms":[]})");
    is_open_ = WaitFor("\"welcome\"");
  }
  bool is_open() const { return is_open_; }
  int status() const { return client_.status(); }
  // Still answers.
  bool Answers() {
    client_.end().SendText(R"({"type":"ping"})");
    return WaitFor("\"pong\"");
  }
  // The reason that it was closed with; "open" where it was not.
  std::string Closed() {
    for (;;) {
      const WebSocketEvent event = client_.end().Read();
      if (event.kind == WebSocketEvent::Kind::kText) continue;
      return event.kind == WebSocketEvent::Kind::kClose ? event.payload : "open";
    }
  }

 private:
  static WebSocketClientOptions Options(const std::string& headers, const std::string& query) {
    WebSocketClientOptions options;
    options.path = "/ws/chat" + query;
    options.headers = headers;
    return options;
  }
  bool WaitFor(const std::string& text) {
    for (;;) {
      const WebSocketEvent event = client_.end().Read();
      if (event.kind != WebSocketEvent::Kind::kText) return false;
      if (event.payload.find(text) != std::string::npos) return true;
    }
  }

  WebSocketClient client_;
  bool is_open_ = false;
};

class SocketsTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(backend.Start()) << backend.Output();
    admin = FirstAdmin(backend);
    ann = NewPerson(backend, "ann");
    elsewhere = PersonOf(LogIn(backend, "ann"));
    const HttpMessage made =
        backend.Request("POST", "/api/v1/keys", ann.field(), R"({"name":"bot","scopes":["chat"]})");
    key = JsonAt(made, "/key");
    key_id = JsonAt(made, "/id");
    this_one = std::make_unique<OpenSocket>(backend, ann.field());
    other = std::make_unique<OpenSocket>(backend, elsewhere.field());
    by_key = std::make_unique<OpenSocket>(backend, BearerField(key));
    somebody = std::make_unique<OpenSocket>(backend, NewPerson(backend, "bob").field());
    for (const auto* socket : {&this_one, &other, &by_key, &somebody}) {
      ASSERT_TRUE((*socket)->is_open()) << (*socket)->status() << backend.Output();
    }
  }
  void Ask(const Person& who, const std::string& method, const std::string& path,
           const std::string& body = "") {
    const int status = backend.Request(method, path, who.field(), body).status();
    EXPECT_GE(status, 200) << path;
    EXPECT_LT(status, 300) << path;
  }
  void ExpectAllOfAnnClosed(const std::string& reason, bool key_too) {
    EXPECT_EQ(this_one->Closed(), reason);
    EXPECT_EQ(other->Closed(), reason);
    if (key_too) {
      EXPECT_EQ(by_key->Closed(), reason);
    } else {
      EXPECT_TRUE(by_key->Answers());
    }
    EXPECT_TRUE(somebody->Answers());
  }

  BackendProcess backend{std::string(kOpenRegistration)};
  Person admin;
  Person ann;
  Person elsewhere;
  std::string key;
  std::string key_id;
  std::unique_ptr<OpenSocket> this_one;
  std::unique_ptr<OpenSocket> other;
  std::unique_ptr<OpenSocket> by_key;
  std::unique_ptr<OpenSocket> somebody;
};

TEST_F(SocketsTest, LoggingOutClosesThisSessionsAlone) {
  Ask(ann, "POST", "/api/v1/logout");
  EXPECT_EQ(this_one->Closed(), "logout");
  EXPECT_TRUE(other->Answers());
  EXPECT_TRUE(by_key->Answers());
}

TEST_F(SocketsTest, LoggingOutEverywhereClosesAllSessions) {
  Ask(ann, "POST", "/api/v1/logout-everywhere");
  ExpectAllOfAnnClosed("logout", false);
}

TEST_F(SocketsTest, AnotherPasswordClosesAllSessions) {
  Ask(ann, "POST", "/api/v1/password",
      R"({"current_password":"correct horse battery","new_password":"another horse battery"})");
  ExpectAllOfAnnClosed("password", false);
}

TEST_F(SocketsTest, AResetPasswordClosesEverythingUntilItIsChanged) {
  Ask(admin, "POST", "/api/v1/users/" + ann.id + "/password");
  ExpectAllOfAnnClosed("password", true);
  EXPECT_EQ(OpenSocket(backend, BearerField(key)).status(), 403);
}

TEST_F(SocketsTest, ALockClosesEverything) {
  Ask(admin, "PATCH", "/api/v1/users/" + ann.id, R"({"locked":true})");
  ExpectAllOfAnnClosed("lock", true);
}

TEST_F(SocketsTest, AnotherRoleClosesEverything) {
  Ask(admin, "PATCH", "/api/v1/users/" + ann.id, R"({"role":"admin"})");
  ExpectAllOfAnnClosed("role", true);
}

TEST_F(SocketsTest, AdministratorsEndSessions) {
  Ask(admin, "DELETE", "/api/v1/users/" + ann.id + "/sessions");
  ExpectAllOfAnnClosed("logout", false);
}

TEST_F(SocketsTest, AReusedRefreshTokenClosesItsSession) {
  const std::string body = R"({"refresh_token":")" + ann.refresh + "\"}";
  EXPECT_EQ(backend.Request("POST", "/api/v1/refresh", "", body).status(), 200);
  EXPECT_TRUE(this_one->Answers());
  EXPECT_EQ(backend.Request("POST", "/api/v1/refresh", "", body).status(), 401);
  EXPECT_EQ(this_one->Closed(), "reuse");
  EXPECT_TRUE(other->Answers());
}

TEST_F(SocketsTest, ARevokedKeyClosesItsOwn) {
  Ask(ann, "DELETE", "/api/v1/keys/" + key_id);
  EXPECT_EQ(by_key->Closed(), "revoked");
  EXPECT_TRUE(this_one->Answers());
}

TEST_F(SocketsTest, ATicketEndsWithItsSession) {
  const std::string origin = "Origin: http://localhost:8080\r\n";
  const auto ticket = [&](const Person& person) {
    return "?ticket=" +
           JsonAt(backend.Request("POST", "/api/v1/socket-ticket", person.field()), "/ticket");
  };
  const std::string good = ticket(elsewhere);
  const std::string ended = ticket(ann);
  Ask(ann, "POST", "/api/v1/logout");
  EXPECT_EQ(OpenSocket(backend, origin, ended).status(), 401);
  EXPECT_EQ(OpenSocket(backend, origin, good).status(), 101);
  EXPECT_EQ(OpenSocket(backend, origin, good).status(), 401) << "once";
}

}  // namespace
}  // namespace framewall::test
