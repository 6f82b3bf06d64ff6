// A real Cluster of three masters with a replica each: every slot, a slot that moves, a master that
// dies. One Cluster serves all tests; each leaves it whole.
#include <signal.h>

#include <algorithm>
#include <map>

#include "proxy/redis/key_slot.h"
#include "proxy/tls/context.h"
#include "tests/support/certificate.h"
#include "tests/unit/redis/support.h"

namespace framewall::redis {
namespace {

using test::RedisCluster;

const Script& Increment() {
  static const Script script("return redis.call('INCRBY', KEYS[1], ARGV[1])");
  return script;
}

class ClusterTest : public RedisTest {
 protected:
  static void SetUpTestSuite() {
    if (!test::HasRedis()) return;
    cluster = std::make_unique<RedisCluster>();
    is_up = cluster->Start();
  }
  static void TearDownTestSuite() { cluster.reset(); }

  void SetUp() override {
    RedisTest::SetUp();
    if (IsSkipped()) return;
    ASSERT_TRUE(is_up) << cluster->Logs();
    settings.name = "edge";
    settings.mode = Mode::kCluster;
    // One seed, a replica: all others are learned.
    settings.servers = {EndpointOf(cluster->node(4).port())};
    settings.deadline = milliseconds(5000);
    settings.connect_timeout = milliseconds(1000);
    settings.breaker_pause = milliseconds(100);
    ASSERT_TRUE(Validate(settings).ok());
    for (size_t i = 0; i < cluster->size(); ++i) cluster->node(i).Ask({"FLUSHALL"});
  }
  // A key of each slot asked for.
  static const std::string& KeyIn(int slot) {
    static std::map<int, std::string> keys;
    for (int i = 0; keys.size() < static_cast<size_t>(kSlotCount); ++i) {
      std::string key = "k" + std::to_string(i);
      keys.emplace(KeySlot(key), std::move(key));
    }
    return keys.at(slot);
  }
  RedisServer& OwnerOf(int slot) {
    const int index = cluster->Owner(slot);
    EXPECT_GE(index, 0);
    return cluster->node(static_cast<size_t>(std::max(index, 0)));
  }

