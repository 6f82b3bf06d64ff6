// What is no Redis, or a broken one: an error, the connection closed, nothing worse.
#include "proxy/event/listener.h"
#include "proxy/event/tcp_stream.h"
#include "proxy/redis/reply_reader.h"
#include "tests/unit/event/support.h"
#include "tests/unit/redis/support.h"

namespace framewall::redis {
namespace {

// Listens on the loopback; what it says to each command is up to the test.
class Impostor {
 public:
  // Given the command's words. Empty: silence.
  using Answer = std::function<std::string(const Reply& command)>;
  Impostor(event::EventLoop& loop, Answer answer)
      : loop_(loop), answer_(std::move(answer)), listening_(event::ListenTcp()) {
    listener_ = std::make_unique<event::Listener>(
        loop_, listening_.first.get(), false,
        [this](int fd, const SocketAddress& peer) {
          ++connections;
          talks_.push_back(std::make_unique<Talk>(
              event::MakeTcpStream(loop_, fd, SocketAddress(), peer), answer_));
        },
        [](int) {});
  }
  uint16_t port() const { return listening_.second.port(); }
  int connections = 0;
  // Pieces in which commands came, of all connections.
  int pieces() const {
    int count = 0;
    for (const auto& talk : talks_) count += talk->pieces;
    return count;
  }
  // Connections that the client has let go.
  int ended() const {
    int count = 0;
    for (const auto& talk : talks_) count += talk->ended ? 1 : 0;
    return count;
  }

 private:
  struct Talk : event::StreamHandler {
    Talk(std::unique_ptr<event::Stream> new_stream, const Answer& new_answer)
        : stream(std::move(new_stream)), answer(new_answer) {
      stream->SetHandler(this);
    }
    void OnBytes(ByteView bytes) override {
      ++pieces;
      commands.Feed(bytes);  // commands are arrays of strings, as replies may be
      for (;;) {
        auto next = commands.Next();
        if (!next.ok() || !next->has_value()) return;
        stream->Write(answer(**next));
      }
    }
    void OnEnd() override { ended = true; }
    void OnBroken(const Error&) override { ended = true; }
    std::unique_ptr<event::Stream> stream;
    const Answer& answer;
    ReplyReader commands{ReplyLimits{}};
    int pieces = 0;
    bool ended = false;
  };
  event::EventLoop& loop_;
  const Answer answer_;
  std::pair<UniqueFd, SocketAddress> listening_;
  std::vector<std::unique_ptr<Talk>> talks_;
  std::unique_ptr<event::Listener> listener_;
};

class Hostile : public RedisTest {
 protected:
  void SetUp() override {}  // needs no Redis

