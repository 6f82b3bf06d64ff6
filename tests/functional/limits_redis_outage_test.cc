// limit_req while its Redis dies, hangs, comes back, forgets scripts, fails over or loses a slot:
// what the zone's redis_down says, how long requests wait, and that it is said once.
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/functional/limits_testing.h"

namespace framewall::test {
namespace {

using Clock = PacedLoad::Clock;

constexpr int kRate = 20;      // of the zones
constexpr int kOffered = 100;  // requests a second
constexpr auto kTimeout = 250ms;
// What a busy machine may add to a wait.
constexpr auto kSlack = 250ms;

// Zones a (local), b (pass) and c (refuse), each with its location.
std::string Outage(const std::string& redis, int workers = 1) {
  return LimitConfig(redis + " timeout 250ms; max_fails 3; fail_timeout 300ms;",
                     "limit_req_zone $arg_k zone=a:1m rate=20r/s redis=edge;\n"
                     "limit_req_zone $arg_k zone=b:1m rate=20r/s redis=edge redis_down=pass;\n"
                     "limit_req_zone $arg_k zone=c:1m rate=20r/s redis=edge redis_down=refuse;",
                     "location /local { empty_gif; limit_req zone=a burst=5 nodelay; }\n"
                     "location /pass { empty_gif; limit_req zone=b burst=5 nodelay; }\n"
                     "location /refuse { empty_gif; limit_req zone=c burst=5 nodelay; }",
                     workers);
}

std::string Server(const RedisServer& redis) { return "server " + redis.address() + ";"; }

// What passed in a part of the load, as a rate.
double Rate(const PacedLoad::Result& result, Clock::time_point from, Clock::time_point to) {
  return static_cast<double>(result.CountBetween(200, from, to)) /
         std::chrono::duration<double>(to - from).count();
}

struct Policy {
  std::string path;
  std::string zone;
};

// A load through the outage that `begin` makes and `end` mends: how the zone decides before, while
// and after.
class LimitsOutage : public ::testing::TestWithParam<Policy> {
 protected:
  template <class Begin, class End>
  void Run(Begin begin, End end) {
    ASSERT_TRUE(redis_.Start()) << redis_.Log();
    ProxyProcess proxy(Outage(Server(redis_)));
    ASSERT_TRUE(proxy.Start()) << proxy.Output();
    PacedLoad load({.ports = {proxy.port(0)},
                    .path = GetParam().path + "?k=1",
                    .per_second = kOffered,
                    .duration = 7s,
                    .connections = 40});
    const auto start = Clock::now();
    std::this_thread::sleep_for(1500ms);
    const auto down = Clock::now();
    begin(redis_);
    std::this_thread::sleep_for(2500ms);
    const auto up = Clock::now();
    end(redis_);
    const bool is_back = proxy.WaitForLog("is back in service");
    const auto back = Clock::now();
    const PacedLoad::Result result = load.Wait();
    ASSERT_TRUE(is_back) << proxy.Log();
    const auto over = start + 7s;
    ASSERT_LT(back, over - 1s) << "a second to see that Redis decides again";

    EXPECT_EQ(result.Count(200) + result.Count(429), result.samples.size());
    EXPECT_LE(result.Slowest(), kTimeout + kSlack);
    // The breaker's failures apart nobody waits at all.
    EXPECT_LE(result.Quantile(0.5), kSlack / 5);
    EXPECT_NEAR(Rate(result, start, down), kRate, 0.3 * kRate + 5);
    const double while_down = Rate(result, down + 500ms, up);
    if (GetParam().path == "/local") {
      EXPECT_NEAR(while_down, kRate, 0.3 * kRate + 3);
    } else if (GetParam().path == "/pass") {
      EXPECT_GT(while_down, 0.8 * kOffered);
    } else {
      EXPECT_EQ(while_down, 0);
    }
    EXPECT_NEAR(Rate(result, back + 100ms, over), kRate, 0.3 * kRate + 5);

    EXPECT_EQ(proxy.CountInLog("redis \"edge\" is out of service"), 1u) << proxy.Log();
    EXPECT_EQ(proxy.CountInLog("redis \"edge\" is back in service"), 1u);
    // Counted always: about what was offered while it was down.
    const auto missed =
        Metric(proxy, "framewall_limit_redis_down_total", "zone=\"" + GetParam().zone + "\"");
    EXPECT_GE(missed, 0.6 * 2.5 * kOffered);
    EXPECT_LE(missed, static_cast<int64_t>(result.samples.size()));
  }

