#include <gtest/gtest.h>

#include <filesystem>

#include "proxy/content/static_file.h"
#include "tests/unit/filter/exchange_testing.h"

namespace framewall::content {
namespace {

using Calls = std::vector<std::string>;

class TryFiles : public ::testing::Test, public ExchangeTesting {
 protected:
  void SetUp() override {
    Write("www/found.html", "x");
    Write("www/dir/in.html", "x");
    Load(R"(root DIR/www;
server {
  listen 8080;
  location /uri { try_files $uri /fallback?a=$uri; }
  location /status { try_files /none $uri =404; }
  location /file { try_files /found.html =404; }
  location /file-dir { try_files /found.html/ =404; }
  location /dir-dir { try_files $uri/ /dir/ =404; }
  location /dir-file { try_files /dir =404; }
  location /named { try_files /none @other; }
  location /none { }
  location ~ /in.html { alias DIR/www/dir; try_files $uri =404; }
  location /alias/ { alias DIR/www/; try_files $uri dir/in.html =404; location ~ html { try_files $uri =404; } }
})");
  }
  // The new URI, or what the driver was told.
  std::string Run(std::string_view location, std::string_view uri) {
    Request(location, uri);
    const bool answered = RunTryFiles(exchange());
    EXPECT_EQ(answered, !driver().calls.empty());
    return answered ? driver().calls.front() : std::string(exchange().uri);
  }
};

TEST_F(TryFiles, TakesTheFirstThatExists) {
  EXPECT_EQ(Run("/uri", "/found.html"), "/found.html");
  EXPECT_EQ(Run("/status", "/found.html"), "/found.html");
  EXPECT_EQ(Run("/file", "/file"), "/found.html");
  EXPECT_EQ(Run("/none", "/none"), "/none");
}

TEST_F(TryFiles, GoesToTheLastWhereNoneExists) {
  EXPECT_EQ(Run("/uri", "/x"), "internal /fallback?a=/x");
  EXPECT_EQ(Run("/status", "/x"), "finish 404");
  EXPECT_EQ(Run("/named", "/x"), "named @other");
}

TEST_F(TryFiles, TellsFilesFromDirectories) {
  EXPECT_EQ(Run("/file-dir", "/x"), "finish 404");
  EXPECT_EQ(Run("/dir-file", "/x"), "finish 404");
  EXPECT_EQ(Run("/uri", "/dir"), "internal /fallback?a=/dir");
  EXPECT_EQ(Run("/dir-dir", "/x"), "/dir");
  EXPECT_EQ(Run("/dir-dir", "/dir"), "/dir");
}

TEST_F(TryFiles, KeepsTheSlashOfADirectory) { EXPECT_EQ(Run("/dir-dir", "/dir/"), "/dir/"); }

TEST_F(TryFiles, FindsFilesUnderAnAlias) {
  EXPECT_EQ(Run("/alias/", "/alias/found.html"), "/alias/found.html");
  EXPECT_EQ(Run("/alias/", "/alias/x"), "/alias/dir/in.html");
  EXPECT_EQ(Run("html", "/alias/found.html"), "/alias/found.html");
  EXPECT_EQ(exchange().FilePath(exchange().uri), folder() + "/www/found.html");
}

TEST_F(TryFiles, AppendsToTheAliasOfARegex) {
  EXPECT_EQ(Run("/in.html", "/in.html"), "/in.html");
  EXPECT_EQ(exchange().FilePath(exchange().uri), folder() + "/www/dir/in.html");
  EXPECT_EQ(Run("/in.html", "/other/in.html"), "finish 404");
}

TEST_F(TryFiles, RefusesToMapWhatWasRewritten) {
  Request("/alias/", "/elsewhere");
  exchange().valid_location = false;
  EXPECT_TRUE(RunTryFiles(exchange()));
  EXPECT_EQ(driver().calls, Calls{"finish 500"});
}

}  // namespace
}  // namespace framewall::content