  // GET against an impostor who says `answer` to the greeting, and nothing else.
  Result<Reply> Try(const std::string& answer) {
    return TryWith(Mode::kSingle, [answer](const Reply& command) {
      return command.elements[0].text == "CLIENT" ? answer : std::string();
    });
  }
  Result<Reply> TryWith(Mode mode, Impostor::Answer answer) {
    impostor = std::make_unique<Impostor>(loop, std::move(answer));
    Settings settings = SettingsFor(impostor->port());
    settings.mode = mode;
    settings.master_name = "main";
    settings.deadline = milliseconds(2000);
    settings.connect_timeout = milliseconds(500);
    client.reset();
    client = std::make_unique<Client>(loop, settings);
    return Do(*client, "GET", "a");
  }
  std::unique_ptr<Impostor> impostor;
  std::unique_ptr<Client> client;
};

// A friendly one, to see what a real Redis does not show.
TEST_F(Hostile, CommandsOfOneTurnLeaveInOneSend) {
  ASSERT_TRUE(TryWith(Mode::kSingle, [](const Reply&) { return "+OK\r\n"; }).ok());
  RunFor(milliseconds(20));
  const int before = impostor->pieces();
  std::vector<Call> calls(100);
  for (size_t i = 0; i < calls.size(); ++i) {
    // Each from a callback of its own.
    loop.EnterCallback();
    calls[i].pending = client->Execute("GET", "a", {}, calls[i].Done());
    loop.LeaveCallback();
  }
  ASSERT_TRUE(RunUntil([&] { return calls.back().done(); }));
  EXPECT_EQ(before + 1, impostor->pieces());
  EXPECT_EQ(1, impostor->connections);
}

TEST_F(Hostile, GarbageInsteadOfAGreeting) {
  const auto reply = Try("HTTP/1.1 400 Bad Request\r\n\r\n");
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(ErrorKind::kUnavailable, reply.error().kind);
  EXPECT_NE(std::string::npos, reply.error().message.find("unreadable reply")) << TextOf(reply);
  EXPECT_TRUE(RunUntil([&] { return impostor->ended() >= 1; }));
}

TEST_F(Hostile, HugeAnnouncements) {
  for (const char* octets : {"$99999999999\r\n", "*99999999\r\n", "$1048577\r\n"}) {
    const auto reply = Try(octets);
    ASSERT_FALSE(reply.ok());
    EXPECT_EQ(ErrorKind::kUnavailable, reply.error().kind) << TextOf(reply);
    EXPECT_TRUE(RunUntil([&] { return impostor->ended() >= 1; }));
  }
}

TEST_F(Hostile, RepliesThatNobodyAskedFor) {
  // One for the greeting's CLIENT SETNAME, and more.
  const auto reply = Try("+OK\r\n+OK\r\n");
  ASSERT_FALSE(reply.ok());
  EXPECT_TRUE(RunUntil([&] { return impostor->ended() >= 1; }));
}

TEST_F(Hostile, GarbageInsteadOfAReply) {
  const auto reply = TryWith(Mode::kSingle, [](const Reply& command) {
    return command.elements[0].text == "CLIENT" ? "+OK\r\n" : "$99999999999\r\n";
  });
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(ErrorKind::kClosed, reply.error().kind) << TextOf(reply);
  EXPECT_TRUE(RunUntil([&] { return impostor->ended() >= 1; }));
}

TEST_F(Hostile, SilenceToTheGreetingEndsInTime) {
  const auto reply = Try("");
  ASSERT_FALSE(reply.ok());
  // The greeting is given 500 ms, the command 2000.
  EXPECT_EQ(ErrorKind::kUnavailable, reply.error().kind) << TextOf(reply);
  EXPECT_NE(std::string::npos, reply.error().message.find("not ready in time")) << TextOf(reply);
}

TEST_F(Hostile, AServerThatBreaksOffIsNotAskedInALoop) {
  const auto first = TryWith(Mode::kSingle, [](const Reply& command) {
    return command.elements[0].text == "CLIENT" ? "+OK\r\n" : "garbage\r\n";
  });
  ASSERT_FALSE(first.ok());
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 500; ++i) (void)Do(*client, "GET", "a");
  EXPECT_LE(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  EXPECT_LE(impostor->connections, 20);
}

TEST_F(Hostile, SentinelsThatTalkNonsense) {
  for (const char* address : {"+OK\r\n", ":1\r\n", "*0\r\n", "*2\r\n:1\r\n:2\r\n", "$-1\r\n",
                              "-ERR no\r\n", "*2\r\n$1\r\nx\r\n$6\r\n999999\r\n",
                              "*2\r\n$0\r\n\r\n$1\r\n1\r\n", "*3\r\n:1\r\n:1\r\n:1\r\n"}) {
    const auto reply = TryWith(Mode::kSentinel, [address](const Reply& command) {
      return command.elements[0].text == "SENTINEL" ? address : "+OK\r\n";
    });
    ASSERT_FALSE(reply.ok()) << address;
    EXPECT_NE(std::string::npos, reply.error().message.find("Sentinel")) << TextOf(reply);
  }
}

TEST_F(Hostile, AMasterThatIsNoneIsNotUsed) {
  for (const char* role : {"*1\r\n$5\r\nslave\r\n", "*0\r\n", "+master\r\n", "-NOPERM no\r\n"}) {
    int commands = 0;
    const auto reply = TryWith(Mode::kSentinel, [&, role](const Reply& command) -> std::string {
      const std::string& name = command.elements[0].text;
      const std::string port = std::to_string(impostor->port());
      if (name == "SENTINEL") {
        return "*2\r\n$9\r\n127.0.0.1\r\n$" + std::to_string(port.size()) + "\r\n" + port + "\r\n";
      }
      commands += name == "GET" ? 1 : 0;
      return name == "ROLE" ? role : "+OK\r\n";
    });
    EXPECT_FALSE(reply.ok()) << role;
    EXPECT_EQ(0, commands) << role;
  }
}

TEST_F(Hostile, ClustersThatTalkNonsense) {
  for (const char* slots : {"+OK\r\n", "*0\r\n", "-ERR no\r\n", "$-1\r\n",
                            "*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\na\r\n:1\r\n"}) {
    const auto reply = TryWith(Mode::kCluster, [slots](const Reply& command) {
      return command.elements[0].text == "CLUSTER" ? slots : "+OK\r\n";
    });
    ASSERT_FALSE(reply.ok()) << slots;
    EXPECT_NE(std::string::npos, reply.error().message.find("no node tells the topology"))
        << TextOf(reply);
  }
}

TEST_F(Hostile, RedirectionsWithoutEndAreLeft) {
  for (const char* what : {"MOVED", "ASK", "TRYAGAIN"}) {
    int commands = 0;
    const auto reply = TryWith(Mode::kCluster, [&, what](const Reply& command) -> std::string {
      const std::string& name = command.elements[0].text;
      const std::string port = std::to_string(impostor->port());
      if (name == "CLUSTER") {
        return "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$0\r\n\r\n:" + port + "\r\n";
      }
      if (name != "GET") return "+OK\r\n";
      ++commands;
      return "-" + std::string(what) + " 15495 127.0.0.1:" + port + "\r\n";
    });
    ASSERT_FALSE(reply.ok());
    EXPECT_NE(std::string::npos, reply.error().message.find(what)) << TextOf(reply);
    EXPECT_EQ(6, commands) << what;  // and five detours
  }
}

TEST_F(Hostile, ARedirectionThatIsNoneIsAnError) {
  const auto reply = TryWith(Mode::kCluster, [&](const Reply& command) -> std::string {
    const std::string& name = command.elements[0].text;
    if (name == "CLUSTER") {
      return "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$0\r\n\r\n:" + std::to_string(impostor->port()) +
             "\r\n";
    }
    return name == "GET" ? "-MOVED 99999 nowhere\r\n" : "+OK\r\n";
  });
  ASSERT_FALSE(reply.ok());
  EXPECT_NE(std::string::npos, reply.error().message.find("MOVED 99999")) << TextOf(reply);
}

TEST_F(Hostile, ASlotNobodyServesFailsAtOnce) {
  const auto reply = TryWith(Mode::kCluster, [&](const Reply& command) -> std::string {
    if (command.elements[0].text != "CLUSTER") return "+OK\r\n";
    return "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$0\r\n\r\n:" + std::to_string(impostor->port()) + "\r\n";
  });
  ASSERT_FALSE(reply.ok());
  EXPECT_NE(std::string::npos, reply.error().message.find("no node serves slot 15495"))
      << TextOf(reply);
}

}  // namespace
}  // namespace framewall::redis
