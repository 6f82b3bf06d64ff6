#include "proxy/server/resources.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <string>

#include "proxy/observe/error_logs.h"
#include "proxy/server/loaded_resources.h"
#include "proxy/server/redis_clients.h"

namespace framewall::server {
namespace {

using config::LocationConfig;

// Loads the rules of every level; a level without rules of its own shares its parent's.
class RuleWalk {
 public:
  RuleWalk(const config::Config& config, LoadedResources& resources,
           config::Diagnostics& diagnostics)
      : config_(config), resources_(resources), diagnostics_(diagnostics) {}

  void Run() {
    if (!AnyEnabled()) return;
    resources_.engine = &waf::Engine::Create("framewall/0.1.0");
    loader_ = std::make_unique<waf::RuleLoader>(*resources_.engine, config_.prefix);
    resources_.rule_sets.resize(static_cast<size_t>(config_.http.location_count));
    const Level http = Load({}, config_.http.settings.waf);
    for (const auto& server : config_.http.servers) Walk(server->root, http);
    Warn();
  }

 private:
  struct Level {
    std::shared_ptr<const waf::RuleSet> rules;
    size_t source_count = 0;
  };

  bool AnyEnabled() const {
    if (config_.http.settings.waf.enabled) return true;
    for (const auto& server : config_.http.servers) {
      if (Enabled(server->root)) return true;
    }
    return false;
  }

  static bool Enabled(const LocationConfig& location) {
    if (location.settings.waf.enabled) return true;
    for (const auto& one : location.locations) {
      if (Enabled(*one)) return true;
    }
    for (const auto& one : location.rewrite) {
      if (one.location != nullptr && Enabled(*one.location)) return true;
    }
    return location.limit_except != nullptr && Enabled(*location.limit_except);
  }

  void Walk(const LocationConfig& location, const Level& parent) {
    const Level level = Load(parent, location.settings.waf);
    const auto id = static_cast<size_t>(location.id);
    if (id < resources_.rule_sets.size()) resources_.rule_sets[id] = level.rules;
    for (const auto& one : location.locations) Walk(*one, level);
    for (const auto& one : location.rewrite) {
      if (one.location != nullptr) Walk(*one.location, level);
    }
    if (location.limit_except != nullptr) Walk(*location.limit_except, level);
  }

  Level Load(const Level& parent, const config::WafSettings& settings) {
    Level level = parent;
    level.source_count = settings.sources.size();
    if (settings.sources.size() <= parent.source_count) return level;
    std::vector<waf::RuleSource> own;
    for (size_t i = parent.source_count; i < settings.sources.size(); ++i) {
      const config::ModSecuritySource& from = settings.sources[i];
      waf::RuleSource source;
      switch (from.kind) {
        case config::ModSecuritySource::Kind::kInline:
          source.kind = waf::RuleSource::Kind::kInline;
          break;
        case config::ModSecuritySource::Kind::kFile:
          source.kind = waf::RuleSource::Kind::kFile;
          break;
        case config::ModSecuritySource::Kind::kRemote:
          source.kind = waf::RuleSource::Kind::kRemote;
          break;
      }
      source.text = from.text;
      source.key = from.key;
      source.file = std::string(from.at.file);
      // A directive's place is that of its ';', where inline rules end.
      source.line =
          from.at.line - static_cast<int>(std::count(from.text.begin(), from.text.end(), '\n'));
      own.push_back(std::move(source));
    }
    std::vector<waf::RuleError> errors;
    auto loaded = loader_->Load(parent.rules, own, &errors);
    for (const waf::RuleError& error : errors) {
      diagnostics_.Error(config::SourceLocation{}, error.Text());
    }
    if (loaded != nullptr) level.rules = std::move(loaded);
    return level;
  }

  // What works, but not as its author may think.
  void Warn() {
    std::set<std::string> said;
    for (const auto& rules : resources_.rule_sets) {
      if (rules == nullptr) continue;
      for (const waf::RuleWarning& warning : rules->warnings()) {
        if (warning.kind == waf::RuleWarning::Kind::kPersistentCollection &&
            config_.main.worker_processes <= 1) {
          continue;
        }
        if (said.insert(warning.Text()).second) {
          diagnostics_.Warn(config::SourceLocation{}, warning.Text());
        }
      }
    }
  }

  const config::Config& config_;
  LoadedResources& resources_;
  config::Diagnostics& diagnostics_;
  std::unique_ptr<waf::RuleLoader> loader_;
};

// Each file once, however many locations name it.
class SchemaWalk {
 public:
  SchemaWalk(LoadedResources& resources, config::Diagnostics& diagnostics)
      : resources_(resources), diagnostics_(diagnostics) {}

  void Run(const config::Config& config) {
    for (const auto& server : config.http.servers) Walk(server->root);
  }

 private:
  void Walk(const LocationConfig& location) {
    Load(location.settings.websocket);
    for (const auto& one : location.locations) Walk(*one);
    for (const auto& one : location.rewrite) {
      if (one.location != nullptr) Walk(*one.location);
    }
    if (location.limit_except != nullptr) Walk(*location.limit_except);
  }

