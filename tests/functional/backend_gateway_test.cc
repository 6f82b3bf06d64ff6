// conf/framewall.conf before the real framewall-backend: from the log-in to a model's answer.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/functional/gateway_testing.h"
#include "tests/support/backend_process.h"
#include "tests/support/fake_upstream.h"
#include "tests/support/websocket_peer.h"

namespace framewall::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kPassword[] = "correct' OR 1=1; horse -- battery";

std::string Quoted(const std::string& text) { return "\"" + text + "\""; }

// The text of a member, by looking for it.
std::string Member(const std::string& json, const std::string& name) {
  const std::string key = "\"" + name + "\":\"";
  const size_t at = json.find(key);
  if (at == std::string::npos) return "";
  const size_t begin = at + key.size();
  return json.substr(begin, json.find('"', begin) - begin);
}

std::string Chat(const std::string& model, const std::string& content,
                 const std::string& more = "") {
  return "{\"model\":\"" + model + "\",\"messages\":[{\"role\":\"user\",\"content\":" + content +
         "}]" + more + "}";
}

class BackendGateway : public ::testing::Test {
 protected:
  void SetUp() override {
    backend_ = std::make_unique<BackendProcess>(
        // The workers of a gateway that is started by root are others.
        "server: {socket_mode: \"0666\"}\n"
        "accounts: {registration_open: true}\n"
        "llm:\n"
        "  providers:\n"
        "    - {name: echo, kind: echo}\n"
        "    - {name: paced, kind: openai, url: \"http://" +
        provider_.address() +
        "/v1\"}\n"
        "  models:\n"
        "    - {name: echo, provider: echo}\n"
        "    - {name: paced, provider: paced}\n");
    ASSERT_TRUE(backend_->Start()) << backend_->Output();
    proxy_ = std::make_unique<ProxyProcess>(
        GatewayConf(backend_->address(), FW_SOURCE_DIR "/backend/page"));
    WriteCertificate(proxy_->directory());
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }
  void TearDown() override { ending_ = true; }

  uint16_t port() const { return proxy_->port(0); }
  HttpMessage Get(const std::string& path, const std::string& headers = "") const {
    return Ask(RawClient(port()), "GET", path, headers);
  }
  HttpMessage Post(const std::string& path, const std::string& json,
                   const std::string& headers = "") const {
    return PostJson(port(), path, json, headers);
  }
  // Registers, logs in; the line of a head.
  std::string LogIn(const std::string& name) const {
    const std::string body =
        "{\"name\":" + Quoted(name) + ",\"password\":" + Quoted(kPassword) + "}";
    EXPECT_EQ(Post("/api/v1/register", body).status(), 201) << backend_->Output();
    const HttpMessage answer = Post("/api/v1/login", body);
    EXPECT_EQ(answer.status(), 200) << answer.body;
    return "Authorization: Bearer " + Member(answer.body, "access_token") + "\r\n";
  }
  std::string NewKey(const std::string& bearer, const std::string& scopes = "\"llm\"") const {
    const HttpMessage answer =
        Post("/api/v1/keys", "{\"name\":\"test\",\"scopes\":[" + scopes + "]}", bearer);
    EXPECT_EQ(answer.status(), 201) << answer.body;
    return "Authorization: Bearer " + Member(answer.body, "key") + "\r\n";
  }

  // An OpenAI-compatible server: whatever is asked, kEvents words, each when the one before was
  // seen.
  void Provide(FakeUpstream::Peer& peer) {
    for (;;) {
      const HttpMessage request = peer.ReadRequest();
      if (!request.complete) return;
      peer.Send(
          "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
          "Transfer-Encoding: chunked\r\n\r\n");
      const int words = is_paced_ ? kEvents : 1;
      for (int i = 0; i < words; ++i) {
        if (is_paced_ && (!Eventually([this, i] { return arrived_ >= i || ending_; }) || ending_)) {
          return;
        }
        sent_at_ = Clock::now().time_since_epoch().count();
        Chunk(peer, "{\"content\":\"word" + std::to_string(i) + " \"}", "null");
      }
      Chunk(peer, "{}", "\"stop\"");
      peer.Send("e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");
    }
  }
  static void Chunk(FakeUpstream::Peer& peer, const std::string& delta, const std::string& finish) {
    const std::string event =
        "data: "
        "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"paced\","
        "\"choices\":[{\"index\":0,\"delta\":" +
        delta + ",\"finish_reason\":" + finish + "}]}\n\n";
    char size[16];
    std::snprintf(size, sizeof(size), "%zx\r\n", event.size());
    peer.Send(size + event + "\r\n");
  }

