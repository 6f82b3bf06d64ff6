#include "proxy/filter/limit_req.h"

#include <gtest/gtest.h>

#include "proxy/base/clock.h"
#include "proxy/filter/headers.h"
#include "proxy/filter/limit_zone.h"
#include "tests/unit/filter/exchange_testing.h"

namespace framewall::filter {
namespace {

// Zones in a configuration, and a clock that stands still until it is moved.
class LimitReq : public ::testing::Test {
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
    now.unix_milliseconds = ms;
    SetCachedNowForTest(now);
  }
  void Pass(int64_t ms) { Set(now_ms_ + ms); }

  // $limit_req_status of a request, and what its filter says: "PASSED", "REJECTED 503", "DELAYED".
  std::string Ask(std::string_view location, std::string_view uri) {
    return AskAgain(testing_.Request(location, uri));
  }
  std::string AskAgain(exchange::Exchange& exchange) {
    const auto filter = MakeLimitReq(exchange, services_);
    std::string text(exchange.limit_req_status);
    if (filter == nullptr) return text;
    const Verdict verdict = filter->OnRequestHead(exchange);
    if (verdict.kind == Verdict::Kind::kRespond) text += " " + std::to_string(verdict.status);
    if (verdict.kind == Verdict::Kind::kPause) text += " pause";
    return text;
  }

  ExchangeTesting testing_;
  std::unique_ptr<LimitZones> zones_;
  FilterServices services_;
  int64_t now_ms_ = 0;
};

constexpr std::string_view kServer = R"(
    limit_req_zone $arg_a zone=a:32k rate=2r/s;
    limit_req_zone $arg_b zone=b:32k rate=1r/m;
    server {
      listen 127.0.0.1:8080;
      location /plain { limit_req zone=a; }
      location /now { limit_req zone=a burst=2 nodelay; }
      location /burst { limit_req zone=a burst=2; }
      location /delay { limit_req zone=a burst=2 delay=1; }
      location /both { limit_req zone=a burst=1; limit_req zone=b burst=1; }
      location /dry { limit_req zone=a burst=1; limit_req_dry_run on; }
      location /own { limit_req zone=a; limit_req_status 429; limit_req_log_level notice; }
      location /free { }
    })";

TEST_F(LimitReq, RefusesAboveTheRate) {
  Load(kServer);
  EXPECT_EQ(Ask("/plain", "/?a=1"), "PASSED");
  EXPECT_EQ(Ask("/plain", "/?a=1"), "REJECTED 503");
  EXPECT_EQ(testing_.log(), "[error] limiting requests, excess: 1.000 by zone \"a\"\n");
  Pass(499);
  EXPECT_EQ(Ask("/plain", "/?a=1"), "REJECTED 503");
  Pass(1);
  EXPECT_EQ(Ask("/plain", "/?a=1"), "PASSED");
}

TEST_F(LimitReq, CountsEachKeyForItself) {
  Load(kServer);
  EXPECT_EQ(Ask("/plain", "/?a=1"), "PASSED");
  EXPECT_EQ(Ask("/plain", "/?a=2"), "PASSED");
  const std::string longer(200, 'x');
  EXPECT_EQ(Ask("/plain", "/?a=" + longer + "1"), "PASSED");
  EXPECT_EQ(Ask("/plain", "/?a=" + longer + "2"), "PASSED");
  EXPECT_EQ(Ask("/plain", "/?a=" + longer), "PASSED");
  EXPECT_EQ(Ask("/plain", "/?a=" + longer + "1"), "REJECTED 503");
}

TEST_F(LimitReq, DoesNotCountAnEmptyKey) {
  Load(kServer);
  EXPECT_EQ(Ask("/plain", "/"), "");
  EXPECT_EQ(Ask("/plain", "/"), "");
  EXPECT_EQ(Ask("/free", "/?a=1"), "");
}

TEST_F(LimitReq, DoesNotCountRefusals) {
  Load(kServer);
  Ask("/plain", "/?a=1");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Ask("/plain", "/?a=1"), "REJECTED 503");
  Pass(500);
  EXPECT_EQ(Ask("/plain", "/?a=1"), "PASSED");
}

TEST_F(LimitReq, LetsABurstPassAtOnceWithNodelay) {
  Load(kServer);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Ask("/now", "/?a=1"), "PASSED");
  EXPECT_EQ(Ask("/now", "/?a=1"), "REJECTED 503");
}