  RedisServer redis_;
};

TEST_P(LimitsOutage, KilledAndStartedAgain) {
  Run([](RedisServer& redis) { redis.Kill(); },
      [](RedisServer& redis) { ASSERT_TRUE(redis.Start()); });
}

TEST_P(LimitsOutage, StoppedAndContinued) {
  Run([](RedisServer& redis) { redis.Signal(SIGSTOP); },
      [](RedisServer& redis) { redis.Signal(SIGCONT); });
}

INSTANTIATE_TEST_SUITE_P(Policies, LimitsOutage,
                         ::testing::Values(Policy{"/local", "a"}, Policy{"/pass", "b"},
                                           Policy{"/refuse", "c"}),
                         [](const auto& one) { return one.param.path.substr(1); });

TEST(LimitsRedisLost, DecidesWithoutARedisThatNeverWas) {
  const ReservedPort nobody;
  ProxyProcess proxy(Outage("server 127.0.0.1:" + std::to_string(nobody.number()) + ";"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const auto passed = [&](const std::string& path) {
    int count = 0;
    for (int i = 0; i < 20; ++i) count += Get(proxy.port(0), path + "?k=1").status() == 200;
    return count;
  };
  EXPECT_EQ(passed("/pass"), 20);
  EXPECT_EQ(passed("/refuse"), 0);
  EXPECT_GE(passed("/local"), 6) << "the burst and one";
  EXPECT_TRUE(proxy.WaitForLog("limiting requests, redis \"edge\" does not answer, by zone \"c\""));
  EXPECT_EQ(Metric(proxy, "framewall_limit_redis_down_total", "zone="), 60);
}

TEST(LimitsRedisLost, AReloadGivesUpNoRequestThatWaits) {
  RedisServer redis;
  ASSERT_TRUE(redis.Start());
  ProxyProcess proxy(Outage(Server(redis), 2));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  PacedLoad load({.ports = {proxy.port(0)},
                  .path = "/refuse?k=1",
                  .per_second = kOffered,
                  .duration = 3s,
                  .connections = 10});
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(500ms);
    ASSERT_TRUE(proxy.Reload()) << proxy.Output();
  }
  const PacedLoad::Result result = load.Wait();
  // Keep-alive connections end with their workers, which a client may notice too late.
  EXPECT_LE(result.Count(0), 30u);
  EXPECT_NEAR(static_cast<double>(result.Count(200)), 3 * kRate + 5, 15);
}

TEST(LimitsRedisLost, ForgottenScriptsAreNoticedByNobody) {
  RedisServer redis;
  ASSERT_TRUE(redis.Start());
  ProxyProcess proxy(Outage(Server(redis), 2));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  PacedLoad load({.ports = {proxy.port(0)},
                  .path = "/refuse?k=1",
                  .per_second = kOffered,
                  .duration = 3s,
                  .connections = 10});
  for (int i = 0; i < 25; ++i) {
    std::this_thread::sleep_for(100ms);
    EXPECT_EQ(redis.Ask({"SCRIPT", "FLUSH"}), "OK");
  }
  const PacedLoad::Result result = load.Wait();
  EXPECT_EQ(result.Count(200) + result.Count(429), result.samples.size());
  EXPECT_NEAR(static_cast<double>(result.Count(200)), 3 * kRate + 5, 8);
  EXPECT_EQ(Metric(proxy, "framewall_limit_redis_down_total", "zone="), 0);
  EXPECT_EQ(proxy.CountInLog("out of service"), 0u);
}

TEST(LimitsRedisLost, SentinelsNameAnotherMaster) {
  RedisServer master;
  ASSERT_TRUE(master.Start());
  RedisServer replica({"replicaof 127.0.0.1 " + std::to_string(master.port())});
  ASSERT_TRUE(replica.Start());
  ASSERT_TRUE(replica.AskUntil({"INFO", "replication"}, "master_link_status:up"));
  std::vector<std::unique_ptr<RedisServer>> sentinels;
  std::string servers;
  for (int i = 0; i < 3; ++i) {
    sentinels.push_back(std::make_unique<RedisServer>(
        std::vector<std::string>{
            "sentinel monitor main 127.0.0.1 " + std::to_string(master.port()) + " 2",
            "sentinel down-after-milliseconds main 1000", "sentinel failover-timeout main 5000"},
        RedisServer::Kind::kSentinel));
    ASSERT_TRUE(sentinels.back()->Start()) << sentinels.back()->Log();
    servers += "server " + sentinels.back()->address() + ";";
  }
  for (const auto& sentinel : sentinels) {
    ASSERT_TRUE(sentinel->AskUntil({"SENTINEL", "MASTER", "main"}, "num-other-sentinels, 2"));
    ASSERT_TRUE(sentinel->AskUntil({"SENTINEL", "MASTER", "main"}, "num-slaves, 1"));
  }
  ProxyProcess proxy(Outage("sentinel main;" + servers));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  PacedLoad load({.ports = {proxy.port(0)},
                  .path = "/local?k=1",
                  .per_second = kOffered,
                  .duration = 40s,
                  .connections = 40});
  std::this_thread::sleep_for(1s);
  EXPECT_EQ(Metric(proxy, "framewall_limit_redis_down_total", "zone="), 0);
  master.Kill();
  EXPECT_TRUE(replica.AskUntil({"ROLE"}, "[master", 25s));
  const bool is_back = proxy.WaitForLog("is back in service");
  const auto back = Clock::now();
  const auto missed = Metric(proxy, "framewall_limit_redis_down_total", "zone=");
  std::this_thread::sleep_for(2s);
  load.Stop();
  const PacedLoad::Result result = load.Wait();
  ASSERT_TRUE(is_back) << proxy.Log();
  EXPECT_GT(missed, 0);
  EXPECT_EQ(Metric(proxy, "framewall_limit_redis_down_total", "zone="), missed);
  EXPECT_EQ(result.Count(200) + result.Count(429), result.samples.size());
  EXPECT_LE(result.Slowest(), kTimeout + kSlack);
  // All the time: by Redis, by this machine, by the new master.
  EXPECT_NEAR(Rate(result, back + 100ms, back + 2s), kRate, 0.3 * kRate + 5);
  EXPECT_NEAR(static_cast<double>(result.Count(200)), kRate * result.seconds,
              0.3 * kRate * result.seconds);
  EXPECT_NE(replica.Ask({"KEYS", "framewall:limit:a:*"}), "[]");
}

class LimitsCluster : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(cluster_.Start()) << cluster_.Logs();
    proxy_ = std::make_unique<ProxyProcess>(
        Outage("cluster on; server " + cluster_.node(0).address() + "; server " +
               cluster_.node(1).address() + "; server " + cluster_.node(2).address() + ";"));
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
    // The key shows its slot.
    ASSERT_EQ(Get(proxy_->port(0), "/local?k=1").status(), 200);
    for (size_t i = 0; i < 3; ++i) {
      const std::string keys = cluster_.node(i).Ask({"KEYS", "framewall:limit:a:*"});
      if (keys.size() <= 2) continue;
      owner_ = i;
      key_ = keys.substr(1, keys.size() - 2);
      slot_ = std::stoi(cluster_.node(i).Ask({"CLUSTER", "KEYSLOT", key_}));
    }
    ASSERT_FALSE(key_.empty());
  }
  int64_t Missed() { return Metric(*proxy_, "framewall_limit_redis_down_total", "zone="); }

