// proxy_pass and everything beside it. Defaults are nginx's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proxy/base/parse.h"
#include "proxy/config/model/core.h"
#include "proxy/config/model/rewrite.h"
#include "proxy/config/template.h"

namespace framewall::config {

struct UpstreamConfig;

struct ProxyRedirect {
  enum class Kind : uint8_t { kPrefix, kRegex };
  Kind kind = Kind::kPrefix;
  Template from;  // kPrefix
  RegexUse regex;
  Template to;
};

struct ProxyCookieRewrite {
  enum class Kind : uint8_t { kPrefix, kRegex };
  Kind kind = Kind::kPrefix;
  Template from;
  RegexUse regex;
  Template to;
};

struct ProxyCookieFlags {
  Template cookie;  // name, or a regex
  RegexUse regex;
  bool is_regex = false;
  std::vector<Template> flags;  // secure, httponly, samesite=strict, nosecure, …
};

// proxy_next_upstream
enum NextUpstream : uint32_t {
  kNextError = 1 << 0,
  kNextTimeout = 1 << 1,
  kNextInvalidHeader = 1 << 2,
  kNextHttp500 = 1 << 3,
  kNextHttp502 = 1 << 4,
  kNextHttp503 = 1 << 5,
  kNextHttp504 = 1 << 6,
  kNextHttp403 = 1 << 7,
  kNextHttp404 = 1 << 8,
  kNextHttp429 = 1 << 9,
  kNextNonIdempotent = 1 << 10,
  kNextOff = 1 << 11,
};

// proxy_ignore_headers
enum IgnoreHeaders : uint32_t {
  kIgnoreAccelRedirect = 1 << 0,
  kIgnoreAccelExpires = 1 << 1,
  kIgnoreAccelLimitRate = 1 << 2,
  kIgnoreAccelBuffering = 1 << 3,
  kIgnoreAccelCharset = 1 << 4,
  kIgnoreExpires = 1 << 5,
  kIgnoreCacheControl = 1 << 6,
  kIgnoreSetCookie = 1 << 7,
  kIgnoreVary = 1 << 8,
};

// TLS towards an upstream (proxy_ssl_*), and for clients (ssl_*): see tls.h for the server side.
struct ProxyTlsSettings {
  uint32_t protocols = 0;  // bits of TlsProtocol; 0: default
  std::string ciphers = "DEFAULT";
  Template certificate;  // empty: none; may hold names
  Template certificate_key;
  std::string password_file;
  std::string trusted_certificate;
  std::string crl;
  bool verify = false;
  int verify_depth = 1;
  bool server_name = false;  // SNI
  Template name;             // empty: $proxy_host
  bool session_reuse = true;
  std::vector<std::pair<std::string, std::string>> conf_commands;
  SourceLocation at;
};

struct ProxySettings {
  // proxy_set_header: replaced as a list; nginx's defaults (Host $proxy_host, Connection close)
  // hold for what the list does not name.
  std::vector<HeaderLine> set_header;
  Template method;  // empty: the client's
  std::optional<Template> set_body;
  bool http11 = false;  // proxy_http_version 1.1
  bool http_version_set = false;
  bool pass_request_headers = true;
  bool pass_request_body = true;
  bool request_buffering = true;
  bool buffering = true;
  uint64_t buffer_size = 4096;
  uint64_t buffers_count = 8;
  uint64_t buffers_size = 4096;
  uint64_t busy_buffers_size = 8192;
  uint64_t max_temp_file_size = 1024ull << 20;
  std::string temp_path;  // proxy_temp_path, made at the start as nginx does; nothing is put there
  Milliseconds connect_timeout{60000};
  Milliseconds send_timeout{60000};
  Milliseconds read_timeout{60000};
  uint32_t next_upstream = kNextError | kNextTimeout;
  uint64_t next_upstream_tries = 0;
  Milliseconds next_upstream_timeout{0};
  bool intercept_errors = false;
  bool ignore_client_abort = false;
  uint32_t ignore_headers = 0;
  std::vector<std::string> hide_header;  // replaced as a list; the built-in list is added
  std::vector<std::string> pass_header;  // replaced as a list
  bool redirect_default = true;
  bool redirect_off = false;
  std::vector<ProxyRedirect> redirects;  // replaced as a list
  std::vector<ProxyCookieRewrite> cookie_domain;
  std::vector<ProxyCookieRewrite> cookie_path;
  std::vector<ProxyCookieFlags> cookie_flags;
  Template bind;  // empty or "off": none
  bool bind_transparent = false;
  bool socket_keepalive = false;
  Template limit_rate;
  bool force_ranges = false;
  ProxyTlsSettings tls;
};

// proxy_pass itself; not inherited, but by `if` and limit_except inside its location.
struct ProxyPass {
  bool set = false;
  bool secure = false;                 // https://
  bool has_uri = false;                // a part after the address replaces the location's prefix
  std::string uri;                     // that part, without names
  bool has_variables = false;          // `url` is expanded for each request
  Template url;                        // whole, as written
  std::string host_text;               // $proxy_host: "backend", "127.0.0.1:8080"
  UpstreamConfig* upstream = nullptr;  // defined or implied; null with has_variables
  SourceLocation at;
};

}  // namespace framewall::config
