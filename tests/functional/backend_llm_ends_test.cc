// How answers of models end where a provider breaks off, falls silent or is killed: whole or with
// an error in the client's dialect, never short.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>

#include "tests/functional/llm_testing.h"
#include "tests/support/fake_upstream.h"

namespace framewall::test {
namespace {

// How a client asks, and what it knows a whole stream and an error by.
struct Door {
  const char* path;
  const char* question;  // members behind "model"
  const char* end_mark;
  const char* error;          // of a stream
  const char* refusal_begin;  // a status' body
};
constexpr Door kDoors[] = {
    {"/v1/chat/completions", R"("messages":[{"role":"user","content":"Hi"}])", "data: [DONE]\n\n",
     R"(data: {"error":{"message":)", R"({"error":{"message":)"},
    {"/v1/responses", R"("input":"Hi")", "event: response.completed\n", "event: error\n",
     R"({"error":{"message":)"},
    {"/api/chat", R"("messages":[{"role":"user","content":"Hi"}])", "\"done\":true",
     "\n{\"error\":\"", R"({"error":")"},
    {"/ollama/api/generate", R"("prompt":"Hi")", "\"done\":true", "\n{\"error\":\"",
     R"({"error":")"},
};

using BackendLlmEnds = BackendLlm;

TEST_F(BackendLlmEnds, AreWholeOrAnErrorWhereverTheProviderIsCut) {
  std::atomic<size_t> cut = 0;
  std::atomic<bool> reset = false;
  std::string answer;  // set while nobody asks
  FakeUpstream provider([&](FakeUpstream::Peer& peer) {
    if (!peer.ReadRequest().complete) return;
    peer.Send(answer.substr(0, cut));
    if (reset) {
      peer.Reset();
    } else {
      peer.Close();
    }
  });
  std::string settings =
      "server: {listen: 127.0.0.1:%%PORT_0%%}\naccounts: {registration_open: true}\nllm:\n"
      "  providers:\n";
  for (const char* kind : kKinds) {
    settings += std::string("  - {name: ") + kind + ", kind: " + kind + ", url: \"http://" +
                provider.address() + "\", failures: 1000}\n";
  }
  settings += "  models:\n";
  for (const char* kind : kKinds) {
    settings += std::string("  - {name: ") + kind + ", provider: " + kind + ", retries: 0}\n";
  }
  backend_ = std::make_unique<BackendProcess>(settings);
  ASSERT_TRUE(backend_->Start()) << backend_->Output();
  token_ = MakeAccount(*backend_, "anna");
  for (const Door& door : kDoors) {
    int whole = 0;
    int refused = 0;
    int broken = 0;
    for (const std::string kind : kKinds) {
      answer = ProvidersAnswer(kind, door.question[1] == 'p');
      for (size_t at = 0; at <= answer.size(); at += at + 40 < answer.size() ? 11 : 1) {
        for (const bool stream : {false, true}) {
          cut = at;
          reset = at % 2 == 1;
          const std::string where =
              std::string(door.path) + " of " + kind + " cut at " + std::to_string(at) + ": ";
          const HttpMessage got =
              backend_->Request("POST", door.path, Bearer(token_),
                                R"({"model":")" + kind + R"(","stream":)" +
                                    (stream ? "true," : "false,") + door.question + "}");
          ASSERT_TRUE(got.complete) << where << got.raw;
          const bool has_mark = got.body.find(door.end_mark) != got.body.npos;
          if (got.status() != 200) {
            ++refused;
            EXPECT_TRUE(got.body.starts_with(door.refusal_begin)) << where << got.body;
          } else if (got.body.find(door.error) != got.body.npos) {
            ++broken;
            EXPECT_TRUE(stream) << where << got.body;
            EXPECT_FALSE(has_mark) << where << got.body;
            EXPECT_EQ(got.Header("connection"), "close") << where << got.raw;
          } else {
            ++whole;
            EXPECT_NE(got.body.find(stream ? R"(" three")" : R"("one two three")"), got.body.npos)
                << where << got.body;
            EXPECT_TRUE(has_mark || !stream) << where << got.body;
          }
        }
      }
    }
    EXPECT_GT(whole, 6) << door.path;
    EXPECT_GT(refused, 30) << door.path;
    EXPECT_GT(broken, 30) << door.path;
  }
}

// A request on a connection that could be kept.
std::string Post(const Door& door, const std::string& model, const std::string& bearer,
                 bool stream) {
  const std::string body = R"({"model":")" + model + R"(","stream":)" +
                           (stream ? "true," : "false,") + door.question + "}";
  return "POST " + std::string(door.path) + " HTTP/1.1\r\nHost: a\r\n" + bearer +
         "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

TEST_F(BackendLlmEnds, AFailureInBandEndsTheConnectionToo) {
  FW_NEEDS_LLM_CLIENTS();
  StandIn stand_in;
  Start(stand_in, "  user_limits: {tokens_per_day: 2000}\n");
  for (const Door& door : kDoors) {
    for (const std::string behaviour : {"ok", "cut-middle", "cut-end", "error", "silent-middle"}) {
      RawClient client = backend_->Connect();
      client.Send(Post(door, "openai/" + behaviour, Bearer(key_), true));
      const HttpMessage answer = client.ReadResponse();
      const std::string what = door.path + (" " + behaviour) + ": " + answer.raw;
      EXPECT_TRUE(answer.complete) << what;
      // Said before anybody can know how it ends.
      EXPECT_EQ(answer.Header("connection"), "close") << what;
      EXPECT_EQ(answer.body.find(door.end_mark) != answer.body.npos, behaviour == "ok") << what;
      EXPECT_EQ(answer.body.find(door.error) != answer.body.npos, behaviour != "ok") << what;
      EXPECT_TRUE(client.WaitForClose()) << what;
    }
    // What is whole, or a status, leaves the connection to the next request.
    RawClient client = backend_->Connect();
    for (const std::string behaviour : {"ok", "status-500", "ok"}) {
      client.Send(Post(door, "openai/" + behaviour, Bearer(key_), false));
      const HttpMessage answer = client.ReadResponse();
      EXPECT_EQ(answer.status(), behaviour == "ok" ? 200 : 502) << answer.raw;
      EXPECT_NE(answer.Header("connection"), "close") << answer.raw;
    }
  }
  // A budget that ends is such a failure too.
  RawClient client = backend_->Connect();
  client.Send(Post(kDoors[0], "openai/long", Bearer(key_), true));
  const HttpMessage cut = client.ReadResponse();
  EXPECT_NE(cut.body.find("token_budget_exceeded"), std::string::npos) << cut.body.substr(0, 500);
  EXPECT_TRUE(client.WaitForClose());
}

TEST_F(BackendLlmEnds, AProviderThatIsKilledLeavesAnError) {
  FW_NEEDS_LLM_CLIENTS();
  for (const Door& door : kDoors) {
    auto stand_in = std::make_unique<StandIn>();
    Start(*stand_in);
    RawClient client = backend_->Connect();
    client.Send(Post(door, "ollama/endless", Bearer(key_), true));
    ASSERT_NE(client.ReadUntil(" and so on").find("200 OK"), std::string::npos) << door.path;
    stand_in.reset();  // SIGKILL
    const std::string rest = client.ReadToEnd();
    EXPECT_NE(rest.find(door.error), std::string::npos) << door.path << rest.substr(0, 500);
    EXPECT_NE(rest.find("provider_broken"), std::string::npos) << door.path;
    EXPECT_EQ(rest.find(door.end_mark), std::string::npos) << door.path;
    EXPECT_TRUE(rest.ends_with("0\r\n\r\n")) << door.path;
  }
}

// Takes no connection: the queue of those that wait is full.
class DeafListener {
 public:
  DeafListener() {
    fds_[0] = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::bind(fds_[0], generic, size), 0);
    EXPECT_EQ(::listen(fds_[0], 0), 0);
    EXPECT_EQ(::getsockname(fds_[0], generic, &size), 0);
    port_ = ntohs(address.sin_port);
    for (size_t i = 1; i < 4; ++i) {
      fds_[i] = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      [[maybe_unused]] const int waits = ::connect(fds_[i], generic, size);
    }
  }
  ~DeafListener() {
    for (const int fd : fds_) ::close(fd);
  }
  DeafListener(const DeafListener&) = delete;
  DeafListener& operator=(const DeafListener&) = delete;
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  int fds_[4] = {-1, -1, -1, -1};
  uint16_t port_ = 0;
};

TEST_F(BackendLlmEnds, WhoTakesNoConnectionIsLeftInTime) {
  const DeafListener deaf;
  FakeUpstream provider(FakeUpstream::Always(ProvidersAnswer("openai", false)));
  backend_ = std::make_unique<BackendProcess>(
      "server: {listen: 127.0.0.1:%%PORT_0%%}\naccounts: {registration_open: true}\nllm:\n"
      "  providers:\n"
      "  - {name: deaf, kind: openai, connect_ms: 300, failures: 1000, url: \"http://" +
      deaf.address() + "\"}\n  - {name: other, kind: openai, url: \"http://" + provider.address() +
      "\"}\n"
      "  models:\n"
      "  - {name: alone, provider: deaf, retries: 0}\n"
      "  - name: together\n"
      "    targets: [{provider: deaf, model: a}, {provider: other, model: b}]\n");
  ASSERT_TRUE(backend_->Start()) << backend_->Output();
  token_ = MakeAccount(*backend_, "anna");
  const auto began = std::chrono::steady_clock::now();
  const HttpMessage alone = Chat(token_, "alone");
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_EQ(alone.status(), 504) << alone.raw;
  EXPECT_GE(took, std::chrono::milliseconds(300));
  EXPECT_LT(took, std::chrono::seconds(3));
  EXPECT_NE(Chat(token_, "together").body.find("one two three"), std::string::npos);
}

}  // namespace
}  // namespace framewall::test
