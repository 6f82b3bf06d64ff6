// The core of nginx's http module, as a location sees it. Defaults are nginx's.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/base/network_map.h"
#include "proxy/base/parse.h"
#include "proxy/config/directive.h"
#include "proxy/config/template.h"

namespace framewall::config {

// File name extension (lower case) to media type.
using MediaTypes = std::map<std::string, std::string, std::less<>>;

struct ErrorPage {
  std::vector<int> statuses;
  // No value: keep the original status. 0: "=" alone, the status of the answer.
  std::optional<int> response_status;
  Template target;  // "/50x.html", "@named", "http://…"
};

struct TryFiles {
  std::vector<Template> files;  // "$uri", "$uri/" (a directory)
  Template last;                // URI or @named
  int last_status = 0;          // "=404"
};

struct ResolverSettings {
  std::vector<SocketAddress> servers;
  std::optional<Milliseconds> valid;
  bool ipv4 = true;
  bool ipv6 = true;
};

enum class Satisfy : uint8_t { kAll, kAny };
enum class BodyInFile : uint8_t { kOff, kClean, kOn };
enum class LingeringClose : uint8_t { kOff, kOn, kAlways };
enum class IfModifiedSince : uint8_t { kOff, kExact, kBefore };
enum class ServerTokens : uint8_t { kOff, kOn, kBuild };

struct CoreSettings {
  Template root;                            // "html" unless set, made absolute with the prefix
  bool root_is_alias = false;               // alias: replaces the location's prefix
  std::vector<Template> index;              // "index.html" unless set
  Template default_type;                    // "text/plain" unless set
  const MediaTypes* types = nullptr;        // owned by Config; never null after the build
  uint64_t client_max_body_size = 1 << 20;  // 0: no limit
  uint64_t client_body_buffer_size = 16384;
  Milliseconds client_body_timeout{60000};
  std::string client_body_temp_path;  // absolute; the default depends on the prefix
  BodyInFile client_body_in_file_only = BodyInFile::kOff;
  bool client_body_in_single_buffer = false;
  Milliseconds send_timeout{60000};
  Milliseconds keepalive_timeout{75000};  // 0: no keep-alive
  int64_t keepalive_header_seconds = -1;  // second argument; -1: no Keep-Alive field
  uint64_t keepalive_requests = 1000;
  Milliseconds keepalive_time{3600000};
  bool keepalive_disable_msie6 = true;
  bool keepalive_disable_safari = false;
  LingeringClose lingering_close = LingeringClose::kOn;
  Milliseconds lingering_time{30000};
  Milliseconds lingering_timeout{5000};
  bool reset_timedout_connection = false;
  Satisfy satisfy = Satisfy::kAll;
  bool etag = true;
  IfModifiedSince if_modified_since = IfModifiedSince::kExact;
  std::optional<uint64_t> max_ranges;
  Template limit_rate;  // octets per second; "0" or empty: none
  Template limit_rate_after;
  std::vector<ErrorPage> error_pages;
  bool recursive_error_pages = false;
  ServerTokens server_tokens = ServerTokens::kOn;
  bool absolute_redirect = true;
  bool server_name_in_redirect = false;
  bool port_in_redirect = true;
  bool chunked_transfer_encoding = true;
  bool log_not_found = true;
  bool tcp_nodelay = true;
  ResolverSettings resolver;
  Milliseconds resolver_timeout{30000};
  // Read when a location sends a file from disk.
  uint64_t output_buffer_size = 32768;
};

struct HeaderLine {
  std::string name;
  Template value;
  bool always = false;
};

enum class ExpiresKind : uint8_t {
  kOff,
  kUnmodified,
  kEpoch,
  kMax,
  kAfter,
  kAfterModified,
  kDaily
};

// expires: the value may be a template whose result is parsed anew.
struct ExpiresSettings {
  bool set = false;
  Template value;         // the last argument as written
  bool modified = false;  // "expires modified +24h"
};

struct HeaderSettings {
  std::vector<HeaderLine> add_header;   // replaced as a list
  std::vector<HeaderLine> add_trailer;  // replaced as a list
  ExpiresSettings expires;
};

struct AccessRule {
  enum class Match : uint8_t { kAll, kUnix, kNetwork };
  bool allow = false;
  Match match = Match::kAll;
  Cidr network;
};

// allow and deny of a level, or its set_real_ip_from, in order.
struct AccessList {
  std::vector<AccessRule> rules;
  // To the number of the first rule that fits. Made when the configuration is whole.
  NetworkMap networks;
  // The first that fits a client on a Unix socket.
  std::optional<size_t> first_for_unix;
};

struct AccessSettings {
  AccessList* list = nullptr;  // owned by Config; null: no rules. Replaced as a list
  Template auth_basic;         // realm; "off" or empty: none
  Template auth_basic_user_file;
  Milliseconds auth_basic_cache{10'000};  // a right password is remembered; 0: never
  Milliseconds auth_delay{0};
  std::string auth_request;  // the URI that decides; empty: none
};

struct RealIpSettings {
  AccessList* from = nullptr;        // set_real_ip_from, all allowed; owned by Config; null: none
  std::string header = "X-Real-IP";  // or "proxy_protocol"
  bool recursive = false;
};

struct LogFormat;

struct AccessLogTarget {
  Template path;                      // a file, "/dev/stdout", or "syslog:server=…"
  const LogFormat* format = nullptr;  // owned by HttpConfig; null: combined
  std::optional<Template> condition;  // if=
  uint64_t buffer_size = 0;
  Milliseconds flush{0};
  int gzip_level = 0;
  SourceLocation at;
};

struct ErrorLogTarget {
  std::string path;  // a file, "stderr", or "syslog:…"
  int level = 4;     // LogLevel
  SourceLocation at;
};

struct LogSettings {
  std::vector<AccessLogTarget> access_log;  // replaced as a list
  bool access_log_set = false;              // false: logs/access.log combined
  std::vector<ErrorLogTarget> error_log;    // replaced as a list; empty: the main log's
  bool log_subrequest = false;
  // Arguments whose values no log shows; lower case. What a level says with log_mask_arguments
  // replaces what it inherits; what other directives add (MaskArgument) is never dropped.
  std::vector<std::string> mask_arguments;
  std::vector<std::string> secret_arguments;
};

enum class LogEscape : uint8_t { kDefault, kJson, kNone };
struct LogFormat {
  std::string name;
  LogEscape escape = LogEscape::kDefault;
  Template format;
};

struct ModSecuritySource {
  enum class Kind : uint8_t { kInline, kFile, kRemote };
  Kind kind = Kind::kInline;
  std::string text;  // rules, path or URL
  std::string key;   // remote only
  SourceLocation at;
};

enum class WafOrder : uint8_t { kConnector, kLate };
enum class OnWafError : uint8_t { kDeny, kPass };
enum class WafBodyEncoding : uint8_t { kInflate, kRefuse, kPass };
enum class WafResponseOverLimit : uint8_t { kPass, kDeny };

// The connector's directives and ours; waf/ gives them meaning.
struct WafSettings {
  bool enabled = false;  // modsecurity
  // Every source from http, server and location in the order in which the connector merges them:
  // the parents' first. Not dropped by a child's own, as the connector merges.
  std::vector<ModSecuritySource> sources;
  // modsecurity_variable: names in TX, lower case, each once; those of the parents too.
  std::vector<std::pair<std::string, Template>> variables;
  Template transaction_id;  // empty: one of ours
  bool use_error_log = true;
  // modsecurity_audit_mask_fields, replaced as a list. `off` masks nothing, not even header fields.
  bool audit_mask = true;
  bool audit_mask_defaults = true;  // waf's own list of names
  std::vector<std::string> audit_mask_fields;
  WafOrder order = WafOrder::kConnector;
  OnWafError on_error = OnWafError::kDeny;
  WafBodyEncoding request_encoding = WafBodyEncoding::kInflate;  // waf_request_encoding
  WafBodyEncoding response_encoding =
      WafBodyEncoding::kRefuse;            // kRefuse: Accept-Encoding is not passed on
  uint64_t inflate_limit = 1 << 20;        // waf_inflate_limit: octets after inflating
  uint64_t request_hold_limit = 16 << 20;  // waf_request_hold_limit per request
  uint64_t worker_hold_limit = 256 << 20;  // waf_worker_hold_limit
};

}  // namespace framewall::config
