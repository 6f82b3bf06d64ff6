// Choices of every method through a Group, as nginx makes them.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "proxy/base/clock.h"
#include "proxy/upstream/group.h"
#include "proxy/upstream/passive_health.h"
#include "proxy/upstream/peer_pool.h"

namespace framewall::upstream {
namespace {

config::UpstreamServer Server(std::string address) {
  config::UpstreamServer server;
  server.name = address;
  server.addresses = {*SocketAddress::Parse(address)};
  return server;
}

class BalancerTest : public testing::Test {
 protected:
  config::UpstreamServer& Add(std::string address) {
    config_.servers.push_back(Server(std::move(address)));
    return config_.servers.back();
  }
  void Make(config::BalancerKind kind = config::BalancerKind::kRoundRobin) {
    config_.name = "u";
    config_.balancer = kind;
    group_ = std::make_unique<Group>(config_, SharedGroup());
  }
  // The port of the first choice, released at once; 0: none.
  int Ask(std::string_view key = {}, std::string_view client = {}) {
    Selection selection;
    selection.key = key;
    if (!client.empty()) selection.client = *IpAddress::Parse(client);
    group_->Begin(selection);
    const Peer* peer = group_->Next(selection);
    const int port = peer == nullptr ? 0 : peer->address.port();
    group_->Release(selection, Group::Outcome::kGood);
    return port;
  }
  void FailOnce(int port) {
    Selection selection;
    group_->Begin(selection);
    while (Peer* peer = group_->Next(selection)) {
      const bool wanted = peer->address.port() == port;
      group_->Release(selection, wanted ? Group::Outcome::kFailed : Group::Outcome::kGood);
      if (wanted) return;
    }
    FAIL() << "port " << port << " was not offered";
  }
  void SetSeconds(int64_t seconds) {
    Now now = CachedNow();
    now.unix_milliseconds = seconds * 1000;
    SetCachedNowForTest(now);
  }

  config::UpstreamConfig config_;
  std::unique_ptr<Group> group_;
};

TEST_F(BalancerTest, SmoothsWeights) {
  Add("127.0.0.1:1").weight = 5;
  Add("127.0.0.1:2");
  Add("127.0.0.1:3");
  Make();
  std::string order;
  for (int i = 0; i < 7; ++i) order += std::to_string(Ask());
  EXPECT_EQ(order, "1121311");
}

TEST_F(BalancerTest, LeavesOutPeersThatAreDown) {
  Add("127.0.0.1:1").down = true;
  Add("127.0.0.1:2");
  Make();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Ask(), 2);
}

TEST_F(BalancerTest, UsesBackupsOnlyWithoutPrimaries) {
  Add("127.0.0.1:1");
  Add("127.0.0.1:2").backup = true;
  Make();
  EXPECT_EQ(Ask(), 1);
  SetSeconds(1000);
  FailOnce(1);
  EXPECT_EQ(Ask(), 2);
}

TEST_F(BalancerTest, TriesAFailedPeerAgainAfterItsTimeout) {
  Add("127.0.0.1:1");
  Add("127.0.0.1:2");
  Make();
  SetSeconds(1000);
  FailOnce(1);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Ask(), 2);
  SetSeconds(1010);  // fail_timeout is 10
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Ask(), 2);
  SetSeconds(1011);
  std::map<int, int> count;
  for (int i = 0; i < 4; ++i) ++count[Ask()];
  EXPECT_GE(count[1], 1);
}

TEST_F(BalancerTest, CountsFailuresUpToMaxFails) {
  Add("127.0.0.1:1").max_fails = 2;
  Add("127.0.0.1:2");
  Make();
  SetSeconds(1000);
  FailOnce(1);
  std::map<int, int> count;
  for (int i = 0; i < 10; ++i) ++count[Ask()];
  EXPECT_GT(count[1], 0);
}

TEST_F(BalancerTest, TheOnlyPeerIsAlwaysAsked) {
  Add("127.0.0.1:1");
  Make();
  SetSeconds(1000);
  for (int i = 0; i < 3; ++i) FailOnce(1);
  EXPECT_EQ(Ask(), 1);
}

TEST_F(BalancerTest, LimitsConnections) {
  Add("127.0.0.1:1").max_conns = 1;
  Add("127.0.0.1:2").max_conns = 1;
  Make();
  Selection first, second, third;
  for (Selection* selection : {&first, &second, &third}) group_->Begin(*selection);
  EXPECT_NE(group_->Next(first), nullptr);
  EXPECT_NE(group_->Next(second), nullptr);
  EXPECT_NE(first.current, second.current);
  EXPECT_EQ(group_->Next(third), nullptr);
  group_->Release(first, Group::Outcome::kGood);
  EXPECT_NE(group_->Next(third), nullptr);
}

TEST_F(BalancerTest, LeastConnPrefersTheIdle) {
  Add("127.0.0.1:1");
  Add("127.0.0.1:2");
  Make(config::BalancerKind::kLeastConn);
  Selection held;
  group_->Begin(held);
  const int busy = group_->Next(held)->address.port();
  for (int i = 0; i < 4; ++i) EXPECT_NE(Ask(), busy);
  group_->Release(held, Group::Outcome::kGood);
}