TEST_F(LimitReq, DelaysABurst) {
  Load(kServer);
  EXPECT_EQ(Ask("/burst", "/?a=1"), "PASSED");
  EXPECT_EQ(Ask("/burst", "/?a=1"), "DELAYED pause");
  EXPECT_EQ(Ask("/burst", "/?a=1"), "DELAYED pause");
  EXPECT_EQ(Ask("/burst", "/?a=1"), "REJECTED 503");
  EXPECT_EQ(testing_.log(),
            "[warn] delaying request, excess: 1.000, by zone \"a\"\n"
            "[warn] delaying request, excess: 2.000, by zone \"a\"\n"
            "[error] limiting requests, excess: 3.000 by zone \"a\"\n");
}

TEST_F(LimitReq, DelaysOnlyWhatIsAboveDelay) {
  Load(kServer);
  EXPECT_EQ(Ask("/delay", "/?a=1"), "PASSED");
  EXPECT_EQ(Ask("/delay", "/?a=1"), "PASSED");
  EXPECT_EQ(Ask("/delay", "/?a=1"), "DELAYED pause");
  EXPECT_EQ(Ask("/delay", "/?a=1"), "REJECTED 503");
}

TEST_F(LimitReq, ResumesWhenTheDelayIsOver) {
  Load(R"(
    limit_req_zone $arg_a zone=a:32k rate=1000r/s;
    server { listen 127.0.0.1:8080; location / { limit_req zone=a burst=5; } })");
  UpdateCachedNow();
  exchange::Exchange* exchange = &testing_.Request("/", "/?a=1");
  EXPECT_EQ(MakeLimitReq(*exchange, services_), nullptr);
  exchange = &testing_.Request("/", "/?a=1");
  const auto filter = MakeLimitReq(*exchange, services_);
  ASSERT_NE(filter, nullptr);
  EXPECT_EQ(filter->OnRequestHead(*exchange).kind, Verdict::Kind::kPause);
  EXPECT_TRUE(testing_.driver().calls.empty());
  while (testing_.driver().calls.empty()) {
    testing_.driver().loop().RunOnce(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(testing_.driver().calls.front(), "resume");
}

TEST_F(LimitReq, AsksAllZonesAndCountsOnlyWhereAllAgree) {
  Load(kServer);
  EXPECT_EQ(Ask("/both", "/?b=1"), "PASSED");
  EXPECT_EQ(Ask("/both", "/?a=1&b=1"), "DELAYED pause");
  EXPECT_EQ(testing_.log(), "[warn] delaying request, excess: 1.000, by zone \"b\"\n");
  // Refused by b, so not counted in a: there the key has one request so far, above the rate none.
  EXPECT_EQ(Ask("/both", "/?a=1&b=1"), "REJECTED 503");
  EXPECT_EQ(Ask("/both", "/?a=1"), "DELAYED pause");
  EXPECT_EQ(Ask("/both", "/?a=1"), "REJECTED 503");
}

TEST_F(LimitReq, OnlyLogsInADryRun) {
  Load(kServer);
  EXPECT_EQ(Ask("/dry", "/?a=1"), "PASSED");
  EXPECT_EQ(Ask("/dry", "/?a=1"), "DELAYED_DRY_RUN");
  EXPECT_EQ(Ask("/dry", "/?a=1"), "REJECTED_DRY_RUN");
  EXPECT_EQ(testing_.log(),
            "[warn] delaying request, dry run, excess: 1.000, by zone \"a\"\n"
            "[error] limiting requests, dry run, excess: 2.000 by zone \"a\"\n");
}

TEST_F(LimitReq, HasStatusAndLogLevelOfTheLocation) {
  Load(kServer);
  Ask("/own", "/?a=1");
  EXPECT_EQ(Ask("/own", "/?a=1"), "REJECTED 429");
  EXPECT_EQ(testing_.log(), "[notice] limiting requests, excess: 1.000 by zone \"a\"\n");
}

TEST_F(LimitReq, CountsAnExchangeOnce) {
  Load(kServer);
  exchange::Exchange& exchange = testing_.Request("/plain", "/?a=1");
  EXPECT_EQ(AskAgain(exchange), "PASSED");
  EXPECT_EQ(AskAgain(exchange), "PASSED");
  EXPECT_EQ(testing_.log(), "");
}

// Made of a claim, whatever its value.
constexpr std::string_view kTwoRows = R"(
    map $jwt_claim_sub $who { default $arg_user; }
    limit_req_zone $arg_a zone=address:32k rate=1r/s;
    limit_req_zone $who zone=user:32k rate=1r/s;
    server {
      listen 127.0.0.1:8080;
      location / { limit_req zone=user burst=1; limit_req zone=address burst=2 nodelay; }
    })";

TEST_F(LimitReq, CountsIdentityInARowOfItsOwn) {
  Load(kTwoRows);
  exchange::Exchange* exchange = &testing_.Request("/", "/?a=1&user=x");
  EXPECT_EQ(AskAgain(*exchange), "PASSED");
  EXPECT_EQ(MakeIdentityLimitReq(*exchange, services_), nullptr);
  EXPECT_EQ(exchange->limit_req_status, "PASSED");
  // Not verified: the first row counts it, the second has no key.
  exchange = &testing_.Request("/", "/?a=1");
  EXPECT_EQ(AskAgain(*exchange), "PASSED");
  EXPECT_EQ(MakeIdentityLimitReq(*exchange, services_), nullptr);
  // The worse of both rows is said.
  exchange = &testing_.Request("/", "/?user=x");
  EXPECT_EQ(AskAgain(*exchange), "");
  EXPECT_NE(MakeIdentityLimitReq(*exchange, services_), nullptr);
  EXPECT_EQ(exchange->limit_req_status, "DELAYED");
  exchange = &testing_.Request("/", "/?a=2&user=x");
  EXPECT_EQ(AskAgain(*exchange), "PASSED");
  const auto filter = MakeIdentityLimitReq(*exchange, services_);
  ASSERT_NE(filter, nullptr);
  EXPECT_EQ(filter->OnRequestHead(*exchange).status, 503);
  EXPECT_EQ(exchange->limit_req_status, "REJECTED");
  // Each row once.
  EXPECT_EQ(MakeIdentityLimitReq(*exchange, services_), nullptr);
}

constexpr std::string_view kTold = R"(
    limit_req_zone $arg_a zone=a:32k rate=2r/s;
    limit_req_zone $arg_b zone=b:32k rate=1r/m;
    server {
      listen 127.0.0.1:8080;
      limit_req_headers on;
      location /a { limit_req zone=a burst=4 nodelay; limit_req_status 429; }
      location /both { limit_req zone=a burst=4 nodelay; limit_req zone=b; }
      location /silent { limit_req zone=a burst=4 nodelay; limit_req_headers off; }
      location /dry { limit_req zone=a burst=4 nodelay; limit_req_dry_run on; }
    })";

