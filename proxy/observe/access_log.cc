#include "proxy/observe/access_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <list>
#include <map>
#include <string>
#include <unordered_map>

#include "proxy/base/log.h"
#include "proxy/base/unique_fd.h"
#include "proxy/config/paths.h"
#include "proxy/event/timer.h"
#include "proxy/observe/log_format.h"
#include "proxy/observe/syslog.h"

namespace framewall::observe {
namespace {

using config::AccessLogTarget;
using config::LocationConfig;
using exchange::Exchange;

// Files whose path has variables, kept open; beyond that any one makes room.
constexpr size_t kOpenFiles = 64;

std::string Gzip(std::string_view text, int level) {
  z_stream stream{};
  if (deflateInit2(&stream, level, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return {};
  }
  std::string out;
  out.resize(deflateBound(&stream, static_cast<uLong>(text.size())) + 32);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(result == Z_STREAM_END ? stream.total_out : 0);
  deflateEnd(&stream);
  return out;
}

// One target of one location level; shared by all locations that inherited it.
struct Target {
  const AccessLogTarget* setting = nullptr;
  std::shared_ptr<FileLogSink> file;
  std::shared_ptr<LogSink> syslog;
  std::string buffer;
};

class Logs final : public AccessLogs {
 public:
  explicit Logs(const config::Config& config) : config_(config) {
    default_target_.path = config::ConstantTemplate(std::string(config::kDefaultAccessLog));
    by_location_.resize(static_cast<size_t>(config.http.location_count));
  }

  void OpenAll(bool test_only, config::Diagnostics& diagnostics) {
    test_only_ = test_only;
    if (config_.http.log_formats.empty()) return;
    for (const auto& server : config_.http.servers) Walk(server->root, diagnostics);
  }

  void StartWorker(event::EventLoop& loop) override {
    loop_ = &loop;
    Milliseconds shortest{0};
    for (const auto& target : targets_) {
      const Milliseconds flush = target->setting->flush;
      if (flush.count() > 0 && (shortest.count() == 0 || flush < shortest)) shortest = flush;
    }
    if (shortest.count() == 0) return;
    flush_timer_ = std::make_unique<event::Timer>(loop, [this, shortest] {
      Flush();
      flush_timer_->Set(shortest);
    });
    flush_timer_->Set(shortest);
  }

  void Write(Exchange& exchange) override {
    const auto id = static_cast<size_t>(exchange.location->id);
    if (id >= by_location_.size()) return;
    for (Target* target : by_location_[id]) WriteTo(exchange, *target);
  }

  void Flush() override {
    for (const auto& target : targets_) FlushTarget(*target);
  }

  // Files with a fixed name are reopened with all of base's; these are ours.
  void Reopen() override {
    Flush();
    open_files_.clear();
  }

  void Chown(unsigned, unsigned) override {}

 private:
  void Walk(const LocationConfig& location, config::Diagnostics& diagnostics) {
    const auto id = static_cast<size_t>(location.id);
    if (id < by_location_.size()) {
      for (const AccessLogTarget& setting : location.settings.log.access_log) {
        by_location_[id].push_back(TargetFor(setting, diagnostics));
      }
      if (!location.settings.log.access_log_set) {
        by_location_[id].push_back(TargetFor(default_target_, diagnostics));
      }
    }
    for (const auto& one : location.locations) Walk(*one, diagnostics);
    for (const auto& one : location.rewrite) {
      if (one.location != nullptr) Walk(*one.location, diagnostics);
    }
    if (location.limit_except != nullptr) Walk(*location.limit_except, diagnostics);
  }

  // Copies of one directive have one place in the configuration and are one target.
  Target* TargetFor(const AccessLogTarget& setting, config::Diagnostics& diagnostics) {
    const auto key = std::make_tuple(setting.at.file.data(), setting.at.line, setting.path.source,
                                     setting.format);
    Target*& known = known_[key];
    if (known != nullptr) return known;
    targets_.push_back(std::make_unique<Target>());
    known = targets_.back().get();
    known->setting = &setting;
    if (!setting.path.constant()) return known;
    const std::string path(setting.path.constant_text());
    if (path.starts_with("syslog:")) {
      auto sink = OpenSyslog(path);
      if (sink.ok()) {
        known->syslog = std::move(sink).value();
      } else {
        diagnostics.Error(setting.at, sink.error().message);
      }
      return known;
    }
    auto file = FileLogSink::Open(config_.FullPath(path));
    if (file.ok()) {
      known->file = std::move(file).value();
    } else {
      diagnostics.Error(setting.at, file.error().message);
    }
    return known;
  }

  void WriteTo(Exchange& exchange, Target& target) {
    const AccessLogTarget& setting = *target.setting;
    if (setting.condition.has_value()) {
      const std::string_view value = exchange.Expand(*setting.condition);
      if (value.empty() || value == "0") return;
    }
    const config::LogFormat& format =
        setting.format != nullptr ? *setting.format : config_.http.log_formats.front();
    line_.clear();
    AppendLogLine(exchange, format, line_);
    if (target.syslog != nullptr) {
      target.syslog->WriteLine(LogLevel{0}, line_);
      return;
    }
    line_ += '\n';
    if (target.file == nullptr) return WriteByName(exchange, setting);
    if (setting.buffer_size == 0) return WriteFile(target.file->fd(), line_, target.file->path());
    if (target.buffer.size() + line_.size() > setting.buffer_size) FlushTarget(target);
    if (line_.size() > setting.buffer_size) {
      const std::string out = setting.gzip_level > 0 ? Gzip(line_, setting.gzip_level) : line_;
      return WriteFile(target.file->fd(), out, target.file->path());
    }
    target.buffer += line_;
  }

  void FlushTarget(Target& target) {
    if (target.buffer.empty() || target.file == nullptr) return;
    const int level = target.setting->gzip_level;
    const std::string out = level > 0 ? Gzip(target.buffer, level) : std::move(target.buffer);
    target.buffer.clear();
    WriteFile(target.file->fd(), out, target.file->path());
  }

  // A path with variables: the client may choose it, so the root must exist, as in nginx.
  void WriteByName(Exchange& exchange, const AccessLogTarget& setting) {
    const std::string path = config_.FullPath(exchange.Expand(setting.path));
    struct stat info {};
    const std::string_view root = exchange.Expand(exchange.settings().core.root);
    if (!root.empty() && ::stat(config_.FullPath(root).c_str(), &info) != 0) {
      exchange.LogError(LogLevel::kError, "testing \"" + std::string(root) + "\" existence failed",
                        errno);
      return;
    }
    const auto found = open_files_.find(path);
    if (found != open_files_.end()) return WriteFile(found->second.get(), line_, path);
    if (open_files_.size() >= kOpenFiles) open_files_.erase(open_files_.begin());
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
    if (!fd.valid()) {
      exchange.LogError(LogLevel::kCrit, "open() \"" + path + "\" failed", errno);
      return;
    }
    WriteFile(fd.get(), line_, path);
    open_files_.emplace(path, std::move(fd));
  }

  void WriteFile(int fd, std::string_view text, const std::string& path) {
    ssize_t written;
    do {
      written = ::write(fd, text.data(), text.size());
    } while (written < 0 && errno == EINTR);
    if (written == static_cast<ssize_t>(text.size())) return;
    // A full disk must not flood the error log: one line a minute.
    const int64_t now = CachedNow().unix_seconds();
    if (now < next_complaint_) return;
    next_complaint_ = now + 60;
    MainLog().Write(LogLevel::kCrit, "write() to \"" + path + "\" failed", nullptr,
                    written < 0 ? errno : 0);
  }

  const config::Config& config_;
  AccessLogTarget default_target_;  // where no access_log is set
  bool test_only_ = false;
  event::EventLoop* loop_ = nullptr;
  std::unique_ptr<event::Timer> flush_timer_;
  std::vector<std::unique_ptr<Target>> targets_;
  std::vector<std::vector<Target*>> by_location_;
  std::map<std::tuple<const char*, int, std::string, const config::LogFormat*>, Target*> known_;
  std::unordered_map<std::string, UniqueFd> open_files_;
  std::string line_;
  int64_t next_complaint_ = 0;
};

}  // namespace

std::unique_ptr<AccessLogs> AccessLogs::Open(const config::Config& config, bool test_only,
                                             config::Diagnostics& diagnostics) {
  auto logs = std::make_unique<Logs>(config);
  logs->OpenAll(test_only, diagnostics);
  return logs;
}

}  // namespace framewall::observe