  static constexpr int kEvents = 100;
  std::atomic<bool> is_paced_ = false;
  std::atomic<int> arrived_ = 0;
  std::atomic<Clock::rep> sent_at_ = 0;
  std::atomic<bool> ending_ = false;
  FakeUpstream provider_{[this](FakeUpstream::Peer& peer) { Provide(peer); }};
  std::unique_ptr<BackendProcess> backend_;
  std::unique_ptr<ProxyProcess> proxy_;
};

TEST_F(BackendGateway, FromTheLogInToAnAnswer) {
  EXPECT_EQ(Get("/api/v1/keys").status(), 401);
  const std::string ann = LogIn("ann");
  EXPECT_EQ(Get("/api/v1/keys", ann).status(), 200) << proxy_->Output();
  const std::string key = NewKey(ann);
  for (const std::string& bearer : {key, ann}) {
    const HttpMessage answer =
        Post("/v1/chat/completions", Chat("echo", "\"SELECT 1; <script>\""), bearer);
    EXPECT_EQ(answer.status(), 200) << answer.body;
    EXPECT_NE(answer.body.find("SELECT 1; <script>"), std::string::npos) << answer.body;
    EXPECT_EQ(answer.Header("Content-Type"), "application/json");
  }
  EXPECT_NE(Get("/v1/models", key).body.find("\"echo\""), std::string::npos);
  // A key of another scope is nobody at this door, as is one that was made up.
  EXPECT_EQ(Get("/v1/models", NewKey(ann, "\"rooms:read\"")).status(), 403);
  EXPECT_EQ(Get("/v1/models", "Authorization: Bearer fw_made_up\r\n").status(), 401);
  EXPECT_EQ(Get("/v1/models").status(), 401);
  // A key is no session.
  EXPECT_EQ(Get("/api/v1/keys", key).status(), 403);
}

TEST_F(BackendGateway, EveryFileOfThePageIsServedWithItsPolicy) {
  const std::filesystem::path folder = FW_SOURCE_DIR "/backend/page";
  size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    // package.json is for node, and CRS keeps it from everybody.
    if (!entry.is_regular_file() || entry.path().filename() == "package.json") continue;
    const std::string path = "/" + entry.path().lexically_relative(folder).string();
    const HttpMessage file = Get(path);
    EXPECT_EQ(file.status(), 200) << path << proxy_->Output();
    EXPECT_EQ(file.Header("Content-Security-Policy"), "default-src 'self'; frame-ancestors 'none'");
    EXPECT_EQ(file.body.size(), entry.file_size()) << path;
    ++files;
  }
  EXPECT_GE(files, 10u);
  const HttpMessage page = Get("/");
  EXPECT_TRUE(page.Header("Content-Type").starts_with("text/html")) << page.raw;
  EXPECT_NE(page.body.find("<title>framewall</title>"), std::string::npos);
}

TEST_F(BackendGateway, TokenThatEndedIsRefusedByTheBackend) {
  const std::string ann = LogIn("ann");
  EXPECT_EQ(Get("/api/v1/keys", ann).status(), 200);
  const HttpMessage out = Post("/api/v1/logout-everywhere", "{}", ann);
  EXPECT_LT(out.status(), 300) << out.body;
  EXPECT_EQ(Get("/api/v1/keys", ann).status(), 401);
  EXPECT_EQ(Get("/v1/models", ann).status(), 401);
}

TEST_F(BackendGateway, KeysAreWhereTokensSayTheyAre) {
  const HttpMessage keys = Get("/.well-known/jwks.json");
  EXPECT_EQ(keys.status(), 200);
  EXPECT_NE(keys.body.find("\"kty\":\"RSA\""), std::string::npos) << keys.body;
  EXPECT_EQ(keys.body.find("\"d\":"), std::string::npos);
}

