#include "proxy/base/clock.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <time.h>

namespace framewall {
namespace {

constexpr int64_t kRfcExample = 784111777;  // Sun, 06 Nov 1994 08:49:37 GMT

// Sets zone and time, and puts the zone back.
class ClockTest : public ::testing::Test {
 protected:
  void SetZone(const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
  }
  void SetTime(int64_t unix_seconds) {
    Now now;
    now.unix_milliseconds = unix_seconds * 1000 + 999;
    SetCachedNowForTest(now);
  }
  void TearDown() override {
    ::unsetenv("TZ");
    ::tzset();
    UpdateCachedNow();
  }
};

TEST_F(ClockTest, TextsInTheLocalZone) {
  SetZone("XXX-05:30");  // POSIX: 5.5 hours ahead
  SetTime(kRfcExample);
  EXPECT_EQ(CachedHttpDate(), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(CachedLogTime(), "06/Nov/1994:14:19:37 +0530");
  EXPECT_EQ(CachedIso8601(), "1994-11-06T14:19:37+05:30");
  EXPECT_EQ(CachedErrorTime(), "1994/11/06 14:19:37");
  EXPECT_EQ(CachedSyslogTime(), "Nov  6 14:19:37");
}

TEST_F(ClockTest, WestOfGreenwichIsNegative) {
  SetZone("XXX03:30");
  SetTime(kRfcExample);
  EXPECT_EQ(CachedLogTime(), "06/Nov/1994:05:19:37 -0330");
  EXPECT_EQ(CachedIso8601(), "1994-11-06T05:19:37-03:30");
}

TEST_F(ClockTest, TextsFollowTheSecond) {
  SetZone("UTC0");
  SetTime(kRfcExample);
  EXPECT_EQ(CachedErrorTime(), "1994/11/06 08:49:37");
  SetTime(kRfcExample + 1);
  EXPECT_EQ(CachedErrorTime(), "1994/11/06 08:49:38");
}

TEST_F(ClockTest, UpdateReplacesTheTestTime) {
  SetTime(0);
  EXPECT_EQ(CachedNow().unix_seconds(), 0);
  UpdateCachedNow();
  EXPECT_GT(CachedNow().unix_seconds(), kRfcExample);
  EXPECT_GT(CachedNow().steady.time_since_epoch().count(), 0);
}

TEST(HttpDate, Formats) {
  EXPECT_EQ(FormatHttpDate(kRfcExample), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(FormatHttpDate(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(FormatHttpDate(2145916555), "Thu, 31 Dec 2037 23:55:55 GMT");
}

TEST_F(ClockTest, ReadsAllThreeForms) {
  SetTime(kRfcExample);
  EXPECT_EQ(ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), kRfcExample);
  EXPECT_EQ(ParseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT"), kRfcExample);
  EXPECT_EQ(ParseHttpDate("Sun Nov  6 08:49:37 1994"), kRfcExample);
  EXPECT_EQ(ParseHttpDate("Wed Nov 16 08:49:37 1994"), kRfcExample + 10 * 86400);
}

TEST_F(ClockTest, TwoDigitYearIsAtMostFiftyYearsAhead) {
  SetTime(kRfcExample);  // 1994
  EXPECT_EQ(ParseHttpDate("Friday, 01-Jan-44 00:00:00 GMT"),
            ParseHttpDate("Fri, 01 Jan 1944 00:00:00 GMT"));
  SetTime(kRfcExample + 2 * 365 * 86400);  // 1996
  EXPECT_EQ(ParseHttpDate("Friday, 01-Jan-46 00:00:00 GMT"),
            ParseHttpDate("Fri, 01 Jan 1946 00:00:00 GMT"));
  SetTime(1700000000);  // 2023
  EXPECT_EQ(ParseHttpDate("Monday, 01-Jan-73 00:00:00 GMT"),
            ParseHttpDate("Mon, 01 Jan 2073 00:00:00 GMT"));
  EXPECT_EQ(ParseHttpDate("Tuesday, 01-Jan-74 00:00:00 GMT"),
            ParseHttpDate("Tue, 01 Jan 1974 00:00:00 GMT"));
}

TEST(HttpDate, RefusesWhatIsNoDate) {
  for (std::string_view text :
       {"", "0", "Sun", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Abc 1994 08:49:37 GMT",
        "Thu, 29 Feb 1900 00:00:00 GMT", "Sun, 06 Nov -994 08:49:37 GMT"}) {
    EXPECT_FALSE(ParseHttpDate(text)) << text;
  }
  EXPECT_TRUE(ParseHttpDate("Thu, 29 Feb 1996 00:00:00 GMT"));
  EXPECT_EQ(ParseHttpDate("Wed, 31 Dec 1969 23:59:59 GMT"), -1);
}

TEST(HttpDate, ReadsWhatItFormats) {
  for (int64_t time = -86400; time < 4102444800; time += 86399 * 37) {
    EXPECT_EQ(ParseHttpDate(FormatHttpDate(time)), time);
  }
}

TEST(CookieDate, TwoDigitsUntil2037) {
  EXPECT_EQ(FormatCookieDate(1290079655), "Thu, 18-Nov-10 11:27:35 GMT");
  EXPECT_EQ(FormatCookieDate(2145916799), "Thu, 31-Dec-37 23:59:59 GMT");
  EXPECT_EQ(FormatCookieDate(2145916800), "Fri, 01-Jan-2038 00:00:00 GMT");
}

}  // namespace
}  // namespace framewall
