#include "proxy/filter/headers.h"

#include <gtest/gtest.h>

#include "proxy/base/clock.h"
#include "tests/unit/filter/exchange_testing.h"

namespace framewall::filter {
namespace {

class Headers : public ::testing::Test, public ExchangeTesting {
 protected:
  // 2026-11-20 12:00:00 UTC.
  static constexpr int64_t kNow = 1795176000;

  void SetUp() override {
    Now now;
    now.unix_milliseconds = kNow * 1000;
    SetCachedNowForTest(now);
  }
  void TearDown() override { UpdateCachedNow(); }
  void Configure(std::string_view directives) {
    Load("server { listen 8080; " + std::string(directives) + " }");
  }
  exchange::Exchange& Apply(int status = 200, std::string_view uri = "/t") {
    exchange::Exchange& exchange = Request("", uri);
    exchange.response.status = status;
    ApplyHeaders(exchange);
    return exchange;
  }
  // "Expires | Cache-Control"
  std::string Expires(std::string_view uri = "/t") {
    Apply(200, uri);
    return Field("Expires") + " | " + Field("Cache-Control");
  }
};

TEST_F(Headers, AddsForPlainStatusesOnly) {
  Configure("add_header X-Uri $uri; add_header X-Always a always;");
  for (const int status : {200, 201, 204, 206, 301, 302, 303, 304, 307, 308}) {
    Apply(status);
    EXPECT_EQ(Field("X-Uri"), "/t") << status;
    EXPECT_EQ(Field("X-Always"), "a") << status;
  }
  for (const int status : {202, 300, 305, 400, 404, 416, 500}) {
    Apply(status);
    EXPECT_EQ(Field("X-Uri"), "-") << status;
    EXPECT_EQ(Field("X-Always"), "a") << status;
  }
}

TEST_F(Headers, SkipsEmptyValuesAndAddsBesideOthers) {
  Configure(
      "add_header X-Empty $arg_none; add_header Cache-Control a; add_header Link l;"
      " add_header X-A 1; add_header X-A 2;");
  exchange::Exchange& exchange = Request("", "/t");
  exchange.response.fields.Add("Cache-Control", "upstream");
  ApplyHeaders(exchange);
  EXPECT_EQ(Field("X-Empty"), "-");
  EXPECT_EQ(exchange.response.fields.Count(http::FieldId::kCacheControl), 2u);
  EXPECT_EQ(Field("Link"), "l");
  EXPECT_EQ(exchange.response.fields.size(), 5u);
}

TEST_F(Headers, ReplacesValidators) {
  Configure("add_header Last-Modified 'Mon, 28 Sep 1970 06:00:00 GMT'; add_header ETag foo;");
  exchange::Exchange& exchange = Request("", "/t");
  exchange.response.fields.Add("ETag", "\"x\"");
  exchange.response.fields.Add("Last-Modified", "Tue, 29 Sep 1970 06:00:00 GMT");
  ApplyHeaders(exchange);
  EXPECT_EQ(Field("ETag"), "foo");
  EXPECT_EQ(Field("Last-Modified"), "Mon, 28 Sep 1970 06:00:00 GMT");
  EXPECT_EQ(exchange.response.fields.size(), 2u);
  EXPECT_EQ(exchange.last_modified, 23349600);
}

TEST_F(Headers, EmptyValidatorsAreRemoved) {
  Configure("add_header Last-Modified ''; add_header ETag foo; add_header ETag '';");
  exchange::Exchange& exchange = Request("", "/t");
  exchange.last_modified = 5;
  exchange.response.fields.Add("Last-Modified", "Tue, 29 Sep 1970 06:00:00 GMT");
  ApplyHeaders(exchange);
  EXPECT_TRUE(exchange.response.fields.empty());
  EXPECT_EQ(exchange.last_modified, -1);
}

TEST_F(Headers, ExpiresKnowsItsWords) {
  Configure("expires epoch;");
  EXPECT_EQ(Expires(), "Thu, 01 Jan 1970 00:00:01 GMT | no-cache");
  Configure("expires max;");
  EXPECT_EQ(Expires(), "Thu, 31 Dec 2037 23:55:55 GMT | max-age=315360000");
  Configure("expires off;");
  EXPECT_EQ(Expires(), "- | -");
  Configure("expires 0;");
  EXPECT_EQ(Expires(), "Fri, 20 Nov 2026 12:00:00 GMT | max-age=0");
  Configure("expires +1h;");
  EXPECT_EQ(Expires(), "Fri, 20 Nov 2026 13:00:00 GMT | max-age=3600");
  Configure("expires -1;");
  EXPECT_EQ(Expires(), "Fri, 20 Nov 2026 11:59:59 GMT | no-cache");
}

TEST_F(Headers, ExpiresIsForPlainStatusesOnly) {
  Configure("expires max;");
  Apply(404);
  EXPECT_EQ(Field("Expires"), "-");
}

TEST_F(Headers, ExpiresReplacesWhatTheUpstreamSaid) {
  Configure("expires 10;");
  exchange::Exchange& exchange = Request("", "/t");
  exchange.response.fields.Add("Cache-Control", "private");
  exchange.response.fields.Add("Cache-Control", "no-store");
  ApplyHeaders(exchange);
  EXPECT_EQ(exchange.response.fields.Count(http::FieldId::kCacheControl), 1u);
  EXPECT_EQ(Field("Cache-Control"), "max-age=10");
}

TEST_F(Headers, ExpiresFromTheModification) {
  Configure("expires modified 1h;");
  exchange::Exchange& exchange = Request("", "/t");
  exchange.last_modified = kNow - 600;
  ApplyHeaders(exchange);
  EXPECT_EQ(Field("Cache-Control"), "max-age=3000");
  Request("", "/t").last_modified = kNow - 3601;
  ApplyHeaders(this->exchange());
  EXPECT_EQ(Field("Cache-Control"), "no-cache");
  // Not known: from now.
  EXPECT_EQ(Expires(), "Fri, 20 Nov 2026 13:00:00 GMT | max-age=3600");
  Request("", "/t").response.fields.Add("Last-Modified", "Mon, 28 Sep 1970 06:00:00 GMT");
  ApplyHeaders(this->exchange());
  EXPECT_EQ(Field("Expires"), "Mon, 28 Sep 1970 07:00:00 GMT");
}

TEST_F(Headers, ExpiresDailyIsTheNextSuchTime) {
  ASSERT_EQ(setenv("TZ", "UTC", 1), 0);
  tzset();
  Configure("expires @15h30m33s;");
  EXPECT_EQ(Expires(), "Fri, 20 Nov 2026 15:30:33 GMT | max-age=12633");
  Configure("expires @12h;");
  EXPECT_EQ(Expires(), "Sat, 21 Nov 2026 12:00:00 GMT | max-age=86400");
  Configure("expires @0;");
  EXPECT_EQ(Expires(), "Sat, 21 Nov 2026 00:00:00 GMT | max-age=43200");
}

TEST_F(Headers, ExpiresReadsVariables) {
  Configure("expires $arg_e;");
  EXPECT_EQ(Expires("/t?e=epoch"), "Thu, 01 Jan 1970 00:00:01 GMT | no-cache");
  EXPECT_EQ(Expires("/t?e=2048"), "Fri, 20 Nov 2026 12:34:08 GMT | max-age=2048");
  EXPECT_EQ(Expires("/t?e=-2048"), "Fri, 20 Nov 2026 11:25:52 GMT | no-cache");
  for (const char* uri : {"/t", "/t?e=", "/t?e=bad", "/t?e=off", "/t?e=@25h", "/t?e=+-1"}) {
    EXPECT_EQ(Expires(uri), "- | -") << uri;
  }
  Configure("expires modified $arg_e;");
  for (const char* uri : {"/t?e=epoch", "/t?e=max", "/t?e=off", "/t?e=@1h"}) {
    EXPECT_EQ(Expires(uri), "- | -") << uri;
  }
}

TEST_F(Headers, TrailersFollowTheSameStatuses) {
  Configure(
      "add_trailer X-A $uri; add_trailer X-Empty ''; add_trailer X-B $sent_trailer_x_a;"
      " add_trailer X-Always y always;");
  exchange::Exchange& exchange = Request("", "/t");
  EXPECT_TRUE(WantsTrailers(exchange));
  http::HeaderMap trailers(&exchange.arena);
  CollectTrailers(exchange, trailers);
  EXPECT_EQ(trailers.Get("X-A"), "/t");
  EXPECT_EQ(trailers.Get("X-B"), "/t");
  EXPECT_EQ(trailers.size(), 3u);
  exchange.response.status = 404;
  EXPECT_TRUE(WantsTrailers(exchange));
  trailers.Clear();
  CollectTrailers(exchange, trailers);
  EXPECT_EQ(trailers.size(), 1u);
}

TEST_F(Headers, TrailersAreKeptForTheLog) {
  Configure("add_trailer X-A $uri;");
  exchange::Exchange& exchange = Request("", "/t");
  {
    http::HeaderMap trailers(&exchange.arena);
    CollectTrailers(exchange, trailers);
  }
  ASSERT_NE(exchange.sent_trailers, nullptr);
  EXPECT_EQ(exchange.sent_trailers->Get("X-A"), "/t");
}

TEST_F(Headers, NoTrailersWhereNoneWouldBeSent) {
  Configure("add_trailer X-A a;");
  EXPECT_FALSE(WantsTrailers(Apply(404)));
  EXPECT_TRUE(WantsTrailers(Apply(200)));
  Configure("");
  EXPECT_FALSE(WantsTrailers(Apply(200)));
}

}  // namespace
}  // namespace framewall::filter
