#include "proxy/route/location_tree.h"

#include <gtest/gtest.h>

#include <string>

#include "exchange_testing.h"

namespace framewall::route {
namespace {

class LocationTreeTest : public testing::Test {
 protected:
  void Load(const std::string& server) {
    testing_.Load("server { listen 127.0.0.1:80; " + server + " }");
  }

  // The name of the location that answers; "-" for none, "-> name" for a redirect there.
  std::string Find(const std::string& uri) {
    exchange::Exchange& exchange = testing_.Request("", uri);
    const LocationTree tree(exchange.server->root);
    const LocationTree::Answer answer = tree.Find(exchange, uri);
    if (answer.redirect_to != nullptr) return "-> " + answer.redirect_to->name;
    return answer.location == nullptr ? "-" : answer.location->name;
  }

  ExchangeTesting testing_;
};

TEST_F(LocationTreeTest, TakesTheLongestPrefix) {
  Load("location / {} location /a {} location /a/b/ {}");
  EXPECT_EQ(Find("/"), "/");
  EXPECT_EQ(Find("/ab"), "/a");
  EXPECT_EQ(Find("/a/b"), "/a");
  EXPECT_EQ(Find("/a/b/c"), "/a/b/");
}

TEST_F(LocationTreeTest, HasNoneWithoutAFit) {
  Load("location /a {}");
  EXPECT_EQ(Find("/b"), "-");
}

TEST_F(LocationTreeTest, ExactWinsOverEverything) {
  Load("location = /a {} location /a {} location ~ ^/a$ {}");
  EXPECT_EQ(testing_.Request("", "/a").server->root.locations.size(), 3u);
  EXPECT_EQ(Find("/a"), "/a");
  EXPECT_EQ(Find("/a/x"), "/a");
}

TEST_F(LocationTreeTest, RegexesComeInOrderAndBeforeThePrefix) {
  Load("location /a {} location ~ \\.php$ {} location ~* \\.PHP {}");
  EXPECT_EQ(Find("/a/x.php"), "\\.php$");
  EXPECT_EQ(Find("/a/x.pHp"), "\\.PHP");
  EXPECT_EQ(Find("/a/x"), "/a");
}

TEST_F(LocationTreeTest, NoRegexIsAskedBehindItsSign) {
  Load("location ^~ /static/ {} location /static/x {} location ~ \\.png$ {}");
  EXPECT_EQ(Find("/static/a.png"), "/static/");
  EXPECT_EQ(Find("/static/x.png"), "\\.png$");
}

TEST_F(LocationTreeTest, NestedLocationsAreFoundInsideTheirs) {
  Load("location /a/ { location /a/b/ {} location ~ \\.in$ {} } location ~ \\.out$ {}");
  EXPECT_EQ(Find("/a/x"), "/a/");
  EXPECT_EQ(Find("/a/b/x"), "/a/b/");
  EXPECT_EQ(Find("/a/x.in"), "\\.in$");
  EXPECT_EQ(Find("/a/x.out"), "\\.out$");
  EXPECT_EQ(Find("/x.in"), "-");
}

TEST_F(LocationTreeTest, AProxiedFolderWithoutItsSlashIsARedirect) {
  Load("location /p/ { proxy_pass http://127.0.0.1:1; } location /s/ {}");
  EXPECT_EQ(Find("/p"), "-> /p/");
  EXPECT_EQ(Find("/s"), "-");
}

TEST_F(LocationTreeTest, NamedLocationsAreFoundByNameOnly) {
  Load("location @here {}");
  EXPECT_EQ(Find("@here"), "-");
  exchange::Exchange& exchange = testing_.Request("", "/");
  const LocationTree tree(exchange.server->root);
  ASSERT_NE(tree.FindNamed("@here"), nullptr);
  EXPECT_EQ(tree.FindNamed("@there"), nullptr);
}

TEST_F(LocationTreeTest, CapturesOfTheRegexAreLeft) {
  Load("location ~ ^/(\\w+)/(?<tail>.*)$ {}");
  exchange::Exchange& exchange = testing_.Request("", "/user/7");
  const LocationTree tree(exchange.server->root);
  ASSERT_NE(tree.Find(exchange, "/user/7").location, nullptr);
  EXPECT_EQ(exchange.Capture(1), "user");
  EXPECT_EQ(exchange.Capture(2), "7");
}

}  // namespace
}  // namespace framewall::route
