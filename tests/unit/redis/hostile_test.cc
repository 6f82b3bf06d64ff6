// What is no Redis, or a broken one: an error, the connection closed, nothing worse.
#include "proxy/event/listener.h"
#include "proxy/event/tcp_stream.h"
#include "tests/unit/event/support.h"
#include "tests/unit/redis/support.h"

namespace framewall::redis {
namespace {

// Listens on the loopback and answers the first bytes of each connection with the octets it was
// given, the next with nothing.
class Impostor {
 public:
  Impostor(event::EventLoop& loop, std::string answer)
      : loop_(loop), answer_(std::move(answer)), listening_(event::ListenTcp()) {
    listener_ = std::make_unique<event::Listener>(
        loop_, listening_.first.get(), false,
        [this](int fd, const SocketAddress& peer) {
          ++connections;
          streams_.push_back(event::MakeTcpStream(loop_, fd, SocketAddress(), peer));
          handlers_.push_back(std::make_unique<Handler>(*streams_.back(), answer_));
        },
        [](int) {});
  }
  uint16_t port() const { return listening_.second.port(); }
  int connections = 0;
  // Connections that the client has let go.
  int ended() const {
    int count = 0;
    for (const auto& handler : handlers_) count += handler->ended;
    return count;
  }

 private:
  struct Handler : event::StreamHandler {
    Handler(event::Stream& new_stream, const std::string& new_answer)
        : stream(new_stream), answer(new_answer) {
      stream.SetHandler(this);
    }
    void OnBytes(ByteView) override { stream.Write(std::exchange(answer, {})); }
    void OnEnd() override { ended = true; }
    void OnBroken(const Error&) override { ended = true; }
    event::Stream& stream;
    std::string answer;
    bool ended = false;
  };
  event::EventLoop& loop_;
  const std::string answer_;
  std::pair<UniqueFd, SocketAddress> listening_;
  std::vector<std::unique_ptr<event::Stream>> streams_;
  std::vector<std::unique_ptr<Handler>> handlers_;
  std::unique_ptr<event::Listener> listener_;
};

class Hostile : public RedisTest {
 protected:
  void SetUp() override {}  // needs no Redis

  // The first answer is to the greeting and, in the same piece, whatever follows.
  Result<Reply> Try(const std::string& answer, Mode mode = Mode::kSingle) {
    impostor = std::make_unique<Impostor>(loop, answer);
    Settings settings = SettingsFor(impostor->port());
    settings.mode = mode;
    settings.master_name = "main";
    settings.deadline = milliseconds(300);
    settings.connect_timeout = milliseconds(200);
    client.reset();
    client = std::make_unique<Client>(loop, settings);
    return Do(*client, "GET", "a");
  }
  std::unique_ptr<Impostor> impostor;
  std::unique_ptr<Client> client;
};

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

TEST_F(Hostile, SilenceEndsAtTheDeadline) {
  Call call;
  const auto reply = Try("");
  ASSERT_FALSE(reply.ok());
  // The greeting is given 200 ms, the command 300.
  EXPECT_EQ(ErrorKind::kUnavailable, reply.error().kind) << TextOf(reply);
  EXPECT_NE(std::string::npos, reply.error().message.find("not ready in time")) << TextOf(reply);
}

TEST_F(Hostile, AServerThatHangsUpIsNotAskedInALoop) {
  // Greeted, then garbage at the first command, again and again.
  const auto first = Try("+OK\r\n");
  ASSERT_FALSE(first.ok());
  for (int i = 0; i < 200; ++i) {
    (void)Do(*client, "GET", "a");
    if (client->counters().rejected > 0) break;
  }
  EXPECT_LE(impostor->connections, 20);
}

TEST_F(Hostile, SentinelsAndClustersOfTheWrongKind) {
  for (const Mode mode : {Mode::kSentinel, Mode::kCluster}) {
    for (const char* octets :
         {"+OK\r\n", "+OK\r\n+OK\r\n", "+OK\r\n*2\r\n:1\r\n:2\r\n", "+OK\r\n*0\r\n",
          "+OK\r\n*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\na\r\n:1\r\n", "-ERR no\r\n",
          "+OK\r\n$-1\r\n", "+OK\r\n*2\r\n$1\r\nx\r\n$6\r\n999999\r\n"}) {
      const auto reply = Try(octets, mode);
      EXPECT_FALSE(reply.ok()) << octets;
    }
  }
}

TEST_F(Hostile, ARedirectionWithoutEndIsLeft) {
  // A "Cluster" of one node that always says MOVED to itself cannot be built of a fixed answer in
  // one piece; a CLUSTER SLOTS that names a dead port can.
  const auto reply =
      Try("+OK\r\n*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:1\r\n", Mode::kCluster);
  ASSERT_FALSE(reply.ok());
}

}  // namespace
}  // namespace framewall::redis