TEST_F(LimitReq, TellsWhatIsLeft) {
  Load(kTold);
  const auto fields = [&](std::string_view location, std::string_view uri) {
    Ask(location, uri);
    ApplyHeaders(testing_.exchange());
    return testing_.Field("RateLimit-Policy") + " | " + testing_.Field("RateLimit") + " | " +
           testing_.Field("Retry-After");
  };
  // Five at once, which at 2r/s grow again in 2.5 seconds.
  EXPECT_EQ(fields("/a", "/?a=1"), "\"a\";q=5;w=3 | \"a\";r=4;t=1 | -");
  EXPECT_EQ(fields("/a", "/?a=1"), "\"a\";q=5;w=3 | \"a\";r=3;t=1 | -");
  EXPECT_EQ(fields("/a", "/?a=1"), "\"a\";q=5;w=3 | \"a\";r=2;t=2 | -");
  EXPECT_EQ(fields("/a", "/?a=1"), "\"a\";q=5;w=3 | \"a\";r=1;t=2 | -");
  EXPECT_EQ(fields("/a", "/?a=1"), "\"a\";q=5;w=3 | \"a\";r=0;t=1 | -");
  EXPECT_EQ(fields("/a", "/?a=1"), "\"a\";q=5;w=3 | \"a\";r=0;t=1 | 1");
  Pass(500);
  EXPECT_EQ(fields("/a", "/?a=1"), "\"a\";q=5;w=3 | \"a\";r=0;t=1 | -");

  EXPECT_EQ(fields("/both", "/?a=2&b=1"),
            "\"a\";q=5;w=3, \"b\";q=1;w=63 | \"a\";r=4;t=1, \"b\";r=0;t=63 | -");
  // Zone a was asked first and agreed; it has not counted the request that b refuses.
  EXPECT_EQ(fields("/both", "/?a=2&b=1"), "\"b\";q=1;w=63 | \"b\";r=0;t=63 | 63");
  EXPECT_EQ(fields("/silent", "/?a=3"), "- | - | -");
  EXPECT_EQ(fields("/dry", "/?a=3"), "- | - | -");
  EXPECT_EQ(fields("/a", "/"), "- | - | -") << "not counted";
}

