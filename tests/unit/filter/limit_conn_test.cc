#include "proxy/filter/limit_conn.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "proxy/base/clock.h"
#include "tests/unit/filter/exchange_testing.h"

namespace framewall::filter {
namespace {

using Outcome = CountedConnection::Outcome;

// A process id that is nobody's: of a child that is gone.
int32_t DeadProcess() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  return child;
}

// As if its process had died: it is never given back.
CountedConnection* Lost() {
  static auto* all = new std::vector<std::unique_ptr<CountedConnection>>;
  all->push_back(std::make_unique<CountedConnection>());
  return all->back().get();
}

class LimitConn : public ::testing::Test {
 protected:
  void Load(std::string_view http) {
    testing_.Load(http);
    testing_.Request("", "/");
    zones_ = std::move(LimitZones::Make(testing_.exchange().config.http, zones_.get())).value();
    services_.limit_zones = zones_.get();
    Set(1'000'000);
  }
  void Set(int64_t ms) {
    now_ms_ = ms;
    Now now;
    now.steady = SteadyTime(std::chrono::milliseconds(ms));
    SetCachedNowForTest(now);
  }
  void Pass(int64_t ms) { Set(now_ms_ + ms); }

  // The filter of a request that goes on; null where nothing is counted.
  std::unique_ptr<Filter> Open(std::string_view location, std::string_view uri,
                               std::string_view expected) {
    exchange::Exchange& exchange = testing_.Request(location, uri);
    auto filter = MakeLimitConn(exchange, services_);
    std::string text(exchange.limit_conn_status);
    if (filter != nullptr) {
      const Verdict verdict = filter->OnRequestHead(exchange);
      if (verdict.kind == Verdict::Kind::kRespond) text += " " + std::to_string(verdict.status);
    }
    EXPECT_EQ(text, expected) << uri;
    return filter;
  }

  ExchangeTesting testing_;
  std::unique_ptr<LimitZones> zones_;
  FilterServices services_;
  int64_t now_ms_ = 0;
};

constexpr std::string_view kServer = R"(
    limit_conn_zone $arg_a zone=a:32k;
    limit_conn_zone $arg_b zone=b:32k;
    server {
      listen 127.0.0.1:8080;
      location /one { limit_conn a 1; }
      location /two { limit_conn a 2; }
      location /both { limit_conn a 1; limit_conn b 1; }
      location /dry { limit_conn a 1; limit_conn_dry_run on; }
      location /own { limit_conn a 1; limit_conn_status 429; limit_conn_log_level info; }
    })";

TEST_F(LimitConn, RefusesAboveTheLimitUntilAnotherIsLogged) {
  Load(kServer);
  auto first = Open("/two", "/?a=1", "PASSED");
  auto second = Open("/two", "/?a=1", "PASSED");
  Open("/two", "/?a=1", "REJECTED 503");
  EXPECT_EQ(testing_.log(), "[error] limiting connections by zone \"a\"\n");
  first->OnLog(testing_.exchange());
  auto third = Open("/two", "/?a=1", "PASSED");
  Open("/two", "/?a=1", "REJECTED 503");
}

TEST_F(LimitConn, GivesTheCountBackWithoutALogPhaseToo) {
  Load(kServer);
  Open("/one", "/?a=1", "PASSED");
  Open("/one", "/?a=1", "PASSED");
}

TEST_F(LimitConn, CountsEachKeyForItselfAndEmptyOnesNever) {
  Load(kServer);
  auto first = Open("/one", "/?a=1", "PASSED");
  auto second = Open("/one", "/?a=2", "PASSED");
  EXPECT_EQ(Open("/one", "/", ""), nullptr);
  EXPECT_EQ(Open("/one", "/?a=" + std::string(256, 'x'), ""), nullptr);
  auto third = Open("/one", "/?a=" + std::string(255, 'x'), "PASSED");
  Open("/one", "/?a=" + std::string(255, 'x'), "REJECTED 503");
}

TEST_F(LimitConn, HoldsNothingOfARefusedExchange) {
  Load(kServer);
  auto first = Open("/both", "/?b=1", "PASSED");
  Open("/both", "/?a=1&b=1", "REJECTED 503");
  auto second = Open("/both", "/?a=1&b=2", "PASSED");
}

TEST_F(LimitConn, OnlyLogsInADryRun) {
  Load(kServer);
  auto first = Open("/one", "/?a=1", "PASSED");
  EXPECT_EQ(Open("/dry", "/?a=1", "REJECTED_DRY_RUN"), nullptr);
  EXPECT_EQ(testing_.log(), "[error] limiting connections, dry run, by zone \"a\"\n");
}

TEST_F(LimitConn, HasStatusAndLogLevelOfTheLocation) {
  Load(kServer);
  auto first = Open("/own", "/?a=1", "PASSED");
  Open("/own", "/?a=1", "REJECTED 429");
  EXPECT_EQ(testing_.log(), "[info] limiting connections by zone \"a\"\n");
}

TEST_F(LimitConn, CountsAnExchangeOnce) {
  Load(kServer);
  auto first = Open("/two", "/?a=1", "PASSED");
  EXPECT_EQ(MakeLimitConn(testing_.exchange(), services_), nullptr);
  auto second = Open("/two", "/?a=1", "PASSED");
}

