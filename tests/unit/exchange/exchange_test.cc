#include "proxy/exchange/exchange.h"

#include <gtest/gtest.h>

#include "proxy/config/template_parser.h"
#include "tests/unit/filter/exchange_testing.h"

namespace framewall::exchange {
namespace {

class ExchangeTest : public ::testing::Test {
 protected:
  // The templates are log_formats, so that their names are in the configuration's scope.
  Exchange& Load(const std::string& http, const std::string& text, std::string_view uri = "/") {
    testing_.Load(http + "\nlog_format own escape=none '" + text +
                  "';\nserver { listen 8080; location / {} }");
    return testing_.Request("/", uri);
  }
  const config::Template& Text() {
    return testing_.exchange().config.http.log_formats.back().format;
  }

  ExchangeTesting testing_;
};

TEST_F(ExchangeTest, ExpandJoinsItsParts) {
  Exchange& exchange = Load("", "a$uri:${arg_x}b", "/p?x=1");
  EXPECT_EQ(exchange.Expand(Text()), "a/p:1b");
  std::string out = ">";
  exchange.ExpandTo(Text(), out);
  EXPECT_EQ(out, ">a/p:1b");
}

TEST_F(ExchangeTest, ExpandOfAConstantIsTheConfigurationsText) {
  Exchange& exchange = Load("", "constant");
  EXPECT_EQ(exchange.Expand(Text()).data(), Text().constant_text().data());
}

TEST_F(ExchangeTest, AbsentExpandsToNothing) {
  EXPECT_EQ(Load("", "[$http_x$arg_a$1]").Expand(Text()), "[]");
}

TEST_F(ExchangeTest, AMapThatNamesItselfEnds) {
  Exchange& exchange = Load("map $b $a { default $b; } map $a $b { default $a; }", "$a");
  EXPECT_EQ(exchange.Expand(Text()), "");
  EXPECT_NE(testing_.log().find("cycle while evaluating a variable"), std::string::npos);
}

TEST_F(ExchangeTest, CapturesAreThoseOfTheLastMatchThatHasGroups) {
  Exchange& exchange = Load("", "$1-$2-$3");
  const auto with_groups = Regex::Compile("^/(a+)(x)?(b*)$", Regex::Case::kSensitive);
  const auto without = Regex::Compile("^/", Regex::Case::kSensitive);
  ASSERT_TRUE(with_groups.ok() && without.ok());
  config::RegexUse use;
  use.regex = &*with_groups;
  ASSERT_TRUE(exchange.MatchRegex(use, "/aab"));
  // $2 took no part in the match.
  EXPECT_EQ(exchange.Expand(Text()), "aa--b");
  EXPECT_FALSE(exchange.MatchRegex(use, "/c"));
  EXPECT_EQ(exchange.Expand(Text()), "aa--b");
  config::RegexUse plain;
  plain.regex = &*without;
  ASSERT_TRUE(exchange.MatchRegex(plain, "/zzz"));
  EXPECT_EQ(exchange.Expand(Text()), "--");
  EXPECT_EQ(exchange.Capture(9), "");
}

TEST_F(ExchangeTest, CapturesOutliveTheirSubject) {
  Exchange& exchange = Load("", "$1");
  const auto regex = Regex::Compile("(.+)", Regex::Case::kSensitive);
  ASSERT_TRUE(regex.ok());
  config::RegexUse use;
  use.regex = &*regex;
  {
    std::string subject = "gone";
    ASSERT_TRUE(exchange.MatchRegex(use, subject));
    subject.assign("xxxx");
  }
  EXPECT_EQ(exchange.Expand(Text()), "gone");
}

TEST_F(ExchangeTest, ResetForgetsTheRequestBefore) {
  Exchange& exchange = Load("", "$uri$args$remote_user$request_body$upstream_addr$status", "/p?a");
  exchange.remote_user = "u";
  exchange.remote_user_known = true;
  exchange.body_collected = true;
  ASSERT_TRUE(exchange.body.Append("body").ok());
  exchange.upstream.push_back({.address = "127.0.0.1:81"});
  exchange.response.status = 200;
  exchange.head_sent = true;
  exchange.client_address = *SocketAddress::Parse("192.0.2.1:1");
  EXPECT_EQ(exchange.Expand(Text()), "/paubody127.0.0.1:81200");
  exchange.Reset();
  EXPECT_EQ(exchange.Expand(Text()), "000");
  EXPECT_EQ(exchange.client_address, exchange.connection.peer);
  EXPECT_LE(exchange.arena.reserved(), 4096u);
}

TEST_F(ExchangeTest, TheStatusForTheLogIsWhatWasSentOrWouldHaveBeen) {
  Exchange& exchange = Load("", "");
  EXPECT_EQ(exchange.status_for_log(), 0);
  exchange.client_aborted = true;
  EXPECT_EQ(exchange.status_for_log(), 499);
  exchange.error_status = 408;
  EXPECT_EQ(exchange.status_for_log(), 408);
  exchange.response.status = 206;
  exchange.head_sent = true;
  EXPECT_EQ(exchange.status_for_log(), 206);
}

}  // namespace
}  // namespace framewall::exchange
