// The error log: nginx's severities and line form, files shared by processes, reopened on demand.
//
//   2026/11/20 19:00:00 [error] 12#12: *7 upstream timed out (110: Connection timed out) while
//   reading response header from upstream, client: 1.2.3.4, server: a, request: "GET / HTTP/1.1"
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"

namespace framewall {

// nginx's order: a smaller number is more severe.
enum class LogLevel : uint8_t {
  kEmerg = 1,
  kAlert,
  kCrit,
  kError,
  kWarn,
  kNotice,
  kInfo,
  kDebug,
};

std::string_view LogLevelName(LogLevel level);
// "error" -> kError; false where the name is unknown.
bool ParseLogLevel(std::string_view name, LogLevel* level);

// Who is speaking. Implemented by connections and exchanges; asked only when a line is written.
class LogContext {
 public:
  virtual ~LogContext() = default;
  // The "*N" of the line; 0 leaves it out.
  virtual uint64_t connection_number() const = 0;
  // Appends " while reading client request headers" (with the leading space) or nothing.
  virtual void AppendAction(std::string& line) const = 0;
  // Appends ", client: 1.2.3.4, server: a, request: \"...\"" or nothing.
  virtual void AppendDetails(std::string& line) const = 0;
};

// Where whole lines go. A line ends with "\n"; a sink may rewrite it (syslog).
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void WriteLine(LogLevel level, std::string_view line) = 0;
  // USR1: opens the file anew. The old one stays in use where that fails.
  virtual Status Reopen() = 0;
};

// A file opened with O_APPEND, one write(2) per line; shared by all who name the same path.
class FileLogSink : public LogSink {
 public:
  // Owned by the process-wide registry, so that a path is opened once and USR1 finds it.
  static Result<std::shared_ptr<FileLogSink>> Open(const std::string& path);
  // The inherited standard error.
  static std::shared_ptr<LogSink> StandardError();

  ~FileLogSink() override;
  void WriteLine(LogLevel level, std::string_view line) override;
  Status Reopen() override;
  int fd() const { return fd_; }
  const std::string& path() const { return path_; }

 private:
  FileLogSink(std::string path, int fd);
  std::string path_;
  int fd_;
};

// Reopens every file sink that is alive; returns the failures' messages.
std::vector<std::string> ReopenLogFiles();
// Gives every file sink to `uid`, so that workers may reopen it.
void ChownLogFiles(unsigned uid, unsigned gid);

// One `error_log` setting: sinks, each with its threshold. Copyable, cheap.
class Log {
 public:
  void Add(std::shared_ptr<LogSink> sink, LogLevel threshold);
  bool empty() const { return targets_.empty(); }
  // Is there anybody who wants this level? Ask before formatting anything.
  bool Enabled(LogLevel level) const { return level <= most_verbose_; }

  // Writes one line. `system_errno` other than 0 appends " (N: text)".
  void Write(LogLevel level, std::string_view message, const LogContext* context = nullptr,
             int system_errno = 0) const;

 private:
  struct Target {
    std::shared_ptr<LogSink> sink;
    LogLevel threshold;
  };
  std::vector<Target> targets_;
  LogLevel most_verbose_ = LogLevel{0};
};

// The main-context log of this process; standard error at notice until set.
Log& MainLog();
void SetMainLog(Log log);

}  // namespace framewall
