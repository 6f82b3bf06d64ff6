// The whole configuration, typed, constant once built.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/base/log.h"
#include "proxy/base/parse.h"
#include "proxy/base/regex.h"
#include "proxy/config/directive.h"
#include "proxy/config/model/core.h"
#include "proxy/config/model/jwt.h"
#include "proxy/config/model/limits.h"
#include "proxy/config/model/listen.h"
#include "proxy/config/model/map.h"
#include "proxy/config/model/proxy.h"
#include "proxy/config/model/redis.h"
#include "proxy/config/model/rewrite.h"
#include "proxy/config/model/tls.h"
#include "proxy/config/model/upstream.h"
#include "proxy/config/model/websocket.h"
#include "proxy/config/template.h"
#include "proxy/config/variable_scope.h"

namespace framewall::config {

// What a location's child inherits. Copied when a block is entered, after its own leaves were
// applied; rows of the directive table say which members are replaced as lists.
struct LocationSettings {
  CoreSettings core;
  HeaderSettings headers;
  AccessSettings access;
  RealIpSettings real_ip;
  LogSettings log;
  ProxySettings proxy;
  WafSettings waf;
  LimitSettings limits;
  WebSocketSettings websocket;
  JwtSettings jwt;
  SocketTokenSettings socket_token;
  bool rewrite_log = false;
  bool uninitialized_variable_warn = true;
  std::vector<std::pair<VariableSlot, Template>> auth_request_set;
  // valid_referers, of this level only.
  struct ValidReferers {
    bool set = false;
    bool none = false, blocked = false, server_names = false;
    std::vector<std::string> names;  // "*.example.com/path", "example.*", exact
    std::vector<const Regex*> regexes;
  } referers;
};

enum class ContentKind : uint8_t { kStatic, kProxy, kStubStatus, kMetrics, kEmptyGif };

struct LocationConfig {
  enum class Match : uint8_t {
    kServer,
    kPrefix,
    kPrefixNoRegex,
    kExact,
    kRegex,
    kNamed,
    kIf,
    kExcept
  };
  Match match = Match::kPrefix;
  std::string name;  // "/a/", "@named", the regex as written
  RegexUse regex;
  LocationSettings settings;
  bool internal_only = false;
  // alias: octets of the URI that it replaces (the length of the location's name; a nested location
  // or an `if` that inherits the alias keeps its parent's); npos: the whole URI (a regex location).
  size_t alias_prefix_length = 0;
  ContentKind content = ContentKind::kStatic;
  ProxyPass proxy_pass;
  std::optional<TryFiles> try_files;
  RewriteProgram rewrite;
  // limit_except: the methods that are free of it (bits by http::Method's number), and the settings
  // for all others.
  uint32_t limit_except_methods = 0;
  std::unique_ptr<LocationConfig> limit_except;
  std::vector<std::unique_ptr<LocationConfig>> locations;  // nested, in order of appearance
  LocationConfig* parent = nullptr;
  int id = 0;  // unique in the Config: per-location run-time state is kept in arrays
  // The error log of this location, opened when the cycle's resources are built; null: the main
  // log. Owned by those resources.
  mutable const Log* log = nullptr;
  SourceLocation at;
};

// Belongs to a server and is known before the location (inherited from http).
struct ServerSettings {
  uint64_t client_header_buffer_size = 1024;
  uint64_t large_client_header_buffers_count = 4;
  uint64_t large_client_header_buffers_size = 8192;
  Milliseconds client_header_timeout{60000};
  bool ignore_invalid_headers = true;
  bool underscores_in_headers = false;
  bool merge_slashes = true;
  TlsSettings tls;
};

struct ServerConfig {
  std::vector<ListenConfig> listens;
  std::vector<ServerName> names;
  ServerSettings settings;
  // The server itself as a location: its settings, its rewrite program, its locations.
  LocationConfig root;
  // The masked arguments of all its blocks: a line may be written before the location is known, or
  // by another that an internal redirect leads to.
  std::vector<std::string> masked_arguments;
  int index = 0;  // in HttpConfig::servers
  SourceLocation at;
  // $server_name: the first name as written, or empty.
  std::string primary_name() const { return names.empty() ? std::string() : names[0].source; }
};

struct HttpConfig {
  bool present = false;
  LocationSettings settings;
  ServerSettings server_settings;
  std::vector<std::unique_ptr<ServerConfig>> servers;
  std::vector<std::unique_ptr<UpstreamConfig>> upstreams;
  std::vector<std::unique_ptr<LimitZone>> limit_zones;
  std::vector<std::unique_ptr<RedisConfig>> redis;
  std::deque<LogFormat> log_formats;  // "combined" is first
  std::deque<MapConfig> maps;
  std::deque<GeoConfig> geos;
  std::vector<Geoip2Database> geoip2_databases;
  std::vector<Geoip2Variable> geoip2_variables;
  CidrSet geoip2_proxies;  // geoip2_proxy
  bool geoip2_proxy_recursive = false;
  std::deque<SplitClientsConfig> split_clients;
  std::deque<TokenVariable> token_variables;
  std::deque<MediaTypes> types;
  std::deque<AccessList> access_lists;
  // Of all servers: a Referer may come from any of them, and an error may come before the server is
  // known.
  std::vector<std::string> masked_arguments;
  int location_count = 0;
};

struct EventsConfig {
  bool present = false;
  uint64_t worker_connections = 512;
  bool multi_accept = false;
};

struct MainConfig {
  std::string user = "nobody";  // as the build says: Debian's is www-data
  std::string group;            // empty: the user's own
  bool user_set = false;
  int worker_processes = 1;  // "auto": the number of cores
  bool daemon = true;
  bool master_process = true;
  std::string pid_path;  // absolute
  std::vector<ErrorLogTarget> error_log;
  uint64_t worker_rlimit_nofile = 0;
  std::optional<uint64_t> worker_rlimit_core;
  Milliseconds worker_shutdown_timeout{0};  // 0: no limit
  int worker_priority = 0;
  std::string working_directory;
  std::vector<std::string> env;         // "NAME" or "NAME=VALUE"
  uint64_t worker_old_generations = 8;  // ours: draining generations kept at once
};

struct Config {
  MainConfig main;
  EventsConfig events;
  HttpConfig http;
  VariableScope variables;
  SourceFiles files;
  std::deque<Regex> regexes;
  std::string prefix;     // -p, absolute with a trailing slash
  std::string conf_path;  // -c, absolute

  // A path as nginx reads it: relative to the prefix.
  std::string FullPath(std::string_view path) const;
  // Relative to the folder of the main configuration file (certificates, include, rules).
  std::string ConfPath(std::string_view path) const;
};

}  // namespace framewall::config