  static std::unique_ptr<RedisCluster> cluster;
  static bool is_up;
  Settings settings;
};

std::unique_ptr<RedisCluster> ClusterTest::cluster;
bool ClusterTest::is_up = false;

TEST_F(ClusterTest, SlotsAreCountedAsTheClusterDoes) {
  for (const std::string key : {"a", "foo{bar}baz", "{}a", "{a", "a}b{c}", "{{a}}", "\xff\x80"}) {
    EXPECT_EQ(cluster->node(0).Ask({"CLUSTER", "KEYSLOT", key}), std::to_string(KeySlot(key)))
        << key;
  }
}

TEST_F(ClusterTest, AKeyOfEverySlotFindsItsMaster) {
  settings.max_outstanding = static_cast<size_t>(kSlotCount);
  KeyIn(0);  // looks for all keys
  Client client(loop, settings);
  int answered = 0;
  std::vector<Pending> pending;
  for (int slot = 0; slot < kSlotCount; ++slot) {
    pending.push_back(client.Evaluate(Increment(), KeyIn(slot), {"1"}, [&](Result<Reply> reply) {
      ++answered;
      EXPECT_EQ("1", TextOf(reply));
    }));
    if (slot % 500 == 0) loop.RunOnce(milliseconds(0));
  }
  ASSERT_TRUE(RunUntil([&] { return answered == kSlotCount; })) << answered;
  EXPECT_EQ(0u, client.counters().moved);
  EXPECT_EQ(3u + 1, client.counters().connects);  // and the seed
  EXPECT_EQ(1u, client.counters().topology_refreshes);
  int keys = 0;
  for (size_t i = 0; i < 3; ++i) keys += std::stoi(cluster->node(i).Ask({"DBSIZE"}));
  EXPECT_EQ(kSlotCount, keys);
}

// Slot 100 moves from its master to another while commands for its keys run all the time.
TEST_F(ClusterTest, ASlotMovesUnderWay) {
  constexpr int kSlot = 100;
  RedisServer& from = OwnerOf(kSlot);
  RedisServer& to = &from == &OwnerOf(16000) ? OwnerOf(8000) : OwnerOf(16000);
  const std::string from_id = from.Ask({"CLUSTER", "MYID"});
  const std::string to_id = to.Ask({"CLUSTER", "MYID"});
  const std::string slot = std::to_string(kSlot);
  std::vector<std::string> keys;
  for (int i = 0; i < 20; ++i) keys.push_back("{" + KeyIn(kSlot) + "}" + std::to_string(i));

  settings.deadline = milliseconds(2000);
  Client client(loop, settings);
  int sent = 0;
  int answered = 0;
  std::vector<std::unique_ptr<Pending>> pending;
  std::vector<std::string> errors;
  const auto send_all = [&] {
    for (const std::string& key : keys) {
      ++sent;
      pending.push_back(std::make_unique<Pending>(
          client.Evaluate(Increment(), key, {"1"}, [&](Result<Reply> reply) {
            ++answered;
            if (!reply.ok()) errors.push_back(reply.error().message);
          })));
    }
    loop.RunOnce(milliseconds(1));
  };
  const auto drain = [&] { return RunUntil([&] { return answered == sent; }); };

  for (int i = 0; i < 5; ++i) send_all();
  ASSERT_TRUE(drain());
  EXPECT_EQ(0u, client.counters().moved);
  EXPECT_EQ(0u, client.counters().asked);

  ASSERT_EQ("OK", to.Ask({"CLUSTER", "SETSLOT", slot, "IMPORTING", from_id}));
  ASSERT_EQ("OK", from.Ask({"CLUSTER", "SETSLOT", slot, "MIGRATING", to_id}));
  for (const std::string& key : keys) {
    send_all();
    const std::string moved =
        from.Ask({"MIGRATE", "127.0.0.1", std::to_string(to.port()), key, "0", "2000"});
    ASSERT_TRUE(moved == "OK") << moved;
    send_all();
  }
  ASSERT_TRUE(drain());
  EXPECT_GT(client.counters().asked, 0u);
  EXPECT_EQ(0u, client.counters().moved);
  ASSERT_EQ("OK", to.Ask({"CLUSTER", "SETSLOT", slot, "NODE", to_id}));
  ASSERT_EQ("OK", from.Ask({"CLUSTER", "SETSLOT", slot, "NODE", to_id}));
  for (int i = 0; i < 5; ++i) send_all();
  ASSERT_TRUE(drain());
  EXPECT_GT(client.counters().moved, 0u);

  // Once learned, nobody asks the old one any more.
  RunFor(milliseconds(300));
  const uint64_t moved = client.counters().moved;
  for (int i = 0; i < 5; ++i) send_all();
  ASSERT_TRUE(drain());
  EXPECT_EQ(moved, client.counters().moved);

  EXPECT_TRUE(errors.empty()) << errors.size() << " of " << sent << ", the first: " << errors[0];
  // Each ran exactly once.
  int total = 0;
  for (const std::string& key : keys) total += std::stoi(to.Ask({"GET", key}));
  EXPECT_EQ(sent, total);
}

TEST_F(ClusterTest, AWrongTopologyIsMendedByMoved) {
  Client client(loop, settings);
  ASSERT_TRUE(Do(client, "INCR", KeyIn(5000)).ok());
  RedisServer& from = OwnerOf(5000);
  RedisServer& to = OwnerOf(12000);
  const std::string to_id = to.Ask({"CLUSTER", "MYID"});
  for (RedisServer* one : {&to, &from}) {
    one->Ask({"DEL", KeyIn(5000)});
    ASSERT_EQ("OK", one->Ask({"CLUSTER", "SETSLOT", "5000", "NODE", to_id}));
  }
  EXPECT_EQ("1", TextOf(Do(client, "INCR", KeyIn(5000))));
  EXPECT_EQ(1u, client.counters().moved);
  EXPECT_EQ("2", TextOf(Do(client, "INCR", KeyIn(5000))));
  EXPECT_EQ(1u, client.counters().moved);
  EXPECT_TRUE(RunUntil([&] { return client.counters().topology_refreshes == 2; }));
}

TEST_F(ClusterTest, WithoutAnyNodeItFailsAtOnceAfterTheFirst) {
  const test::ReservedPort nobody;
  settings.servers = {EndpointOf(nobody.number())};
  settings.deadline = milliseconds(1000);
  Client client(loop, settings);
  Call first;
  first.pending = client.Execute("GET", "a", {}, first.Done());
  ASSERT_TRUE(RunUntil([&] { return first.done(); }));
  EXPECT_NE(std::string::npos, first.text().find("no node tells the topology")) << first.text();
  EXPECT_LE(first.took, milliseconds(200));
  Call second;
  second.pending = client.Execute("GET", "a", {}, second.Done());
  ASSERT_TRUE(RunUntil([&] { return second.done(); }));
  EXPECT_LE(second.took, milliseconds(50));
}

// The last two: they leave a Cluster with other masters.
TEST_F(ClusterTest, YAKilledMastersReplicaTakesOver) {
  settings.deadline = milliseconds(200);
  settings.breaker_failures = 1000000;
  Client client(loop, settings);
  constexpr int kSlot = 1000;
  ASSERT_TRUE(RunUntil([&] { return Do(client, "INCR", KeyIn(kSlot)).ok(); }));
  const std::string elsewhere = KeyIn(9000);
  ASSERT_TRUE(Do(client, "INCR", elsewhere).ok());
  const int dead = cluster->Owner(kSlot);
  ASSERT_GE(dead, 0);
  cluster->node(static_cast<size_t>(dead)).Kill();
  milliseconds longest{};
  int failures = 0;
  ASSERT_TRUE(RunUntil([&] {
    Call call;
    call.pending = client.Execute("INCR", KeyIn(kSlot), {}, call.Done());
    RunUntil([&] { return call.done(); });
    longest = std::max(longest, call.took);
    failures += !call.ok();
    return call.ok();
  })) << cluster->Logs();
  EXPECT_GT(failures, 0);
  EXPECT_LE(longest, milliseconds(300));  // the deadline, on a busy machine
  EXPECT_TRUE(Do(client, "INCR", elsewhere).ok());
  EXPECT_TRUE(cluster->node(static_cast<size_t>(dead)).Start());
  EXPECT_TRUE(RunUntil([&] { return Do(client, "INCR", KeyIn(kSlot)).ok(); }));
}

TEST_F(ClusterTest, ZAStoppedMastersReplicaTakesOver) {
  settings.deadline = milliseconds(200);
  settings.breaker_failures = 1000000;
  Client client(loop, settings);
  constexpr int kSlot = 9000;
  ASSERT_TRUE(RunUntil([&] { return Do(client, "INCR", KeyIn(kSlot)).ok(); }));
  const int owner = cluster->Owner(kSlot);
  ASSERT_GE(owner, 0);
  RedisServer& stopped = cluster->node(static_cast<size_t>(owner));
  stopped.Signal(SIGSTOP);
  milliseconds longest{};
  ASSERT_TRUE(RunUntil([&] {
    Call call;
    call.pending = client.Execute("INCR", KeyIn(kSlot), {}, call.Done());
    RunUntil([&] { return call.done(); });
    longest = std::max(longest, call.took);
    return call.ok();
  })) << cluster->Logs();
  EXPECT_LE(longest, milliseconds(300));
  stopped.Signal(SIGCONT);
  EXPECT_TRUE(RunUntil([&] { return Do(client, "INCR", KeyIn(kSlot)).ok(); }));
}

class ClusterTls : public RedisTest {};

// Certificates and names hold for nodes that were only learned.
TEST_F(ClusterTls, LearnedNodesAreVerifiedToo) {
  const test::TempDir files;
  const test::Certificate authority = test::Certificate::Authority("Test CA");
  authority.Write(files, "ca");
  authority.Issue("redis.test", {"redis.test"}).Write(files, "node");
  RedisCluster secure({"port 0", "tls-port %%PORT%%", "tls-cluster yes", "tls-replication yes",
                       "tls-auth-clients no", "tls-cert-file " + files.File("node.crt"),
                       "tls-key-file " + files.File("node.key"),
                       "tls-ca-cert-file " + files.File("ca.crt")});
  ASSERT_TRUE(secure.Start()) << secure.Logs();
  tls::ClientTlsOptions options;
  options.verify = true;
  options.trusted_certificate_file = files.File("ca.crt");
  const auto context = tls::ClientTlsContext::Create(options);
  ASSERT_TRUE(context.ok()) << context.error().message;
  Settings settings = SettingsFor(secure.node(0).port());
  settings.mode = Mode::kCluster;
  settings.tls = context.value().get();
  settings.tls_name = "redis.test";
  Client client(loop, settings);
  for (const char* key : {"a", "b", "c", "d", "e", "f"}) {
    EXPECT_EQ("1", TextOf(Do(client, "INCR", key)));
  }
  EXPECT_EQ(3u, client.counters().connects);
  // Without the name, each node is known by its address, which is in no certificate.
  settings.tls_name.clear();
  Client refused(loop, settings);
  EXPECT_NE(std::string::npos, TextOf(Do(refused, "INCR", "a")).find("does not match"));
}

}  // namespace
}  // namespace framewall::redis
