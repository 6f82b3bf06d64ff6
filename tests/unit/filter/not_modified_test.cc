#include "proxy/filter/not_modified.h"

#include <gtest/gtest.h>

#include "proxy/base/clock.h"
#include "tests/unit/filter/exchange_testing.h"

namespace framewall::filter {
namespace {

constexpr char kDate[] = "Mon, 28 Sep 1970 06:00:00 GMT";
constexpr char kBefore[] = "Mon, 28 Sep 1970 05:59:59 GMT";
constexpr char kAfter[] = "Mon, 28 Sep 1970 06:00:01 GMT";

class NotModified : public ::testing::Test, public ExchangeTesting {
 protected:
  void SetUp() override {
    Load(
        "server { listen 8080; location /exact { } location /before { if_modified_since before; }"
        " location /off { if_modified_since off; } }");
  }
  int Check(std::vector<std::pair<std::string, std::string>> fields,
            std::string_view location = "/exact") {
    exchange::Exchange& exchange = Request(location, "/", std::move(fields));
    exchange.last_modified = last_modified_;
    if (!etag_.empty()) exchange.response.fields.Add("ETag", etag_);
    return CheckNotModified(exchange);
  }
  std::string etag_ = "\"a\"";
  int64_t last_modified_ = *ParseHttpDate(kDate);
};

TEST_F(NotModified, PassesWithoutConditions) { EXPECT_EQ(Check({}), 0); }

TEST_F(NotModified, IfModifiedSinceHonoursItsMode) {
  EXPECT_EQ(Check({{"If-Modified-Since", kDate}}), 304);
  EXPECT_EQ(Check({{"If-Modified-Since", kAfter}}), 0);
  EXPECT_EQ(Check({{"If-Modified-Since", kBefore}}), 0);
  EXPECT_EQ(Check({{"If-Modified-Since", "yesterday"}}), 0);
  EXPECT_EQ(Check({{"If-Modified-Since", kAfter}}, "/before"), 304);
  EXPECT_EQ(Check({{"If-Modified-Since", kBefore}}, "/before"), 0);
  EXPECT_EQ(Check({{"If-Modified-Since", kDate}}, "/off"), 0);
  last_modified_ = -1;
  EXPECT_EQ(Check({{"If-Modified-Since", kDate}}), 0);
}

TEST_F(NotModified, IfNoneMatchComparesWeakly) {
  EXPECT_EQ(Check({{"If-None-Match", "\"a\""}}), 304);
  EXPECT_EQ(Check({{"If-None-Match", "W/\"a\""}}), 304);
  EXPECT_EQ(Check({{"If-None-Match", "*"}}), 304);
  EXPECT_EQ(Check({{"If-None-Match", "\"x\", \"y\", \t\"a\" , \"z\""}}), 304);
  EXPECT_EQ(Check({{"If-None-Match", "\"b\""}}), 0);
  EXPECT_EQ(Check({{"If-None-Match", "\"a\"x"}}), 0);
  EXPECT_EQ(Check({{"If-None-Match", "\"ab\""}}), 0);
  EXPECT_EQ(Check({{"If-None-Match", ""}}), 0);
  etag_ = "W/\"a\"";
  EXPECT_EQ(Check({{"If-None-Match", "\"a\""}}), 304);
  etag_ = "";
  EXPECT_EQ(Check({{"If-None-Match", "\"a\""}}), 0);
}

TEST_F(NotModified, ACommaInsideQuotesBelongsToTheTag) {
  etag_ = "\"a,b\"";
  EXPECT_EQ(Check({{"If-None-Match", "\"x\",\"a,b\""}}), 304);
  etag_ = "\"b\"";
  EXPECT_EQ(Check({{"If-None-Match", "\"a,\"b\""}}), 0);
}

TEST_F(NotModified, BothMustSayNotModified) {
  EXPECT_EQ(Check({{"If-Modified-Since", kDate}, {"If-None-Match", "\"a\""}}), 304);
  EXPECT_EQ(Check({{"If-Modified-Since", kAfter}, {"If-None-Match", "\"a\""}}), 0);
  EXPECT_EQ(Check({{"If-Modified-Since", kDate}, {"If-None-Match", "\"b\""}}), 0);
}

TEST_F(NotModified, IfMatchComparesStrongly) {
  EXPECT_EQ(Check({{"If-Match", "\"a\""}}), 0);
  EXPECT_EQ(Check({{"If-Match", "\"x\", \"a\""}}), 0);
  EXPECT_EQ(Check({{"If-Match", "*"}}), 0);
  EXPECT_EQ(Check({{"If-Match", "\"b\""}}), 412);
  EXPECT_EQ(Check({{"If-Match", "W/\"a\""}}), 412);
  etag_ = "";
  EXPECT_EQ(Check({{"If-Match", "\"a\""}}), 412);
}

TEST_F(NotModified, IfUnmodifiedSinceRefusesNewer) {
  EXPECT_EQ(Check({{"If-Unmodified-Since", kDate}}), 0);
  EXPECT_EQ(Check({{"If-Unmodified-Since", kAfter}}), 0);
  EXPECT_EQ(Check({{"If-Unmodified-Since", kBefore}}), 412);
  EXPECT_EQ(Check({{"If-Unmodified-Since", "never"}}), 412);
  last_modified_ = -1;
  EXPECT_EQ(Check({{"If-Unmodified-Since", kDate}}), 412);
}

}  // namespace
}  // namespace framewall::filter