  void Load(const config::WebSocketSettings& settings) {
    if (settings.schema.empty() || resources_.schemas.contains(settings.schema)) return;
    json::SchemaReport report;
    resources_.schemas[settings.schema] = json::Schema::Load(settings.schema, report);
    for (const std::string& text : report.errors) {
      diagnostics_.Error(settings.schema_at, "\"websocket_schema\": " + text);
    }
    for (const std::string& text : report.warnings) {
      diagnostics_.Warn(settings.schema_at, "\"websocket_schema\": " + text);
    }
  }

  LoadedResources& resources_;
  config::Diagnostics& diagnostics_;
};

void CollectTempPaths(const LocationConfig& location, std::set<std::string>& paths) {
  paths.insert(location.settings.core.client_body_temp_path);
  for (const auto& one : location.locations) CollectTempPaths(*one, paths);
}

// With the folders above it.
Status MakeDirectories(const std::string& path) {
  for (size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    if (::mkdir(path.substr(0, slash).c_str(), 0755) != 0 && errno != EEXIST) {
      return SystemError("mkdir() \"" + path.substr(0, slash) + "\" failed", errno);
    }
  }
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return SystemError("mkdir() \"" + path + "\" failed", errno);
  }
  return OkStatus();
}

std::set<std::string> TempPaths(const config::Config& config) {
  std::set<std::string> paths;
  for (const auto& server : config.http.servers) CollectTempPaths(server->root, paths);
  if (config.http.present) {
    paths.insert(config.http.settings.core.client_body_temp_path);
    paths.insert(config.http.settings.proxy.temp_path);
  }
  paths.erase("");
  std::set<std::string> full;
  for (const std::string& path : paths) full.insert(config.FullPath(path));
  return full;
}

}  // namespace

std::unique_ptr<Resources> Resources::Build(const config::Config& config, Resources* previous,
                                            metrics::Registry*, bool test_only,
                                            config::Diagnostics& diagnostics) {
  auto* old = static_cast<LoadedResources*>(previous);
  auto made = std::make_unique<LoadedResources>();
  made->config = &config;
  made->error_logs = observe::OpenLocationErrorLogs(config, test_only, diagnostics);
  made->access_logs = observe::AccessLogs::Open(config, test_only, diagnostics);
  made->tls = TlsContexts::Build(config, old == nullptr ? nullptr : old->tls.get(), diagnostics);
  made->client_tls = upstream::BuildClientTls(config, diagnostics);
  made->jwt_key_files = filter::JwtKeyFiles::Load(config, diagnostics);
  made->geoip2 =
      route::Geoip2::Open(config, old == nullptr ? nullptr : old->geoip2.get(), diagnostics);
  made->redis_tls = BuildRedisTls(config, diagnostics);
  RuleWalk(config, *made, diagnostics).Run();
  SchemaWalk(*made, diagnostics).Run(config);
  auto state =
      upstream::SharedState::Make(config, old == nullptr ? nullptr : old->upstream_state.get());
  if (state.ok()) {
    made->upstream_state = std::move(state).value();
  } else {
    diagnostics.Error(config::SourceLocation{}, state.error().message);
  }
  auto zones =
      filter::LimitZones::Make(config.http, old == nullptr ? nullptr : old->limit_zones.get());
  if (zones.ok()) {
    made->limit_zones = std::move(zones).value();
  } else {
    diagnostics.Error(config::SourceLocation{}, zones.error().message);
  }
  if (!test_only) {
    for (const std::string& path : TempPaths(config)) {
      if (Status made_path = MakeDirectories(path); !made_path.ok()) {
        diagnostics.Error(config::SourceLocation{}, made_path.error().message);
      }
    }
  }
  if (diagnostics.has_errors()) return nullptr;
  return made;
}

Status LoadedResources::GiveTo(unsigned to_uid, unsigned to_gid) {
  uid = to_uid;
  gid = to_gid;
  given = true;
  for (const std::string& path : TempPaths(*config)) {
    if (::chown(path.c_str(), uid, gid) != 0) {
      return SystemError("chown(\"" + path + "\") failed", errno);
    }
  }
  if (access_logs != nullptr) access_logs->Chown(uid, gid);
  if (engine != nullptr) {
    for (const std::string& problem : engine->PrepareAuditStorage({uid, gid})) {
      MainLog().Write(LogLevel::kError, problem);
    }
  }
  return OkStatus();
}

void LoadedResources::ReopenLogs() {
  for (const std::string& problem : ReopenLogFiles()) MainLog().Write(LogLevel::kError, problem);
  if (access_logs != nullptr) access_logs->Reopen();
  if (given) {
    ChownLogFiles(uid, gid);
    if (access_logs != nullptr) access_logs->Chown(uid, gid);
  }
  if (engine == nullptr) return;
  const auto owner = given && ::geteuid() == 0
                         ? std::optional<waf::FileOwner>(waf::FileOwner{uid, gid})
                         : std::nullopt;
  for (const std::string& problem : engine->ReopenAuditLogs(owner)) {
    MainLog().Write(LogLevel::kError, problem);
  }
}

}  // namespace framewall::server
