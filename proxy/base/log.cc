#include "proxy/base/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>

#include "proxy/base/clock.h"

namespace framewall {
namespace {

constexpr size_t kMaxLine = 8192;

constexpr std::array<std::string_view, 9> kLevelNames = {"",     "emerg",  "alert", "crit", "error",
                                                         "warn", "notice", "info",  "debug"};

// Every file by its path, without keeping any alive. Never destroyed: logs are written to the end.
using Registry = std::map<std::string, std::weak_ptr<FileLogSink>>;
Registry& FileRegistry() {
  static Registry* registry = new Registry;
  return *registry;
}

std::vector<std::shared_ptr<FileLogSink>> LivingFiles() {
  std::vector<std::shared_ptr<FileLogSink>> files;
  Registry& registry = FileRegistry();
  for (auto entry = registry.begin(); entry != registry.end();) {
    if (auto file = entry->second.lock()) {
      files.push_back(std::move(file));
      ++entry;
    } else {
      entry = registry.erase(entry);
    }
  }
  return files;
}

// The descriptor behind a standard stream's path, or -1. Such a stream is the starter's: it is
// duplicated, not opened (a socket or somebody else's pipe cannot be), never reopened or chowned.
int StandardStream(std::string_view path) {
  if (path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  return -1;
}

Result<int> OpenForAppend(const std::string& path) {
  const int stream = StandardStream(path);
  const int fd = stream >= 0 ? ::fcntl(stream, F_DUPFD_CLOEXEC, 3)
                             : ::open(path.c_str(),
                                      O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
  if (fd < 0) {
    const int reason = errno;
    Error error = SystemError("open() \"" + path + "\" failed", reason);
    error.source = ErrorSource::kOperator;
    return error;
  }
  return fd;
}

// Normally one write. The rest of a short one follows, lest the next line is glued to this one.
void WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // there is nowhere left to complain
    text.remove_prefix(static_cast<size_t>(written));
  }
}

class StandardErrorSink : public LogSink {
 public:
  void WriteLine(LogLevel, std::string_view line) override { WriteAll(STDERR_FILENO, line); }
  Status Reopen() override { return OkStatus(); }
};

// One entry is one line whatever a client put into it: controls are written as \xNN. Then the
// cap, and the newline that is never lost.
std::string FinishLine(std::string line) {
  const auto is_control = [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  };
  if (std::any_of(line.begin(), line.end(), is_control)) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string escaped;
    escaped.reserve(line.size() + 16);
    for (char c : line) {
      if (!is_control(c)) {
        escaped += c;
        continue;
      }
      const auto octet = static_cast<unsigned char>(c);
      escaped.append("\\x").append(1, kHex[octet >> 4]).append(1, kHex[octet & 15]);
    }
    line = std::move(escaped);
  }
  if (line.size() > kMaxLine - 1) line.resize(kMaxLine - 1);
  line += '\n';
  return line;
}

}  // namespace

std::string_view LogLevelName(LogLevel level) {
  const auto index = static_cast<size_t>(level);
  return index < kLevelNames.size() ? kLevelNames[index] : "";
}

bool ParseLogLevel(std::string_view name, LogLevel* level) {
  for (size_t i = 1; i < kLevelNames.size(); ++i) {
    if (kLevelNames[i] == name) {
      *level = static_cast<LogLevel>(i);
      return true;
    }
  }
  return false;
}

Result<std::shared_ptr<FileLogSink>> FileLogSink::Open(const std::string& path) {
  std::weak_ptr<FileLogSink>& known = FileRegistry()[path];
  if (auto file = known.lock()) return file;
  FW_ASSIGN(const int fd, OpenForAppend(path));
  std::shared_ptr<FileLogSink> file(new FileLogSink(path, fd));
  known = file;
  return file;
}

std::shared_ptr<LogSink> FileLogSink::StandardError() {
  static std::shared_ptr<LogSink>* sink =
      new std::shared_ptr<LogSink>(std::make_shared<StandardErrorSink>());
  return *sink;
}

FileLogSink::FileLogSink(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

FileLogSink::~FileLogSink() { ::close(fd_); }

void FileLogSink::WriteLine(LogLevel, std::string_view line) { WriteAll(fd_, line); }

Status FileLogSink::Reopen() {
  if (StandardStream(path_) >= 0) return OkStatus();
  FW_ASSIGN(const int fresh, OpenForAppend(path_));
  // The number stays, so whoever holds fd() writes to the new file too.
  const int moved = ::dup3(fresh, fd_, O_CLOEXEC);
  const int reason = errno;
  ::close(fresh);
  if (moved < 0) return SystemError("dup3() of \"" + path_ + "\" failed", reason);
  return OkStatus();
}

std::vector<std::string> ReopenLogFiles() {
  std::vector<std::string> failures;
  for (const auto& file : LivingFiles()) {
    if (Status reopened = file->Reopen(); !reopened.ok()) {
      failures.push_back(reopened.error().message);
    }
  }
  return failures;
}

void ChownLogFiles(unsigned uid, unsigned gid) {
  for (const auto& file : LivingFiles()) {
    struct stat info {};
    // Devices and pipes have their own owner, and he has reasons.
    if (::fstat(file->fd(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    if (StandardStream(file->path()) >= 0) continue;
    if (info.st_uid != uid && ::fchown(file->fd(), uid, gid) != 0) {
      MainLog().Write(LogLevel::kEmerg, "chown() of \"" + file->path() + "\" failed", nullptr,
                      errno);
    }
    if ((info.st_mode & S_IWUSR) == 0 && ::fchmod(file->fd(), info.st_mode | S_IWUSR) != 0) {
      MainLog().Write(LogLevel::kEmerg, "chmod() of \"" + file->path() + "\" failed", nullptr,
                      errno);
    }
  }
}

void Log::Add(std::shared_ptr<LogSink> sink, LogLevel threshold) {
  most_verbose_ = std::max(most_verbose_, threshold);
  targets_.push_back({std::move(sink), threshold});
}

void Log::Write(LogLevel level, std::string_view message, const LogContext* context,
                int system_errno) const {
  if (!Enabled(level)) return;
  std::string line;
  line.reserve(512);
  line.append(CachedErrorTime()).append(" [").append(LogLevelName(level)).append("] ");
  line.append(std::to_string(::getpid())).append("#").append(std::to_string(::gettid()));
  line.append(": ");
  const uint64_t connection = context == nullptr ? 0 : context->connection_number();
  if (connection != 0) line.append("*").append(std::to_string(connection)).append(" ");
  line.append(message);
  if (system_errno != 0) {
    line.append(" (").append(std::to_string(system_errno)).append(": ");
    line.append(std::strerror(system_errno)).append(")");
  }
  // nginx's debug lines go without: they are many, and *N tells whose they are.
  if (context != nullptr && level != LogLevel::kDebug) {
    context->AppendAction(line);
    context->AppendDetails(line);
  }
  line = FinishLine(std::move(line));
  for (const Target& target : targets_) {
    if (level <= target.threshold) target.sink->WriteLine(level, line);
  }
}

Log& MainLog() {
  static Log* log = [] {
    auto* fresh = new Log;
    fresh->Add(FileLogSink::StandardError(), LogLevel::kNotice);
    return fresh;
  }();
  return *log;
}

void SetMainLog(Log log) { MainLog() = std::move(log); }

}  // namespace framewall
