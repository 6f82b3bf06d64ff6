// A master, a replica and two real Sentinels that fail over.
#include <signal.h>

#include "tests/unit/redis/support.h"

namespace framewall::redis {
namespace {

class SentinelTest : public RedisTest {
 protected:
  void SetUp() override {
    RedisTest::SetUp();
    if (IsSkipped()) return;
    ASSERT_TRUE(first.Start()) << first.Log();
    second.emplace(std::vector<std::string>{"replicaof 127.0.0.1 " + std::to_string(first.port())});
    ASSERT_TRUE(second->Start()) << second->Log();
    ASSERT_TRUE(second->AskUntil({"INFO", "replication"}, "master_link_status:up"));
    for (auto& sentinel : sentinels) {
      sentinel = std::make_unique<RedisServer>(
          std::vector<std::string>{
              "sentinel monitor main 127.0.0.1 " + std::to_string(first.port()) + " 2",
              "sentinel down-after-milliseconds main 500", "sentinel failover-timeout main 3000"},
          RedisServer::Kind::kSentinel);
      ASSERT_TRUE(sentinel->Start()) << sentinel->Log();
    }
    for (auto& sentinel : sentinels) {
      ASSERT_TRUE(sentinel->AskUntil({"SENTINEL", "MASTER", "main"}, "num-slaves, 1"));
      ASSERT_TRUE(sentinel->AskUntil({"SENTINEL", "MASTER", "main"}, "num-other-sentinels, 1"));
    }
    settings.name = "edge";
    settings.mode = Mode::kSentinel;
    settings.master_name = "main";
    settings.servers = {EndpointOf(sentinels[0]->port()), EndpointOf(sentinels[1]->port())};
    settings.deadline = milliseconds(300);
    settings.connect_timeout = milliseconds(1000);
    settings.sentinel_interval = milliseconds(500);
    settings.breaker_pause = milliseconds(100);
    ASSERT_TRUE(Validate(settings).ok());
  }
  bool Works(Client& client) { return Do(client, "INCR", "works").ok(); }
  std::string Logs() {
    return sentinels[0]->Log() + sentinels[1]->Log() + first.Log() + second->Log();
  }

  RedisServer first;
  std::optional<RedisServer> second;
  std::unique_ptr<RedisServer> sentinels[2];
  Settings settings;
};

TEST_F(SentinelTest, TheMasterIsFound) {
  settings.deadline = milliseconds(5000);
  Client client(loop, settings);
  EXPECT_EQ("OK", TextOf(Do(client, "SET", "a", {"1"})));
  EXPECT_EQ("1", first.Ask({"GET", "a"}));
}

TEST_F(SentinelTest, ADeadSentinelIsPassedOver) {
  sentinels[0]->Kill();
  settings.deadline = milliseconds(5000);
  Client client(loop, settings);
  EXPECT_EQ("OK", TextOf(Do(client, "SET", "a", {"1"})));
}

TEST_F(SentinelTest, AnUnknownNameIsAFailureThatSaysSo) {
  settings.master_name = "other";
  settings.deadline = milliseconds(5000);
  Client client(loop, settings);
  const auto reply = Do(client, "GET", "a");
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ("redis \"edge\": no Sentinel knows master \"other\"", reply.error().message);
  sentinels[0]->Kill();
  sentinels[1]->Kill();
  Client lonely(loop, settings);
  EXPECT_NE(std::string::npos, TextOf(Do(lonely, "GET", "a")).find("no Sentinel answers"));
}

TEST_F(SentinelTest, FailoverAfterAKillIsFollowed) {
  Client client(loop, settings);
  ASSERT_TRUE(RunUntil([&] { return Works(client); }));
  first.Kill();
  const auto killed = std::chrono::steady_clock::now();
  milliseconds longest{};
  ASSERT_TRUE(RunUntil([&] {
    const auto start = std::chrono::steady_clock::now();
    const bool works = Works(client);
    longest = std::max(longest, std::chrono::duration_cast<milliseconds>(
                                    std::chrono::steady_clock::now() - start));
    return works;
  })) << Logs();
  RecordProperty("outage_ms", static_cast<int>(std::chrono::duration_cast<milliseconds>(
                                                   std::chrono::steady_clock::now() - killed)
                                                   .count()));
  EXPECT_LE(longest, milliseconds(400));  // the deadline, on a busy machine
  EXPECT_GE(client.counters().master_changes, 1u);
  EXPECT_NE(std::string::npos, second->Ask({"ROLE"}).find("master"));
  EXPECT_TRUE(Works(client));
}

TEST_F(SentinelTest, FailoverAfterAStopIsFollowedAndTheOldMasterNotUsed) {
  Client client(loop, settings);
  ASSERT_TRUE(RunUntil([&] { return Works(client); }));
  first.Signal(SIGSTOP);
  ASSERT_TRUE(RunUntil([&] { return client.counters().master_changes > 0 && Works(client); }))
      << Logs();
  // It wakes up and believes to be a master for a while.
  first.Signal(SIGCONT);
  const std::string before = second->Ask({"GET", "works"});
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(Works(client));
  EXPECT_EQ(std::to_string(std::stoi(before) + 50), second->Ask({"GET", "works"}));
}

TEST_F(SentinelTest, AnOrderedFailoverIsFollowed) {
  Client client(loop, settings);
  ASSERT_TRUE(RunUntil([&] { return Works(client); }));
  // The old master lives on as a replica: READONLY, or its connections closed.
  ASSERT_TRUE(sentinels[0]->AskUntil({"SENTINEL", "FAILOVER", "main"}, "OK"));
  ASSERT_TRUE(RunUntil([&] {
    (void)Works(client);
    return client.counters().master_changes > 0 && Works(client);
  })) << Logs();
  EXPECT_NE(std::string::npos, second->Ask({"ROLE"}).find("master"));
}

class SentinelPassword : public RedisTest {};

TEST_F(SentinelPassword, SentinelsAndMasterHaveTheirOwn) {
  RedisServer master({"requirepass mine"});
  ASSERT_TRUE(master.Start()) << master.Log();
  RedisServer sentinel({"sentinel monitor main 127.0.0.1 " + std::to_string(master.port()) + " 1",
                        "sentinel auth-pass main mine", "requirepass theirs"},
                       RedisServer::Kind::kSentinel);
  ASSERT_TRUE(sentinel.Start()) << sentinel.Log();
  Settings settings = SettingsFor(sentinel.port());
  settings.mode = Mode::kSentinel;
  settings.master_name = "main";
  settings.password = "mine";
  settings.sentinel_password = "theirs";
  Client client(loop, settings);
  EXPECT_EQ("OK", TextOf(Do(client, "SET", "a", {"1"})));
  settings.sentinel_password = "wrong";
  Client refused(loop, settings);
  EXPECT_NE(std::string::npos,
            TextOf(Do(refused, "SET", "a", {"1"})).find("AUTH failed: WRONGPASS"));
}

}  // namespace
}  // namespace framewall::redis
