#include "proxy/observe/access_log.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/filter/exchange_testing.h"

namespace framewall::observe {
namespace {

class AccessLogTest : public ::testing::Test {
 protected:
  // `http` stands before one server with the locations "/" and `locations`.
  void Open(const std::string& http, const std::string& locations = "") {
    testing_.Load("log_format line '$uri';\n" + http + "\nserver { listen 8080; location / {} " +
                  locations + " }");
    const config::Config& config = testing_.Request("/", "/").config;
    logs_ = AccessLogs::Open(config, false, diagnostics_);
    ASSERT_FALSE(diagnostics_.has_errors());
  }

  void Write(std::string_view uri, std::string_view location = "/") {
    logs_->Write(testing_.Request(location, uri));
  }

  std::string Read(const std::string& name) const {
    std::ifstream file(testing_.folder() + "/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  void Rename(const std::string& from, const std::string& to) const {
    std::filesystem::rename(testing_.folder() + "/" + from, testing_.folder() + "/" + to);
  }

  ExchangeTesting testing_;
  config::Diagnostics diagnostics_;
  std::unique_ptr<AccessLogs> logs_;
};

TEST_F(AccessLogTest, WritesALineAtOnce) {
  Open("access_log DIR/a line;");
  Write("/1");
  EXPECT_EQ(Read("a"), "/1\n");
  Write("/2");
  EXPECT_EQ(Read("a"), "/1\n/2\n");
}

TEST_F(AccessLogTest, SeveralTargetsEachHaveTheLine) {
  Open("log_format short 's'; access_log DIR/a line; access_log DIR/b short;");
  Write("/1");
  EXPECT_EQ(Read("a"), "/1\n");
  EXPECT_EQ(Read("b"), "s\n");
}

TEST_F(AccessLogTest, TwoFormatsInOneFileKeepTheirOrder) {
  Open("log_format short 's'; access_log DIR/a line; access_log DIR/a short;");
  Write("/1");
  EXPECT_EQ(Read("a"), "/1\ns\n");
}

TEST_F(AccessLogTest, ALocationReplacesOrEndsWhatItInherits) {
  Open("access_log DIR/a line;",
       "location /own { access_log DIR/b line; } location /off { access_log off; } "
       "location /same {}");
  Write("/own/1", "/own");
  Write("/off/1", "/off");
  Write("/same/1", "/same");
  EXPECT_EQ(Read("a"), "/same/1\n");
  EXPECT_EQ(Read("b"), "/own/1\n");
}

TEST_F(AccessLogTest, AConditionThatIsEmptyOrZeroKeepsTheLineOut) {
  Open("access_log DIR/a line if=$arg_log;");
  Write("/none");
  Write("/empty?log=");
  Write("/zero?log=0");
  Write("/one?log=1");
  Write("/text?log=00");
  EXPECT_EQ(Read("a"), "/one\n/text\n");
}

TEST_F(AccessLogTest, ABufferIsWrittenWhenTheNextLineDoesNotFit) {
  Open("access_log DIR/a line buffer=8;");
  Write("/11");  // 4 octets with its end
  Write("/22");
  EXPECT_EQ(Read("a"), "");  // exactly full
  Write("/3");
  EXPECT_EQ(Read("a"), "/11\n/22\n");
  logs_->Flush();
  EXPECT_EQ(Read("a"), "/11\n/22\n/3\n");
  logs_->Flush();
  EXPECT_EQ(Read("a"), "/11\n/22\n/3\n");
}

TEST_F(AccessLogTest, ALineOverTheBufferGoesAfterWhatWaits) {
  Open("access_log DIR/a line buffer=8;");
  Write("/1");
  Write("/larger-than-that");
  EXPECT_EQ(Read("a"), "/1\n/larger-than-that\n");
}

TEST_F(AccessLogTest, BuffersAreFlushedInTime) {
  Open("access_log DIR/a line buffer=64k flush=20ms; access_log DIR/b line buffer=64k;");
  event::EventLoop loop;
  logs_->StartWorker(loop);
  Write("/1");
  EXPECT_EQ(Read("a"), "");
  for (int turn = 0; turn < 200 && Read("a").empty(); ++turn) loop.RunOnce(Milliseconds(50));
  EXPECT_EQ(Read("a"), "/1\n");
  Write("/2");
  for (int turn = 0; turn < 200 && Read("a") == "/1\n"; ++turn) loop.RunOnce(Milliseconds(50));
  EXPECT_EQ(Read("a"), "/1\n/2\n");
}

TEST_F(AccessLogTest, GzipWritesMembersThatJoin) {
  Open("access_log DIR/a.gz line gzip=9 buffer=8;");
  Write("/1");
  logs_->Flush();
  Write("/2");
  logs_->Flush();
  Write("/longer-than-8");
  const gzFile file = ::gzopen((testing_.folder() + "/a.gz").c_str(), "rb");
  ASSERT_NE(file, nullptr);
  std::string text(100, '\0');
  text.resize(static_cast<size_t>(std::max(0, ::gzread(file, text.data(), 100))));
  ::gzclose(file);
  EXPECT_EQ(text, "/1\n/2\n/longer-than-8\n");
  EXPECT_TRUE(Read("a.gz").starts_with("\x1f\x8b"));
}

TEST_F(AccessLogTest, APathWithNamesIsAFileForEach) {
  Open("access_log DIR/log-$arg_to line;", "root DIR;");
  Write("/1?to=a");
  Write("/2?to=b");
  Write("/3?to=a");
  EXPECT_EQ(Read("log-a"), "/1\n/3\n");
  EXPECT_EQ(Read("log-b"), "/2\n");
}

TEST_F(AccessLogTest, APathWithNamesNeedsItsRoot) {
  Open("access_log DIR/log-$arg_to line;", "root DIR/none;");
  Write("/1?to=a");
  EXPECT_EQ(Read("log-a"), "");
  EXPECT_EQ(testing_.log(), "[error] testing \"" + testing_.folder() +
                                "/none\" existence failed (2: No such file or directory)\n");
}

TEST_F(AccessLogTest, APathWithNamesThatCannotBeOpenedIsSaid) {
  Open("access_log DIR/$arg_to/log line;", "root DIR;");
  Write("/1?to=none");
  EXPECT_NE(testing_.log().find("[crit] open() \"" + testing_.folder() + "/none/log\" failed"),
            std::string::npos)
      << testing_.log();
}

// More files than are kept open: every line is in its own.
TEST_F(AccessLogTest, ManyPathsWithNames) {
  Open("access_log DIR/log-$arg_to line;", "root DIR;");
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 100; ++i) Write("/x?to=" + std::to_string(i));
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Read("log-" + std::to_string(i)), "/x\n/x\n") << i;
}

TEST_F(AccessLogTest, ReopenFollowsRenamedFiles) {
  Open("access_log DIR/fixed line buffer=64k; access_log DIR/log-$arg_to line;", "root DIR;");
  Write("/1?to=a");
  Rename("log-a", "log-a.1");
  Rename("fixed", "fixed.1");
  Write("/2?to=a");
  logs_->Reopen();
  EXPECT_TRUE(ReopenLogFiles().empty());
  Write("/3?to=a");
  logs_->Flush();
  EXPECT_EQ(Read("log-a.1"), "/1\n/2\n");
  EXPECT_EQ(Read("log-a"), "/3\n");
  // What was buffered belongs to the time before.
  EXPECT_EQ(Read("fixed.1"), "/1\n/2\n");
  EXPECT_EQ(Read("fixed"), "/3\n");
}

TEST_F(AccessLogTest, AFileThatCannotBeOpenedIsAnErrorOfTheConfiguration) {
  testing_.Load("access_log DIR/none/a;\nserver { listen 8080; location / {} }");
  logs_ = AccessLogs::Open(testing_.Request("/", "/").config, false, diagnostics_);
  ASSERT_TRUE(diagnostics_.has_errors());
  EXPECT_NE(diagnostics_.messages().front().text.find("/none/a\" failed"), std::string::npos);
  EXPECT_EQ(diagnostics_.messages().size(), 1u);
}

}  // namespace
}  // namespace framewall::observe