TEST_F(LimitConn, CountsAllProcessesTogether) {
  Load(kServer);
  CountedConnection other;
  const pid_t parent = ::getppid();
  ASSERT_EQ(CountedConnection::Take(zones_->zone(0), "1", 1, parent, &other), Outcome::kCounted);
  Pass(5000);
  Open("/one", "/?a=1", "REJECTED 503");
}

TEST_F(LimitConn, DropsWhatADeadProcessHadCounted) {
  Load(kServer);
  LimitZone& zone = zones_->zone(0);
  {
    // A child takes and dies without giving back.
    const pid_t child = ::fork();
    if (child == 0) {
      CountedConnection::Take(zone, "1", 1, ::getpid(), Lost());
      ::_exit(0);
    }
    Open("/one", "/?a=none", "PASSED");
    ::waitpid(child, nullptr, 0);
  }
  Open("/one", "/?a=1", "REJECTED 503");
  Pass(999);
  Open("/one", "/?a=1", "REJECTED 503");
  Pass(1);
  auto first = Open("/one", "/?a=1", "PASSED");
}

TEST_F(LimitConn, DropsTheDeadWhenAWorkerStarts) {
  Load(kServer);
  LimitZone& zone = zones_->zone(0);
  CountedConnection living;
  ASSERT_EQ(CountedConnection::Take(zone, "dead", 1, DeadProcess(), Lost()), Outcome::kCounted);
  ASSERT_EQ(CountedConnection::Take(zone, "same", 1, ::getpid(), Lost()), Outcome::kCounted);
  ASSERT_EQ(CountedConnection::Take(zone, "living", 1, ::getppid(), &living), Outcome::kCounted);
  ForgetDeadConnections(*zones_, ::getpid());
  auto first = Open("/one", "/?a=dead", "PASSED");
  auto second = Open("/one", "/?a=same", "PASSED");
  Open("/one", "/?a=living", "REJECTED 503");
}

TEST_F(LimitConn, RefusesWhenTheZoneIsFull) {
  Load(kServer);
  LimitZone& zone = zones_->zone(0);
  std::vector<CountedConnection> all(zone.capacity());
  for (size_t i = 0; i < all.size(); ++i) {
    ASSERT_EQ(CountedConnection::Take(zone, std::to_string(i), 1, ::getpid(), &all[i]),
              Outcome::kCounted);
  }
  Open("/one", "/?a=new", "REJECTED 503");
  EXPECT_EQ(testing_.log(), "[crit] could not allocate node in limit_conn_zone \"a\"\n");
  all.pop_back();
  auto first = Open("/one", "/?a=new", "PASSED");
}

TEST_F(LimitConn, MakesRoomByDroppingTheDead) {
  Load(kServer);
  LimitZone& zone = zones_->zone(0);
  const int32_t dead = DeadProcess();
  for (size_t i = 0; i < zone.capacity(); ++i) {
    ASSERT_EQ(CountedConnection::Take(zone, std::to_string(i), 1, dead, Lost()), Outcome::kCounted);
  }
  auto first = Open("/one", "/?a=new", "PASSED");
}

TEST_F(LimitConn, StaysWholeUnderManyProcesses) {
  Load(kServer);
  LimitZone& zone = zones_->zone(0);
  std::vector<pid_t> children;
  for (unsigned i = 0; i < 3; ++i) {
    const pid_t child = ::fork();
    if (child != 0) {
      children.push_back(child);
      continue;
    }
    {
      unsigned random = i;
      std::vector<CountedConnection> held(100);
      for (int step = 0; step < 20000; ++step) {
        random = random * 1103515245 + 12345;
        CountedConnection& one = held[(random >> 16) % held.size()];
        one = CountedConnection();
        // Keys of one to four cells.
        std::string key = std::to_string((random >> 8) % 50);
        key.resize(1 + (random >> 12) % 200, 'x');
        CountedConnection fresh;
        if (CountedConnection::Take(zone, key, 2, ::getpid(), &fresh) == Outcome::kCounted) {
          one = std::move(fresh);
        }
      }
    }
    ::_exit(0);
  }
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(LimitZone::Access(zone).oldest(), 0u);
  // Every cell has come back.
  std::vector<CountedConnection> all(zone.capacity());
  for (size_t i = 0; i < all.size(); ++i) {
    ASSERT_EQ(CountedConnection::Take(zone, std::to_string(i), 1, ::getpid(), &all[i]),
              Outcome::kCounted);
  }
}

TEST_F(LimitConn, StartsAgainEmptyWhereAProcessDiedInside) {
  Load(kServer);
  LimitZone& zone = zones_->zone(0);
  auto before = Open("/one", "/?a=1", "PASSED");
  const pid_t child = ::fork();
  if (child == 0) {
    const LimitZone::Access inside(zone);
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  auto after = Open("/one", "/?a=1", "PASSED");
  EXPECT_EQ(testing_.log(),
            "[alert] a process died while it wrote in zone \"a\", which starts again empty\n");
  // What was counted before is not taken from what is counted now.
  before->OnLog(testing_.exchange());
  Open("/one", "/?a=1", "REJECTED 503");
}

}  // namespace
}  // namespace framewall::filter
