#include "proxy/base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "proxy/base/clock.h"

namespace framewall {
namespace {

// Keeps the lines.
class MemorySink : public LogSink {
 public:
  void WriteLine(LogLevel, std::string_view line) override { lines.emplace_back(line); }
  Status Reopen() override { return OkStatus(); }
  std::vector<std::string> lines;
};

class RequestContext : public LogContext {
 public:
  uint64_t connection_number() const override { return number; }
  void AppendAction(std::string& line) const override { line += " while reading"; }
  void AppendDetails(std::string& line) const override { line += details; }
  uint64_t number = 7;
  std::string details = ", client: 1.2.3.4";
};

class LogTest : public ::testing::Test {
 protected:
  LogTest() {
    std::string name = ::testing::TempDir() + "log_test.XXXXXX";
    directory_ = ::mkdtemp(name.data());
    log_.Add(memory_, LogLevel::kDebug);
  }
  ~LogTest() override { std::filesystem::remove_all(directory_); }

  std::string Path(std::string_view name) const { return directory_ + "/" + std::string(name); }
  static std::string Read(const std::string& path) {
    std::ifstream file(path);
    return (std::ostringstream() << file.rdbuf()).str();
  }
  // What follows "PID#TID: " in the last line.
  std::string LastText() const {
    const std::string& line = memory_->lines.back();
    return line.substr(line.find(": ") + 2);
  }