TEST_F(BackendGateway, PromptsPassToTheProvider) {
  const std::string ann = NewKey(LogIn("ann"));
  const std::string bob = NewKey(LogIn("bob"));
  const std::vector<std::string> prompts = Prompts();
  EXPECT_GE(prompts.size(), 100u);
  size_t number = 0;
  for (const std::string& prompt : prompts) {
    const HttpMessage answer =
        Post("/v1/chat/completions", Chat("paced", prompt), number++ % 2 == 0 ? ann : bob);
    EXPECT_EQ(answer.status(), 200) << prompt << answer.body;
    EXPECT_NE(answer.body.find("word0"), std::string::npos) << answer.body;
  }
  EXPECT_EQ(provider_.requests().size(), prompts.size());
  EXPECT_EQ(Post("/v1/chat/completions",
                 Chat("paced", "\"Hi\"", ",\"user\":\"1' UNION SELECT a, b FROM users -- \""), ann)
                .status(),
            403);
  EXPECT_EQ(provider_.requests().size(), prompts.size());
}

TEST_F(BackendGateway, EveryDialectTakesSourceCode) {
  const std::string key = NewKey(LogIn("ann"));
  const std::string code =
      "\"import os; os.system('cat /etc/passwd | sh') -- SELECT 1 UNION SELECT 2; <script>\"";
  const std::string messages = "\"messages\":[{\"role\":\"user\",\"content\":" + code + "}]";
  const std::pair<const char*, std::string> doors[] = {
      {"/v1/responses", "{\"model\":\"echo\",\"input\":" + code + "}"},
      {"/api/chat", "{\"model\":\"echo\",\"stream\":false," + messages + "}"},
      {"/ollama/api/chat", "{\"model\":\"echo\",\"stream\":true," + messages + "}"},
      {"/ollama/api/generate", "{\"model\":\"echo\",\"stream\":false,\"prompt\":" + code + "}"},
  };
  for (const auto& [path, body] : doors) {
    const HttpMessage answer = Post(path, body, key);
    EXPECT_EQ(answer.status(), 200) << path << answer.raw;
    EXPECT_NE(answer.body.find("echo"), std::string::npos) << path;
    std::string worse = body;
    worse.replace(worse.find("\"echo\""), 6, "\"1' UNION SELECT a, b FROM users -- \"");
    const HttpMessage refused = Post(path, worse, key);
    EXPECT_EQ(refused.status(), 403) << path << refused.body;
    EXPECT_TRUE(refused.body.starts_with("{\"error\":")) << refused.body;
  }
}

TEST_F(BackendGateway, RoomsAreJudgedAndConversationsAreProse) {
  const std::string ann = LogIn("ann");
  const std::string attack = "1' UNION SELECT login, password FROM users -- ";
  const HttpMessage made = Post("/api/v1/rooms", "{\"name\":\"Kitchen\"}", ann);
  ASSERT_EQ(made.status(), 201) << made.body;
  const std::string room = Member(made.body, "id");
  const auto text = [&](const std::string& words) {
    return "{\"type\":\"message\",\"room\":\"" + room + "\",\"client_id\":\"c-" +
           std::to_string(words.size()) + "\",\"text\":" + Quoted(words) + "}";
  };
  const std::string ticket =
      Member(Post("/api/v1/socket-ticket", "", ann + "Content-Length: 0\r\n").body, "ticket");
  WebSocketClientOptions page;
  page.path = "/ws/chat?ticket=" + ticket;
  page.headers = "Origin: http://localhost:8080\r\n";
  WebSocketClient socket(port(), page);
  ASSERT_EQ(socket.status(), 101) << socket.answer().raw << backend_->Output();
  EXPECT_EQ(WebSocketClient(port(), page).status(), 401) << "a ticket is good for once";
  const auto wait_for = [&](const std::string& type) {
    for (;;) {
      const WebSocketEvent event = socket->Read();
      if (event.kind != WebSocketEvent::Kind::kText) return std::to_string(event.code);
      if (event.payload.find("\"type\":\"" + type + "\"") != std::string::npos)
        return event.payload;
    }
  };
  socket->SendText("{\"type\":\"hello\",\"v\":1,\"rooms\":[{\"room\":\"" + room + "\"}]}");
  EXPECT_NE(wait_for("joined").find("Kitchen"), std::string::npos);
  // No rule for requests minds this, and coming back it must close nobody's socket.
  socket->SendText(text("You have an error in your SQL syntax; check the manual"));
  EXPECT_NE(wait_for("ack").find("\"number\":1"), std::string::npos);
  EXPECT_NE(wait_for("message").find("SQL syntax"), std::string::npos);
  socket->SendText(text(attack));
  const WebSocketEvent closed = socket->ReadToClose();
  EXPECT_EQ(closed.kind, WebSocketEvent::Kind::kClose);
  EXPECT_EQ(closed.code, 1008);
  const std::string messages = "/api/v1/rooms/" + room + "/messages";
  EXPECT_EQ(Post(messages, "{\"text\":" + Quoted(attack) + "}", ann).status(), 403);
  const HttpMessage list = Get(messages, ann);
  EXPECT_EQ(list.status(), 200);
  EXPECT_NE(list.body.find("SQL syntax"), std::string::npos) << list.body;
  EXPECT_EQ(list.body.find("UNION"), std::string::npos);

  const HttpMessage conversation = Post("/api/v1/conversations", "{\"assistant\":\"echo\"}", ann);
  ASSERT_EQ(conversation.status(), 201) << conversation.body;
  const std::string said = "/api/v1/conversations/" + Member(conversation.body, "id") + "/messages";
  const HttpMessage answer =
      Post(said, "{\"text\":" + Quoted(attack) + ",\"wait_for_answer\":true}", ann);
  EXPECT_EQ(answer.status(), 201) << answer.body;
  EXPECT_NE(answer.body.find("This is an echo"), std::string::npos) << answer.body;
  EXPECT_NE(Get(said, ann).body.find("UNION SELECT"), std::string::npos);
}

