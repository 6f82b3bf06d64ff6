#include "proxy/observe/error_logs.h"

#include "proxy/observe/syslog.h"

namespace framewall::observe {
namespace {

using config::LocationConfig;

bool SameTargets(const std::vector<config::ErrorLogTarget>& a,
                 const std::vector<config::ErrorLogTarget>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].path != b[i].path || a[i].level != b[i].level) return false;
  }
  return true;
}

bool HasStandardError(const LocationConfig& location) {
  for (const config::ErrorLogTarget& target : location.settings.log.error_log) {
    if (target.path == "stderr") return true;
  }
  for (const auto& one : location.locations) {
    if (HasStandardError(*one)) return true;
  }
  for (const auto& one : location.rewrite) {
    if (one.location != nullptr && HasStandardError(*one.location)) return true;
  }
  return location.limit_except != nullptr && HasStandardError(*location.limit_except);
}

class Opener {
 public:
  explicit Opener(config::Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  // Locations mostly have their parent's setting: then they share its log.
  void Walk(const LocationConfig& location, const std::vector<config::ErrorLogTarget>& parent,
            const Log* parent_log) {
    const auto& own = location.settings.log.error_log;
    const Log* log = parent_log;
    if (!own.empty() && !(parent_log != nullptr && SameTargets(own, parent))) {
      auto opened = OpenErrorLog(own);
      if (opened.ok()) {
        logs_.push_back(std::make_unique<Log>(std::move(opened).value()));
        log = logs_.back().get();
      } else {
        diagnostics_.Error(own[0].at, opened.error().message);
      }
    }
    location.log = log;
    for (const auto& one : location.locations) Walk(*one, own, log);
    for (const auto& one : location.rewrite) {
      if (one.location != nullptr) Walk(*one.location, own, log);
    }
    if (location.limit_except != nullptr) Walk(*location.limit_except, own, log);
  }

  std::vector<std::unique_ptr<Log>> Take() { return std::move(logs_); }

 private:
  config::Diagnostics& diagnostics_;
  std::vector<std::unique_ptr<Log>> logs_;
};

}  // namespace

Result<Log> OpenErrorLog(const std::vector<config::ErrorLogTarget>& targets) {
  Log log;
  for (const config::ErrorLogTarget& target : targets) {
    std::shared_ptr<LogSink> sink;
    if (target.path == "stderr") {
      sink = FileLogSink::StandardError();
    } else if (target.path.starts_with("syslog:")) {
      FW_ASSIGN(sink, OpenSyslog(target.path));
    } else {
      FW_ASSIGN(sink, FileLogSink::Open(target.path));
    }
    log.Add(std::move(sink), static_cast<LogLevel>(target.level));
  }
  return log;
}

std::vector<std::unique_ptr<Log>> OpenLocationErrorLogs(const config::Config& config, bool,
                                                        config::Diagnostics& diagnostics) {
  Opener opener(diagnostics);
  for (const auto& server : config.http.servers) opener.Walk(server->root, {}, nullptr);
  return opener.Take();
}

bool AnyLogOnStandardError(const config::Config& config) {
  for (const auto& server : config.http.servers) {
    if (HasStandardError(server->root)) return true;
  }
  return false;
}

}  // namespace framewall::observe
