#include "proxy/process/main_log.h"

#include <unistd.h>

#include <cerrno>

#include "proxy/observe/error_logs.h"
#include "proxy/observe/syslog.h"

namespace framewall::process {
namespace {

// "2026/11/20 19:00:00 [emerg] 12#12: text" becomes "nginx: [emerg] text".
std::string ConsoleLine(LogLevel level, std::string_view line) {
  const size_t bracket = line.find("] ");
  size_t text = bracket == line.npos ? line.npos : line.find(": ", bracket);
  text = text == line.npos ? 0 : text + 2;
  return "nginx: [" + std::string(LogLevelName(level)) + "] " + std::string(line.substr(text));
}

class ConsoleLogSink : public LogSink {
 public:
  void WriteLine(LogLevel level, std::string_view line) override {
    const std::string text = ConsoleLine(level, line);
    [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, text.data(), text.size());
  }
  Status Reopen() override { return OkStatus(); }
};

}  // namespace

std::shared_ptr<LogSink> ConsoleSink() { return std::make_shared<ConsoleLogSink>(); }

void StartMainLog(const std::string& path) {
  Log log;
  log.Add(ConsoleSink(), LogLevel::kWarn);
  if (path.empty()) {
    SetMainLog(std::move(log));
    return;
  }
  auto file = FileLogSink::Open(path);
  if (!file.ok()) {
    SetMainLog(std::move(log));
    MainLog().Write(LogLevel::kAlert, "could not open error log file: " + file.error().message);
    return;
  }
  log.Add(*file, LogLevel::kNotice);
  SetMainLog(std::move(log));
}

Result<MainLogTargets> OpenMainLog(const config::Config& config, const std::string& default_path) {
  std::vector<config::ErrorLogTarget> wanted = config.main.error_log;
  if (wanted.empty()) {
    config::ErrorLogTarget fallback;
    fallback.path = default_path.empty() ? "stderr" : default_path;
    fallback.level = static_cast<int>(LogLevel::kError);
    wanted.push_back(fallback);
  }
  MainLogTargets targets;
  for (const config::ErrorLogTarget& target : wanted) {
    const LogLevel level = static_cast<LogLevel>(target.level);
    if (target.path == "stderr") {
      targets.writes_to_stderr = true;
      targets.log.Add(FileLogSink::StandardError(), level);
    } else if (target.path.starts_with("syslog:")) {
      FW_ASSIGN(auto sink, observe::OpenSyslog(target.path));
      targets.log.Add(std::move(sink), level);
    } else {
      FW_ASSIGN(auto file, FileLogSink::Open(config.FullPath(target.path)));
      if (targets.redirect == nullptr) targets.redirect = file;
      targets.log.Add(std::move(file), level);
    }
  }
  if (targets.writes_to_stderr || observe::AnyLogOnStandardError(config)) {
    targets.redirect = nullptr;
  }
  return targets;
}

void UseMainLog(const MainLogTargets& targets, Console console) {
  Log log = targets.log;
  if (console == Console::kKeep && !targets.writes_to_stderr)
    log.Add(ConsoleSink(), LogLevel::kWarn);
  SetMainLog(std::move(log));
}

void RedirectStandardError(const MainLogTargets& targets) {
  if (targets.redirect == nullptr) return;
  if (::dup2(targets.redirect->fd(), STDERR_FILENO) < 0) {
    MainLog().Write(LogLevel::kAlert, "dup2(STDERR) failed", nullptr, errno);
  }
}

void LogDiagnostics(const config::Diagnostics& diagnostics) {
  for (const config::Diagnostics::Message& message : diagnostics.messages()) {
    const bool is_error = message.severity == config::Diagnostics::Severity::kError;
    MainLog().Write(is_error ? LogLevel::kEmerg : LogLevel::kWarn,
                    config::Diagnostics::Format(message));
  }
}

void LogError(LogLevel level, const Error& error) { MainLog().Write(level, error.message); }

}  // namespace framewall::process
