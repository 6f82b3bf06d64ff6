// Directives that change what clients get or who may get it: without them the site would be
// another, so the start is refused.
#include "proxy/config/directives/unsupported.h"

namespace framewall::config {
namespace {

constexpr ContextSet kHsl = kHttpServerLocation;
constexpr ContextSet kContent = kLocation | kIfInLocation;

constexpr std::string_view kFastcgi[] = {"fastcgi_pass"};
constexpr std::string_view kUwsgi[] = {"uwsgi_pass"};
constexpr std::string_view kScgi[] = {"scgi_pass"};
constexpr std::string_view kGrpc[] = {"grpc_pass"};
constexpr std::string_view kMemcached[] = {"memcached_pass"};
constexpr std::string_view kTunnel[] = {"tunnel_pass",
                                        "tunnel_bind",
                                        "tunnel_buffer_size",
                                        "tunnel_connect_timeout",
                                        "tunnel_next_upstream",
                                        "tunnel_next_upstream_timeout",
                                        "tunnel_next_upstream_tries",
                                        "tunnel_read_timeout",
                                        "tunnel_send_lowat",
                                        "tunnel_send_timeout",
                                        "tunnel_socket_keepalive",
                                        "tunnel_socket_rcvbuf",
                                        "tunnel_socket_sndbuf"};
constexpr std::string_view kMail[] = {"mail"};
constexpr std::string_view kStream[] = {"stream"};
constexpr std::string_view kEngine[] = {"ssl_engine"};
constexpr std::string_view kPerlHttp[] = {"perl_modules", "perl_require", "perl_set"};
constexpr std::string_view kPerl[] = {"perl"};
constexpr std::string_view kJs[] = {"js_import",
                                    "js_path",
                                    "js_set",
                                    "js_var",
                                    "js_include",
                                    "js_content",
                                    "js_header_filter",
                                    "js_body_filter",
                                    "js_periodic",
                                    "js_preload_object",
                                    "js_shared_dict_zone",
                                    "js_access",
                                    "js_engine",
                                    "js_context_reuse",
                                    "js_fetch_buffer_size",
                                    "js_fetch_ciphers",
                                    "js_fetch_max_response_buffer_size",
                                    "js_fetch_protocols",
                                    "js_fetch_timeout",
                                    "js_fetch_trusted_certificate",
                                    "js_fetch_verify",
                                    "js_fetch_verify_depth"};
constexpr std::string_view kLua[] = {"lua_package_path",
                                     "lua_package_cpath",
                                     "lua_shared_dict",
                                     "lua_code_cache",
                                     "init_by_lua_block",
                                     "init_by_lua_file",
                                     "init_worker_by_lua_block",
                                     "init_worker_by_lua_file",
                                     "set_by_lua_block",
                                     "set_by_lua_file",
                                     "rewrite_by_lua_block",
                                     "rewrite_by_lua_file",
                                     "access_by_lua_block",
                                     "access_by_lua_file",
                                     "content_by_lua_block",
                                     "content_by_lua_file",
                                     "header_filter_by_lua_block",
                                     "header_filter_by_lua_file",
                                     "body_filter_by_lua_block",
                                     "body_filter_by_lua_file",
                                     "log_by_lua_block",
                                     "log_by_lua_file",
                                     "balancer_by_lua_block",
                                     "balancer_by_lua_file",
                                     "ssl_certificate_by_lua_block",
                                     "ssl_certificate_by_lua_file"};
constexpr std::string_view kSub[] = {"sub_filter", "subs_filter"};
constexpr std::string_view kAddition[] = {"add_before_body", "add_after_body"};
constexpr std::string_view kCharsetMap[] = {"charset_map"};
constexpr std::string_view kCachePath[] = {"proxy_cache_path", "proxy_cache_purge"};
constexpr std::string_view kFlv[] = {"flv", "mp4"};
constexpr std::string_view kXslt[] = {"xslt_stylesheet"};
constexpr std::string_view kSecureLink[] = {"secure_link", "secure_link_md5", "secure_link_secret"};
constexpr std::string_view kAuthOther[] = {
    "auth_pam",    "auth_pam_service_name", "auth_ldap", "auth_ldap_servers",
    "auth_digest", "oidc_provider",         "auth_oidc"};
constexpr std::string_view kBrowser[] = {"modern_browser", "ancient_browser",
                                         "modern_browser_value", "ancient_browser_value"};
constexpr std::string_view kGeoip[] = {"geoip_country", "geoip_org", "geoip_city", "geoip_proxy",
                                       "geoip_proxy_recursive"};
constexpr std::string_view kDegradation[] = {"degradation"};
constexpr std::string_view kDegrade[] = {"degrade"};
constexpr std::string_view kPostAction[] = {"post_action"};
constexpr std::string_view kHeadersMore[] = {"more_set_headers", "more_clear_headers",
                                             "more_set_input_headers", "more_clear_input_headers"};
constexpr std::string_view kEcho[] = {"echo", "echo_before_body", "echo_after_body",
                                      "echo_location"};
constexpr std::string_view kUpstreamPlus[] = {"sticky",
                                              "least_time",
                                              "queue",
                                              "ntlm",
                                              "state",
                                              "sticky_cookie_insert",
                                              "fair",
                                              "check",
                                              "check_http_send",
                                              "check_http_expect_alive",
                                              "resolver"};
constexpr std::string_view kPlus[] = {
    "health_check", "status_zone", "api", "status",      "keyval",           "keyval_zone",
    "match",        "hls",         "f4f", "session_log", "session_log_zone", "session_log_format"};
constexpr std::string_view kOtel[] = {"otel_exporter",      "otel_service_name", "otel_trace",
                                      "otel_trace_context", "otel_span_name",    "otel_span_attr",
                                      "otel_resource_attr", "opentracing"};
constexpr std::string_view kHttp3[] = {"http3_hq"};
constexpr std::string_view kEch[] = {"ssl_ech_file"};
constexpr std::string_view kRtmp[] = {"rtmp"};
constexpr std::string_view kMgmt[] = {"mgmt"};
constexpr std::string_view kSecRules[] = {"SecRule", "SecRuleEngine", "SecAction",
                                          "SecRulesEnabled", "MainRule"};

constexpr Unserved kFamilies[] = {
    {kContent,
     "FastCGI is not served; put an HTTP server before the application and use proxy_pass",
     kFastcgi},
    {kContent, "uwsgi is not served; let the application speak HTTP and use proxy_pass", kUwsgi},
    {kContent, "SCGI is not served; let the application speak HTTP and use proxy_pass", kScgi},
    {kContent, "gRPC needs HTTP/2 to the upstream, which is not there yet", kGrpc},
    {kContent, "memcached is not served; put an HTTP server before it and use proxy_pass",
     kMemcached},
    {kHsl | kIfInLocation | kLimitExcept, "CONNECT tunnels are not served", kTunnel},
    {kMain, "mail is not proxied; keep it in nginx", kMail},
    {kMain, "TCP and UDP are not proxied; keep it in nginx", kStream},
    {kMain, "OpenSSL engines are not loaded; use providers by OpenSSL's own configuration",
     kEngine},
    {kHttp, "there is no Perl inside", kPerlHttp},
    {kLocation | kLimitExcept, "there is no Perl inside", kPerl},
    {kHttp | kServer | kLocation | kIfInLocation | kLimitExcept,
     "there is no JavaScript inside; do it in the upstream", kJs},
    {kMain | kHttp | kServer | kLocation | kUpstream | kAnyIf,
     "there is no Lua inside; do it in the upstream", kLua},
    {kHsl, "answers are not changed; do it in the upstream", kSub},
    {kHsl, "nothing is added to answers; do it in the upstream", kAddition},
    {kHttp, "answers are not recoded; send UTF-8", kCharsetMap},
    {kHsl, "answers are not cached; put a cache behind or before", kCachePath},
    {kLocation, "pseudo-streaming is not served; players use ranges, so leave it out", kFlv},
    {kLocation, "answers are not transformed; do it in the upstream", kXslt},
    {kHsl, "links are not checked; do it in the upstream or with auth_request", kSecureLink},
    {kHsl | kLimitExcept, "this way of authentication is not there; use auth_request", kAuthOther},
    {kHsl, "browsers are not told apart; use map with $http_user_agent", kBrowser},
    {kHttp, "these old databases are not read; use geoip2 or geo", kGeoip},
    {kHttp, "there is no such brake here", kDegradation},
    {kHsl, "there is no such brake here", kDegrade},
    {kHsl | kIfInLocation, "no request follows an answer", kPostAction},
    {kHsl | kIfInLocation, "use add_header, proxy_hide_header and proxy_set_header", kHeadersMore},
    {kLocation | kIfInLocation, "use return", kEcho},
    {kUpstream, "nginx Plus and other modules; use the balancing methods listed for upstream",
     kUpstreamPlus},
    {kHsl, "of nginx Plus, not there", kPlus},
    {kHsl, "traces are not sent", kOtel},
    {kHttpServer, "HTTP/3 is not served", kHttp3},
    {kHttpServer, "encrypted client hello is not there", kEch},
    {kMain, "RTMP is not served", kRtmp},
    {kMain, "of nginx Plus, not there", kMgmt},
    {kHsl,
     "rules stand in a file or in quotes: modsecurity_rules_file FILE, modsecurity_rules "
     "'...'",
     kSecRules},
};

}  // namespace

std::span<const Unserved> RefusedFamilies() { return kFamilies; }

}  // namespace framewall::config