  std::string directory_;
  std::shared_ptr<MemorySink> memory_ = std::make_shared<MemorySink>();
  Log log_;
};

TEST_F(LogTest, LineHasTheFormOfNginx) {
  const RequestContext context;
  log_.Write(LogLevel::kError, "recv() failed", &context, ECONNRESET);
  const std::string pid = std::to_string(::getpid());
  EXPECT_EQ(memory_->lines.at(0),
            std::string(CachedErrorTime()) + " [error] " + pid + "#" + pid +
                ": *7 recv() failed (104: Connection reset by peer) while reading, client: "
                "1.2.3.4\n");
}

TEST_F(LogTest, LeavesOutWhatIsNotThere) {
  RequestContext context;
  context.number = 0;
  log_.Write(LogLevel::kInfo, "hello");
  EXPECT_EQ(LastText(), "hello\n");
  log_.Write(LogLevel::kInfo, "hello", &context);
  EXPECT_EQ(LastText(), "hello while reading, client: 1.2.3.4\n");
  log_.Write(LogLevel::kDebug, "hello", &context);
  EXPECT_EQ(LastText(), "hello\n");
}

TEST_F(LogTest, CapsTheLineAndKeepsTheNewline) {
  const size_t head = [&] {
    log_.Write(LogLevel::kInfo, "");
    return memory_->lines.back().size() - 1;
  }();
  log_.Write(LogLevel::kInfo, std::string(8191 - head, 'a'));
  EXPECT_EQ(memory_->lines.back().size(), 8192u);
  log_.Write(LogLevel::kInfo, std::string(8192 - head, 'a'));
  EXPECT_EQ(memory_->lines.back().size(), 8192u);
  EXPECT_EQ(memory_->lines.back().substr(8190), "a\n");
}

TEST_F(LogTest, ClientCannotForgeALine) {
  RequestContext context;
  context.details = ", request: \"GET /\r\n\x1b[2J\x7f\tx\xff\"";
  log_.Write(LogLevel::kInfo, "a\nb", &context);
  EXPECT_EQ(LastText(),
            "*7 a\\x0Ab while reading, request: \"GET /\\x0D\\x0A\\x1B[2J\\x7F\tx\xff\"\n");
}

TEST_F(LogTest, ThresholdOfEachSink) {
  auto strict = std::make_shared<MemorySink>();
  Log log;
  EXPECT_FALSE(log.Enabled(LogLevel::kEmerg));
  log.Add(strict, LogLevel::kCrit);
  EXPECT_TRUE(log.Enabled(LogLevel::kCrit));
  EXPECT_FALSE(log.Enabled(LogLevel::kError));
  log.Add(memory_, LogLevel::kWarn);
  EXPECT_TRUE(log.Enabled(LogLevel::kWarn));
  log.Write(LogLevel::kWarn, "a");
  log.Write(LogLevel::kNotice, "b");
  log.Write(LogLevel::kCrit, "c");
  EXPECT_EQ(strict->lines.size(), 1u);
  EXPECT_EQ(memory_->lines.size(), 2u);
}

TEST_F(LogTest, LevelNames) {
  LogLevel level = LogLevel::kEmerg;
  for (int i = 1; i <= 8; ++i) {
    ASSERT_TRUE(ParseLogLevel(LogLevelName(static_cast<LogLevel>(i)), &level));
    EXPECT_EQ(static_cast<int>(level), i);
  }
  EXPECT_FALSE(ParseLogLevel("", &level));
  EXPECT_FALSE(ParseLogLevel("Error", &level));
}

TEST_F(LogTest, OnePathIsOneFile) {
  auto first = FileLogSink::Open(Path("a"));
  auto second = FileLogSink::Open(Path("a"));
  auto other = FileLogSink::Open(Path("b"));
  ASSERT_TRUE(first.ok() && second.ok() && other.ok());
  EXPECT_EQ(*first, *second);
  EXPECT_NE(*first, *other);
  struct stat info {};
  ASSERT_EQ(::stat(Path("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0644u);
  EXPECT_NE(::fcntl((*first)->fd(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(LogTest, FileThatCannotBeOpenedSaysWhy) {
  const auto sink = FileLogSink::Open(Path("no/such/file"));
  ASSERT_FALSE(sink.ok());
  EXPECT_EQ(sink.error().message,
            "open() \"" + Path("no/such/file") + "\" failed (2: No such file or directory)");
  EXPECT_TRUE(ReopenLogFiles().empty());
}

TEST_F(LogTest, AppendsToWhatIsThere) {
  std::ofstream(Path("a")) << "before\n";
  auto sink = FileLogSink::Open(Path("a"));
  ASSERT_TRUE(sink.ok());
  (*sink)->WriteLine(LogLevel::kInfo, "after\n");
  EXPECT_EQ(Read(Path("a")), "before\nafter\n");
}

TEST_F(LogTest, ReopenFollowsARename) {
  auto sink = FileLogSink::Open(Path("a"));
  ASSERT_TRUE(sink.ok());
  const int fd = (*sink)->fd();
  (*sink)->WriteLine(LogLevel::kInfo, "one\n");
  std::filesystem::rename(Path("a"), Path("a.1"));
  (*sink)->WriteLine(LogLevel::kInfo, "two\n");
  EXPECT_TRUE(ReopenLogFiles().empty());
  (*sink)->WriteLine(LogLevel::kInfo, "three\n");
  EXPECT_EQ((*sink)->fd(), fd);
  EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_EQ(Read(Path("a.1")), "one\ntwo\n");
  EXPECT_EQ(Read(Path("a")), "three\n");
}

TEST_F(LogTest, FailedReopenKeepsTheOldFile) {
  std::filesystem::create_directory(Path("d"));
  auto sink = FileLogSink::Open(Path("d/a"));
  ASSERT_TRUE(sink.ok());
  std::filesystem::rename(Path("d"), Path("e"));
  const auto failures = ReopenLogFiles();
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_NE(failures[0].find(Path("d/a")), std::string::npos);
  (*sink)->WriteLine(LogLevel::kInfo, "still here\n");
  EXPECT_EQ(Read(Path("e/a")), "still here\n");
}

TEST_F(LogTest, ForgottenFileIsClosed) {
  int fd = -1;
  {
    auto sink = FileLogSink::Open(Path("a"));
    ASSERT_TRUE(sink.ok());
    fd = (*sink)->fd();
  }
  EXPECT_EQ(::fcntl(fd, F_GETFD), -1);
  std::filesystem::remove(Path("a"));
  EXPECT_TRUE(ReopenLogFiles().empty());
  EXPECT_FALSE(std::filesystem::exists(Path("a")));
}

TEST_F(LogTest, ChownLetsTheOwnerWrite) {
  auto sink = FileLogSink::Open(Path("a"));
  ASSERT_TRUE(sink.ok());
  ::chmod(Path("a").c_str(), 0444);
  ChownLogFiles(::getuid(), ::getgid());
  struct stat info {};
  ASSERT_EQ(::stat(Path("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, ::getuid());
  EXPECT_EQ(info.st_mode & 0777, 0644u);
}

TEST_F(LogTest, StandardOutputIsDuplicatedNotOpened) {
  auto sink = FileLogSink::Open("/dev/stdout");
  ASSERT_TRUE(sink.ok());
  EXPECT_GT((*sink)->fd(), 2);
  EXPECT_TRUE((*sink)->Reopen().ok());
}

TEST_F(LogTest, ProcessesDoNotMixTheirLines) {
  auto sink = FileLogSink::Open(Path("a"));
  ASSERT_TRUE(sink.ok());
  Log log;
  log.Add(*sink, LogLevel::kInfo);
  constexpr int kLines = 200;
  const std::string payload(1500, 'x');
  std::vector<pid_t> children;
  for (int child = 0; child < 3; ++child) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      for (int i = 0; i < kLines; ++i) log.Write(LogLevel::kInfo, payload);
      ::_exit(0);
    }
    children.push_back(pid);
  }
  for (pid_t pid : children) ASSERT_EQ(::waitpid(pid, nullptr, 0), pid);
  std::ifstream file(Path("a"));
  int lines = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    ASSERT_TRUE(line.ends_with(": " + payload));
    ASSERT_EQ(line.find("[info]"), line.rfind("[info]"));
  }
  EXPECT_EQ(lines, 3 * kLines);
}

TEST_F(LogTest, MainLogCanBeReplaced) {
  const Log before = MainLog();
  EXPECT_TRUE(before.Enabled(LogLevel::kNotice));
  EXPECT_FALSE(before.Enabled(LogLevel::kInfo));
  SetMainLog(log_);
  MainLog().Write(LogLevel::kInfo, "to the new one");
  EXPECT_EQ(LastText(), "to the new one\n");
  SetMainLog(before);
}

}  // namespace
}  // namespace framewall