TEST_F(BackendGateway, StreamsEventByEvent) {
  const std::string key = NewKey(LogIn("ann"));
  is_paced_ = true;
  const std::string body = Chat("paced", "\"Hi\"", ",\"stream\":true");
  RawClient client(port());
  client.Send(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nUser-Agent: test\r\n"
      "Accept: application/json\r\nContent-Type: application/json\r\n" +
      key + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  const std::string head = client.ReadUntil("\r\n\r\n");
  ASSERT_NE(head.find(" 200 OK"), std::string::npos) << head;
  EXPECT_NE(head.find("text/event-stream"), std::string::npos) << head;
  std::vector<double> microseconds;
  for (int i = 0; i < kEvents; ++i) {
    const std::string word = "word" + std::to_string(i) + " ";
    ASSERT_NE(client.ReadUntil(word).find(word), std::string::npos) << word;
    const Clock::time_point sent{Clock::duration(sent_at_.load())};
    microseconds.push_back(std::chrono::duration<double, std::micro>(Clock::now() - sent).count());
    ++arrived_;
  }
  EXPECT_NE(client.ReadUntil("[DONE]").find("[DONE]"), std::string::npos);
  std::sort(microseconds.begin(), microseconds.end());
  std::printf(
      "[ MEASURED ] from the provider's chunk to the client behind the gateway: median %.0f us, "
      "worst %.0f us\n",
      microseconds[kEvents / 2], microseconds.back());
  EXPECT_LT(microseconds[kEvents / 2], 50000);
}

TEST_F(BackendGateway, LimitHoldsForAnAccountOverItsAddressesAndKeys) {
  const std::string ann = LogIn("ann");
  const std::vector<std::string> bearers = {NewKey(ann), NewKey(ann), ann};
  const std::string bob = NewKey(LogIn("bob"));
  const auto models = [&](int i, const std::string& bearer) {
    return Ask(RawClient::To("127.0.0.1", port(), "127.0.1." + std::to_string(i % 2 + 1)), "GET",
               "/v1/models", bearer)
        .status();
  };
  int passed = 0;
  int limited = 0;
  for (int i = 0; i < 75; ++i) {
    const int status = models(i, bearers[static_cast<size_t>(i) % bearers.size()]);
    passed += status == 200 ? 1 : 0;
    limited += status == 429 ? 1 : 0;
  }
  EXPECT_EQ(passed + limited, 75);
  EXPECT_GE(passed, 61);
  EXPECT_LE(passed, 68);  // a slow machine: some have grown back
  EXPECT_EQ(models(0, bob), 200);
}

TEST_F(BackendGateway, OutsideLearnsNothingOfTheInside) {
  const std::string ann = LogIn("ann");
  for (const char* path : {"/internal/auth", "/%69nternal/auth", "//internal/auth", "/_account"}) {
    EXPECT_EQ(Get(path, ann).status(), 404) << path;
  }
  EXPECT_EQ(Get("/metrics").status(), 403);
  EXPECT_EQ(Get("/metrics/backend").status(), 403);
  EXPECT_EQ(Get("/health").body, R"({"status":"alive"})");
  EXPECT_EQ(Get("/ready").body, R"({"status":"ready"})");
  const HttpMessage metrics =
      Ask(RawClient::To("127.0.0.1", port(), "127.0.0.2"), "GET", "/metrics/backend");
  EXPECT_EQ(metrics.status(), 200);
  EXPECT_NE(metrics.body.find("# TYPE "), std::string::npos);
  EXPECT_EQ(metrics.body.find("framewall_connections_accepted_total"), std::string::npos);
}

TEST_F(BackendGateway, IdentityIsNotBelievedFromOutside) {
  const std::string forged = "X-Auth-User: root\r\nX_Auth_User: root\r\nX-Auth-Role: admin\r\n";
  EXPECT_EQ(Get("/v1/models", forged).status(), 401);
  EXPECT_EQ(Get("/api/v1/users", forged).status(), 401);
  EXPECT_EQ(Get("/api/v1/users", LogIn("ann") + forged).status(), 403);
}

TEST_F(BackendGateway, NoLogHasWhatIsSecret) {
  const std::string ann = LogIn("ann");
  const std::string key = NewKey(ann);
  const std::string prompt = "\"zebra prompt; cat /etc/passwd <script>\"";
  EXPECT_EQ(Post("/v1/chat/completions", Chat("paced", prompt), key).status(), 200);
  EXPECT_EQ(Post("/v1/chat/completions",
                 Chat("paced", prompt, ",\"user\":\"1' UNION SELECT a, b FROM users -- \""), key)
                .status(),
            403);
  const HttpMessage ticket = Post("/api/v1/socket-ticket", "", ann + "Content-Length: 0\r\n");
  ASSERT_EQ(ticket.status(), 201) << ticket.body;
  const std::string ticket_text = Member(ticket.body, "ticket");
  ASSERT_GE(ticket_text.size(), 16u);
  Get("/ws/chat?ticket=" + ticket_text);
  Get("/ws/chat?ticket=" + ticket_text + "&q=%3Cscript%3Ealert(1)%3C/script%3E");
  EXPECT_EQ(proxy_->Quit(), 0);
  EXPECT_EQ(backend_->Terminate(), 0);
  const std::string logs =
      AllLogs(proxy_->directory()) + AllLogs(backend_->directory()) + backend_->Output();
  const auto value = [](const std::string& line) {
    return line.substr(std::string("Authorization: Bearer ").size(),
                       line.size() - std::string("Authorization: Bearer \r\n").size());
  };
  for (const std::string& secret :
       {std::string("zebra"), std::string("horse"), ticket_text, value(ann), value(key)}) {
    const size_t at = logs.find(secret);
    EXPECT_EQ(at, std::string::npos) << secret << ": " << logs.substr(at < 300 ? 0 : at - 300, 600);
  }
  EXPECT_NE(logs.find("ticket=***"), std::string::npos);
}

TEST_F(BackendGateway, BackendComesBackWithoutAReload) {
  const std::string key = NewKey(LogIn("ann"), "\"llm\",\"chat\"");
  WebSocketClientOptions program;
  program.path = "/ws/chat";
  program.headers = key;
  WebSocketClient socket(port(), program);
  ASSERT_EQ(socket.status(), 101) << socket.answer().raw;
  backend_->Signal(SIGTERM);
  EXPECT_EQ(socket->ReadToClose().code, 1001);
  socket->SendClose(1001);
  EXPECT_EQ(backend_->WaitForExit(), 0);
  EXPECT_EQ(Get("/ready").status(), 502);
  EXPECT_EQ(Post("/api/v1/login", "{}").status(), 502);
  ASSERT_TRUE(backend_->Start()) << backend_->Output();
  EXPECT_TRUE(Eventually([&] { return Get("/v1/models", key).status() == 200; }));
  WebSocketClient again(port(), program);
  ASSERT_EQ(again.status(), 101) << again.answer().raw;
  EXPECT_EQ(backend_->Kill(), 128 + SIGKILL);
  const WebSocketEvent lost = again->ReadToClose();
  EXPECT_EQ(lost.code, 1011) << lost.payload;
}

}  // namespace
}  // namespace framewall::test