TEST_F(LimitReq, CountsWhatBecameOfARequest) {
  Load(kServer);
  std::vector<int> counts(4);
  services_.count_limit = [&](int zone, LimitCount what) {
    EXPECT_EQ(zone, 0);
    ++counts[static_cast<size_t>(what)];
  };
  for (int i = 0; i < 5; ++i) Ask("/burst", "/?a=1");
  EXPECT_EQ(counts, (std::vector<int>{1, 2, 2, 0}));
}

TEST_F(LimitReq, TakesAClockThatIsALittleBackForNow) {
  Load(kServer);
  EXPECT_EQ(Ask("/now", "/?a=1"), "PASSED");
  Pass(-100);
  EXPECT_EQ(Ask("/now", "/?a=1"), "PASSED");
  Pass(100);
  EXPECT_EQ(Ask("/now", "/?a=1"), "PASSED");
  EXPECT_EQ(Ask("/now", "/?a=1"), "REJECTED 503");
}

TEST_F(LimitReq, ForgetsTheOldestWhenTheZoneIsFull) {
  Load(kServer);
  EXPECT_EQ(Ask("/plain", "/?a=first"), "PASSED");
  const size_t capacity = zones_->zone(0).capacity();
  for (size_t i = 1; i < capacity; ++i) Ask("/plain", "/?a=" + std::to_string(i));
  EXPECT_EQ(Ask("/plain", "/?a=first"), "REJECTED 503");
  // "first" is the newest now; one more and "1" has to go.
  EXPECT_EQ(Ask("/plain", "/?a=more"), "PASSED");
  EXPECT_EQ(Ask("/plain", "/?a=first"), "REJECTED 503");
  EXPECT_EQ(Ask("/plain", "/?a=2"), "REJECTED 503");
  EXPECT_EQ(Ask("/plain", "/?a=1"), "PASSED");
}

TEST_F(LimitReq, RefusesAKeyThatCannotFit) {
  Load(kServer);
  EXPECT_EQ(Ask("/plain", "/?a=1"), "PASSED");
  EXPECT_EQ(Ask("/plain", "/?a=" + std::string(60000, 'x')), "REJECTED 503");
  EXPECT_EQ(testing_.log(), "[alert] could not allocate node in limit_req zone \"a\"\n");
  // and nothing was thrown away for it
  EXPECT_EQ(Ask("/plain", "/?a=1"), "REJECTED 503");
}

TEST_F(LimitReq, DoesNotCountAKeyAboveItsLongest) {
  Load(kServer);
  EXPECT_EQ(Ask("/plain", "/?a=" + std::string(65536, 'x')), "");
  EXPECT_TRUE(testing_.log().starts_with(
      "[error] the value of the \"$arg_a\" key is more than 65535 bytes: \"xxx"));
}

TEST_F(LimitReq, RemembersOverAReload) {
  Load(kServer);
  EXPECT_EQ(Ask("/plain", "/?a=1"), "PASSED");
  Load(kServer);
  EXPECT_EQ(Ask("/plain", "/?a=1"), "REJECTED 503");
}

TEST_F(LimitReq, StartsAgainWhereTheZoneHasChanged) {
  const auto with = [](std::string zone) {
    return "limit_req_zone " + zone +
           " rate=1r/s; server { listen 127.0.0.1:8080; location / { limit_req zone=a; } }";
  };
  Load(with("$arg_a zone=a:32k"));
  EXPECT_EQ(Ask("/", "/?a=1"), "PASSED");
  Load(with("$arg_a zone=a:64k"));
  EXPECT_EQ(Ask("/", "/?a=1"), "PASSED");
  Load(with("x$arg_a zone=a:64k"));
  EXPECT_EQ(Ask("/", "/?a=1"), "PASSED");
  EXPECT_EQ(Ask("/", "/?a=1"), "REJECTED 503");
}

}  // namespace
}  // namespace framewall::filter
