#include "proxy/route/rewrite_program.h"

#include <gtest/gtest.h>

#include <string>

#include "exchange_testing.h"

namespace framewall::route {
namespace {

class RewriteTest : public testing::Test {
 protected:
  // Runs the program of location / for a request; shows what came of it in a line.
  std::string Run(const std::string& program, const std::string& uri, const std::string& args = "",
                  std::vector<std::pair<std::string, std::string>> fields = {}) {
    testing_.Load("server { listen 127.0.0.1:80; location / { " + program + " } }");
    exchange::Exchange& exchange = testing_.Request("/", uri, std::move(fields));
    exchange.args = args;
    const RewriteOutcome outcome = RunRewrite(exchange, exchange.location->rewrite);
    const std::string text(outcome.text);
    switch (outcome.kind) {
      case RewriteOutcome::Kind::kRespond:
        return std::to_string(outcome.status);
      case RewriteOutcome::Kind::kText:
        return std::to_string(outcome.status) + " text " + text;
      case RewriteOutcome::Kind::kRedirect:
        return std::to_string(outcome.status) + " to " + text;
      case RewriteOutcome::Kind::kContinue:
        break;
    }
    std::string line(exchange.uri);
    if (!exchange.args.empty()) line += "?" + std::string(exchange.args);
    if (exchange.uri_changed) line += " again";
    return line;
  }

  ExchangeTesting testing_;
};

TEST_F(RewriteTest, LastLooksForTheLocationAgainAndBreakDoesNot) {
  EXPECT_EQ(Run("rewrite ^/a(.*) /b$1 last; return 500;", "/ax"), "/bx again");
  EXPECT_EQ(Run("rewrite ^/a(.*) /b$1 break; return 500;", "/ax"), "/bx");
  EXPECT_EQ(Run("rewrite ^/a /b; rewrite ^/b /c;", "/a"), "/c again");
  EXPECT_EQ(Run("rewrite ^/z /b last;", "/a"), "/a");
}

TEST_F(RewriteTest, TheQueryIsKeptUnlessItIsDropped) {
  EXPECT_EQ(Run("rewrite ^ /b break;", "/a", "x=1"), "/b?x=1");
  EXPECT_EQ(Run("rewrite ^ /b?y=2 break;", "/a", "x=1"), "/b?y=2&x=1");
  EXPECT_EQ(Run("rewrite ^ /b? break;", "/a", "x=1"), "/b");
  EXPECT_EQ(Run("rewrite ^ /b?y=2? break;", "/a", "x=1"), "/b?y=2");
}

TEST_F(RewriteTest, RedirectsByFlagAndByScheme) {
  EXPECT_EQ(Run("rewrite ^/(.*) https://e.com/$1;", "/a", "x=1"), "302 to https://e.com/a?x=1");
  EXPECT_EQ(Run("rewrite ^ /b permanent;", "/a"), "301 to /b");
  EXPECT_EQ(Run("rewrite ^ /b redirect;", "/a"), "302 to /b");
}

TEST_F(RewriteTest, AnEmptyUriIsAnError) {
  EXPECT_EQ(Run("rewrite ^/(.*)$ $1 break;", "/"), "500");
}

TEST_F(RewriteTest, ReturnInItsForms) {
  EXPECT_EQ(Run("return 404;", "/"), "404");
  EXPECT_EQ(Run("return 200 \"hi $uri\";", "/x"), "200 text hi /x");
  EXPECT_EQ(Run("return 308 /there;", "/"), "308 to /there");
  EXPECT_EQ(Run("return https://e.com/;", "/"), "302 to https://e.com/");
}

TEST_F(RewriteTest, ConditionsOfEveryKind) {
  EXPECT_EQ(Run("if ($args) { return 200 yes; }", "/", "1"), "200 text yes");
  EXPECT_EQ(Run("if ($args) { return 200 yes; }", "/", "0"), "/?0");
  EXPECT_EQ(Run("if ($args = a) { return 201; }", "/", "a"), "201");
  EXPECT_EQ(Run("if ($args != a) { return 201; }", "/", "a"), "/?a");
  EXPECT_EQ(Run("if ($args ~ ^(.)b) { return 200 $1; }", "/", "ab"), "200 text a");
  EXPECT_EQ(Run("if ($args !~* B) { return 201; }", "/", "ab"), "/?ab");
  EXPECT_EQ(Run("if (-d /) { return 201; }", "/"), "201");
  EXPECT_EQ(Run("if (!-e /no/such/file) { return 201; }", "/"), "201");
}

TEST_F(RewriteTest, SetIsSeenByWhatFollows) {
  EXPECT_EQ(Run("set $a 1; set $b $a$a; return 200 $b;", "/"), "200 text 11");
  EXPECT_EQ(Run("if ($args) { set $a in; } return 200 \"$a.\";", "/", "1"), "200 text in.");
}

TEST_F(RewriteTest, BreakEndsTheProgram) {
  EXPECT_EQ(Run("break; return 500;", "/a"), "/a");
  EXPECT_EQ(Run("if ($args) { break; } return 500;", "/a", "1"), "/a?1");
}

TEST_F(RewriteTest, NamedGroupsAreVariables) {
  EXPECT_EQ(Run("rewrite ^/(?<who>\\w+)$ /u; return 200 $who;", "/me"), "200 text me");
}

}  // namespace
}  // namespace framewall::route