TEST_F(BalancerTest, OffersEveryPeerOnce) {
  for (const auto kind : {config::BalancerKind::kRoundRobin, config::BalancerKind::kLeastConn,
                          config::BalancerKind::kIpHash, config::BalancerKind::kHash,
                          config::BalancerKind::kConsistentHash, config::BalancerKind::kRandom,
                          config::BalancerKind::kRandomTwoLeastConn}) {
    config_.servers.clear();
    for (int i = 1; i <= 100; ++i) Add("127.0.0.1:" + std::to_string(i));
    Make(kind);
    Selection selection;
    selection.key = "key";
    group_->Begin(selection);
    EXPECT_EQ(selection.tries, 100);
    std::map<int, int> count;
    while (Peer* peer = group_->Next(selection)) {
      ++count[peer->address.port()];
      group_->Release(selection, Group::Outcome::kFailed);
    }
    EXPECT_EQ(count.size(), 100u);
    EXPECT_EQ(selection.tries, 0);
  }
}

TEST_F(BalancerTest, IpHashLooksAtTheNetworkOfV4) {
  for (int i = 1; i <= 5; ++i) Add("127.0.0.1:" + std::to_string(i));
  Make(config::BalancerKind::kIpHash);
  const int port = Ask({}, "10.1.2.3");
  EXPECT_EQ(Ask({}, "10.1.2.200"), port);
  // 89 -> (89*113+10)%6271=3796 -> (3796*113+1)%6271=2521 -> (2521*113+2)%6271=2680 -> %5 = 0
  EXPECT_EQ(port, 1);
}

TEST_F(BalancerTest, HashIsMemcacheds) {
  Add("127.0.0.1:1");
  Add("127.0.0.1:2");
  Add("127.0.0.1:3");
  Make(config::BalancerKind::kHash);
  // crc32("a") = e8b7be43: (e8b7be43 >> 16) & 7fff = 68b7 = 26807, % 3 = 2
  EXPECT_EQ(Ask("a"), 3);
  // crc32("b") = 71beeff9: 71be = 29118, % 3 = 0
  EXPECT_EQ(Ask("b"), 1);
}

TEST_F(BalancerTest, ConsistentHashMovesFewKeys) {
  for (int i = 1; i <= 4; ++i) Add("127.0.0.1:" + std::to_string(i));
  Make(config::BalancerKind::kConsistentHash);
  std::map<std::string, int> before;
  for (int i = 0; i < 1000; ++i) before["k" + std::to_string(i)] = Ask("k" + std::to_string(i));
  config_.servers.pop_back();
  Make(config::BalancerKind::kConsistentHash);
  for (const auto& [key, port] : before) {
    if (port == 4) continue;
    EXPECT_EQ(Ask(key), port) << key;
  }
}

TEST_F(BalancerTest, RandomRespectsWeights) {
  Add("127.0.0.1:1").weight = 9;
  Add("127.0.0.1:2");
  Make(config::BalancerKind::kRandom);
  std::map<int, int> count;
  for (int i = 0; i < 2000; ++i) ++count[Ask()];
  EXPECT_GT(count[1], 1600);
  EXPECT_GT(count[2], 50);
}

TEST_F(BalancerTest, RandomTwoAvoidsTheBusy) {
  Add("127.0.0.1:1");
  Add("127.0.0.1:2");
  Make(config::BalancerKind::kRandomTwoLeastConn);
  Selection held;
  group_->Begin(held);
  const int busy = group_->Next(held)->address.port();
  int chosen = 0;
  for (int i = 0; i < 50; ++i) chosen += Ask() == busy ? 1 : 0;
  // Only where twenty misses in a row left the choice to round robin.
  EXPECT_LE(chosen, 2);
  group_->Release(held, Group::Outcome::kGood);
}

TEST(SharedState, KeepsCountersOverAReload) {
  config::Config config;
  auto upstream = std::make_unique<config::UpstreamConfig>();
  upstream->name = "u";
  upstream->zone_name = "z";
  upstream->servers = {Server("127.0.0.1:1"), Server("127.0.0.1:2")};
  upstream->servers[1].weight = 3;
  config.http.upstreams.push_back(std::move(upstream));
  auto first = SharedState::Make(config, nullptr);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ((*first)->group(0).states[1].effective_weight, 3);
  (*first)->group(0).counters[1].requests = 7;
  auto second = SharedState::Make(config, first->get());
  ASSERT_TRUE(second.ok());
  EXPECT_EQ((*second)->group(0).counters[1].requests, 7u);
  EXPECT_EQ((*second)->group(0).counters[0].requests, 0u);
}

TEST(SharedState, ZoneSharesWhatGroupsKnow) {
  config::Config config;
  auto upstream = std::make_unique<config::UpstreamConfig>();
  upstream->name = "u";
  upstream->zone_name = "z";
  upstream->servers = {Server("127.0.0.1:1"), Server("127.0.0.1:2")};
  config.http.upstreams.push_back(std::move(upstream));
  auto shared = SharedState::Make(config, nullptr);
  ASSERT_TRUE(shared.ok());
  Group one(*config.http.upstreams[0], (*shared)->group(0));
  Group two(*config.http.upstreams[0], (*shared)->group(0));
  Selection a, b;
  one.Begin(a);
  two.Begin(b);
  EXPECT_EQ(one.Next(a)->address.port(), 1);
  EXPECT_EQ(two.Next(b)->address.port(), 2);
  one.Release(a, Group::Outcome::kGood);
  two.Release(b, Group::Outcome::kGood);
}

}  // namespace
}  // namespace framewall::upstream
