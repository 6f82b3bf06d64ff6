#include "proxy/observe/error_logs.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "proxy/base/clock.h"
#include "tests/unit/filter/exchange_testing.h"

namespace framewall::observe {
namespace {

class ErrorLogsTest : public ::testing::Test {
 protected:
  const config::Config& Load(const std::string& server) {
    testing_.Load("server { listen 8080; server_name a.example; " + server + " }");
    const config::Config& config = testing_.Request("", "/").config;
    logs_ = OpenLocationErrorLogs(config, false, diagnostics_);
    EXPECT_FALSE(diagnostics_.has_errors());
    return config;
  }

  std::string Read(const std::string& name) const {
    std::ifstream file(testing_.folder() + "/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // Time and process of a line of this test.
  static std::string Prefix(std::string_view level) {
    const std::string pid = std::to_string(::getpid());
    return std::string(CachedErrorTime()) + " [" + std::string(level) + "] " + pid + "#" + pid +
           ": ";
  }

  ExchangeTesting testing_;
  config::Diagnostics diagnostics_;
  std::vector<std::unique_ptr<Log>> logs_;
};

TEST_F(ErrorLogsTest, TheLineSaysWhoAndWhile) {
  Load("error_log DIR/log info; location / {}");
  testing_.connection().number = 7;
  exchange::Exchange& exchange =
      testing_.Request("/", "/x", {{"Host", "a.example:8080"}, {"Referer", "http://r/"}});
  exchange.request.request_line = "GET /x HTTP/1.1";
  exchange.upstream_url = "http://127.0.0.1:81/x";
  exchange.action = exchange::Action::kReadingResponseHeader;
  exchange.LogError(LogLevel::kError, "upstream timed out", ETIMEDOUT);
  EXPECT_EQ(
      Read("log"),
      Prefix("error") +
          "*7 upstream timed out (110: Connection timed out) while reading response header "
          "from upstream, client: 127.0.0.1, server: a.example, request: \"GET /x HTTP/1.1\", "
          "upstream: \"http://127.0.0.1:81/x\", host: \"a.example:8080\", "
          "referrer: \"http://r/\"\n");
}

TEST_F(ErrorLogsTest, AShortLineHasOnlyWhatIsKnown) {
  Load("error_log DIR/log info; location / {}");
  testing_.Request("/", "/x").LogError(LogLevel::kInfo, "text");
  EXPECT_EQ(Read("log"), Prefix("info") + "text, client: 127.0.0.1, server: a.example\n");
}

TEST_F(ErrorLogsTest, AClientCannotBreakALine) {
  Load("error_log DIR/log info; location / {}");
  exchange::Exchange& exchange = testing_.Request("/", "/x", {{"Referer", "a\r\nb\x7f\x1b[1m"}});
  exchange.LogError(LogLevel::kInfo, "a\nb");
  EXPECT_EQ(Read("log"), Prefix("info") +
                             "a\\x0Ab, client: 127.0.0.1, server: a.example, "
                             "referrer: \"a\\x0D\\x0Ab\\x7F\\x1B[1m\"\n");
}

TEST_F(ErrorLogsTest, TheThresholdIsTheLastLevelThatPasses) {
  Load("error_log DIR/warn warn; error_log DIR/default; location / {}");
  exchange::Exchange& exchange = testing_.Request("/", "/");
  exchange.LogError(LogLevel::kNotice, "notice");
  exchange.LogError(LogLevel::kWarn, "warn");
  exchange.LogError(LogLevel::kError, "error");
  EXPECT_EQ(Read("warn").find("notice"), std::string::npos);
  EXPECT_NE(Read("warn").find("[warn]"), std::string::npos);
  EXPECT_NE(Read("warn").find("[error]"), std::string::npos);
  // error unless said otherwise.
  EXPECT_EQ(Read("default").find("[warn]"), std::string::npos);
  EXPECT_NE(Read("default").find("[error]"), std::string::npos);
}

TEST_F(ErrorLogsTest, ALocationSharesWhatItInheritsAndHasItsOwnElse) {
  const config::Config& config = Load(
      "error_log DIR/server; location /same {} "
      "location /own { error_log DIR/own; location /own/in {} }");
  const config::LocationConfig& root = config.http.servers.front()->root;
  ASSERT_NE(root.log, nullptr);
  EXPECT_EQ(root.locations[0]->log, root.log);
  EXPECT_NE(root.locations[1]->log, root.log);
  EXPECT_EQ(root.locations[1]->locations[0]->log, root.locations[1]->log);
  EXPECT_EQ(logs_.size(), 2u);
}

TEST_F(ErrorLogsTest, WithoutASettingTheMainLogIsUsed) {
  const config::Config& config = Load("location / {}");
  EXPECT_EQ(config.http.servers.front()->root.log, nullptr);
  testing_.Request("/", "/").LogError(LogLevel::kError, "to main");
  EXPECT_EQ(testing_.log(), "[error] to main\n");
}

TEST_F(ErrorLogsTest, AFileThatCannotBeOpenedIsAnErrorOfTheConfiguration) {
  testing_.Load("server { listen 8080; error_log DIR/none/log; }");
  logs_ = OpenLocationErrorLogs(testing_.Request("", "/").config, false, diagnostics_);
  ASSERT_TRUE(diagnostics_.has_errors());
  EXPECT_NE(diagnostics_.messages().front().text.find("/none/log\" failed"), std::string::npos);
}

TEST_F(ErrorLogsTest, StandardErrorIsFoundAtAnyDepth) {
  EXPECT_FALSE(AnyLogOnStandardError(Load("error_log DIR/a; location / {}")));
  EXPECT_TRUE(AnyLogOnStandardError(Load("error_log stderr; location / {}")));
  EXPECT_TRUE(AnyLogOnStandardError(
      Load("error_log DIR/a; location / { location /in { error_log stderr; } }")));
}

}  // namespace
}  // namespace framewall::observe