  RedisCluster cluster_;
  std::unique_ptr<ProxyProcess> proxy_;
  size_t owner_ = 0;
  std::string key_;
  int slot_ = -1;
};

TEST_F(LimitsCluster, LosesTheMasterOfAKey) {
  PacedLoad load({.ports = {proxy_->port(0)},
                  .path = "/local?k=1",
                  .per_second = kOffered,
                  .duration = 40s,
                  .connections = 40});
  std::this_thread::sleep_for(1s);
  EXPECT_EQ(Missed(), 0);
  cluster_.node(owner_).Kill();
  const size_t witness = (owner_ + 1) % 3;
  EXPECT_TRUE(Eventually(
      [&] { return cluster_.Owner(slot_, witness) == static_cast<int>(owner_) + 3; }, 25s))
      << cluster_.Logs();
  // Until no more decisions are missed.
  int64_t missed = -1;
  EXPECT_TRUE(Eventually([&] {
    const int64_t before = std::exchange(missed, Missed());
    std::this_thread::sleep_for(500ms);
    return before == missed;
  }));
  const auto back = Clock::now();
  std::this_thread::sleep_for(2s);
  load.Stop();
  const PacedLoad::Result result = load.Wait();
  EXPECT_GT(missed, 0);
  EXPECT_EQ(Missed(), missed);
  EXPECT_EQ(result.Count(200) + result.Count(429), result.samples.size());
  EXPECT_LE(result.Slowest(), kTimeout + kSlack);
  EXPECT_NEAR(Rate(result, back, back + 2s), kRate, 0.3 * kRate + 5);
}

TEST_F(LimitsCluster, MovesTheSlotOfAKeyUnderLoad) {
  PacedLoad load({.ports = {proxy_->port(0)},
                  .path = "/refuse?k=1",
                  .per_second = kOffered,
                  .duration = 4s,
                  .connections = 20});
  std::this_thread::sleep_for(1s);
  // Zone c's key, in its own slot.
  std::string key;
  size_t from = 0;
  for (size_t i = 0; i < 3; ++i) {
    const std::string keys = cluster_.node(i).Ask({"KEYS", "framewall:limit:c:*"});
    if (keys.size() > 2) {
      key = keys.substr(1, keys.size() - 2);
      from = i;
    }
  }
  ASSERT_FALSE(key.empty());
  const std::string slot = cluster_.node(from).Ask({"CLUSTER", "KEYSLOT", key});
  const size_t to = (from + 1) % 3;
  RedisServer& source = cluster_.node(from);
  RedisServer& sink = cluster_.node(to);
  EXPECT_EQ(sink.Ask({"CLUSTER", "SETSLOT", slot, "IMPORTING", cluster_.id(from)}), "OK");
  EXPECT_EQ(source.Ask({"CLUSTER", "SETSLOT", slot, "MIGRATING", cluster_.id(to)}), "OK");
  std::this_thread::sleep_for(200ms);
  source.Ask({"MIGRATE", "127.0.0.1", std::to_string(sink.port()), key, "0", "2000"});
  std::this_thread::sleep_for(500ms);  // ASK is followed meanwhile
  for (RedisServer* node : {&sink, &source}) {
    EXPECT_EQ(node->Ask({"CLUSTER", "SETSLOT", slot, "NODE", cluster_.id(to)}), "OK");
  }
  const PacedLoad::Result result = load.Wait();
  EXPECT_EQ(result.Count(200) + result.Count(429), result.samples.size());
  EXPECT_LE(result.Slowest(), kTimeout + kSlack);
  // redis_down=refuse: a decision that was missed would not pass; none was missed.
  EXPECT_EQ(Missed(), 0);
  EXPECT_NEAR(static_cast<double>(result.Count(200)), 4 * kRate + 5, 12);
  EXPECT_EQ(source.Ask({"KEYS", "framewall:limit:c:*"}), "[]");
}

}  // namespace
}  // namespace framewall::test
