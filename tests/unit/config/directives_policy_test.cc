// Access, real addresses, headers, logs, TLS, the firewall and limits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/config_testing.h"

namespace framewall::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const LocationSettings& Settings(const Loaded& loaded) { return loaded.config->http.settings; }
std::vector<std::string> ErrorsOf(std::string_view http) { return LoadHttp(http).errors(); }

TEST(AccessDirectives, RulesKeepTheirOrderAcrossAllowAndDeny) {
  const Loaded loaded = LoadHttp(
      "allow 10.0.0.0/8; deny 192.168.1.1; allow unix:; deny all; server { deny ::1/128; }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const auto& rules = Settings(loaded).access.list->rules;
  ASSERT_EQ(rules.size(), 4u);
  EXPECT_TRUE(rules[0].allow);
  EXPECT_EQ(rules[0].network.prefix_length(), 8);
  EXPECT_FALSE(rules[1].allow);
  EXPECT_EQ(rules[2].match, AccessRule::Match::kUnix);
  EXPECT_EQ(rules[3].match, AccessRule::Match::kAll);
  EXPECT_EQ(loaded.config->http.servers[0]->root.settings.access.list->rules.size(), 1u);
  EXPECT_THAT(ErrorsOf("deny 10.0.0.0/33;"),
              ElementsAre(HasSubstr("invalid parameter \"10.0.0.0/33\"")));
  EXPECT_THAT(Show(LoadHttp("allow 10.0.0.1/8;").diagnostics),
              HasSubstr("low address bits of 10.0.0.1/8 are meaningless"));
}

TEST(AccessDirectives, AListAnswersWithItsFirstRule) {
  const Loaded loaded = LoadHttp(
      "deny 10.1.0.0/16; allow 10.0.0.0/8; deny 10.1.2.3; allow unix:; deny all; allow ::1;");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const AccessList& list = *Settings(loaded).access.list;
  EXPECT_EQ(list.networks.Find(*IpAddress::Parse("10.1.2.3")), 0u);
  EXPECT_EQ(list.networks.Find(*IpAddress::Parse("10.2.2.3")), 1u);
  EXPECT_EQ(list.networks.Find(*IpAddress::Parse("11.2.2.3")), 4u);
  EXPECT_EQ(list.networks.Find(*IpAddress::Parse("::1")), 4u);
  EXPECT_EQ(list.first_for_unix, 3u);
}

TEST(AccessDirectives, PasswordsAndSubrequests) {
  const Loaded loaded = LoadHttp(
      "auth_basic closed; auth_basic_user_file users; auth_delay 1s; auth_request off;\n"
      "auth_request_set $who $arg_x; server { auth_request off; }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  EXPECT_EQ(Settings(loaded).access.auth_basic.source, "closed");
  EXPECT_EQ(Settings(loaded).access.auth_basic_user_file.source, loaded.folder->path() + "/users");
  EXPECT_EQ(Settings(loaded).access.auth_delay.count(), 1000);
  EXPECT_EQ(Settings(loaded).auth_request_set.size(), 1u);
  EXPECT_EQ(Settings(loaded).access.auth_request, "");
  EXPECT_EQ(Settings(LoadHttp("auth_request /auth; server {}")).access.auth_request, "/auth");
  EXPECT_THAT(ErrorsOf("auth_request auth;"),
              ElementsAre(HasSubstr("invalid parameter \"auth\" in \"auth_request\" directive")));
  EXPECT_EQ(Settings(loaded).access.auth_basic_cache.count(), 10000);
  EXPECT_EQ(Settings(LoadHttp("auth_basic_cache 1m; server {}")).access.auth_basic_cache.count(),
            60000);
  EXPECT_EQ(Settings(LoadHttp("auth_basic_cache off; server {}")).access.auth_basic_cache.count(),
            0);
  EXPECT_THAT(ErrorsOf("auth_basic_cache soon;"), ElementsAre(HasSubstr("auth_basic_cache")));
  EXPECT_THAT(ErrorsOf("auth_request_set who x;"),
              ElementsAre(HasSubstr("invalid variable name \"who\"")));
}

TEST(AccessDirectives, Referers) {
  const Loaded loaded =
      LoadHttp("server { valid_referers none blocked server_names *.A.org/Path ~b\\.org; }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const auto& referers = loaded.config->http.servers[0]->root.settings.referers;
  EXPECT_TRUE(referers.set && referers.none && referers.blocked && referers.server_names);
  EXPECT_THAT(referers.names, ElementsAre("*.a.org/Path"));
  EXPECT_EQ(referers.regexes.size(), 1u);
  EXPECT_THAT(ErrorsOf("server { valid_referers ''; }"),
              ElementsAre(HasSubstr("invalid referer \"\"")));
}

TEST(RealIpDirectives, Set) {
  const Loaded loaded = LoadHttp(
      "set_real_ip_from 10.0.0.0/8; set_real_ip_from unix:; set_real_ip_from ::1;\n"
      "real_ip_header X-Forwarded-For; real_ip_recursive on;");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  EXPECT_EQ(Settings(loaded).real_ip.from->rules.size(), 3u);
  EXPECT_EQ(Settings(loaded).real_ip.header, "X-Forwarded-For");
  EXPECT_TRUE(Settings(loaded).real_ip.recursive);
  EXPECT_THAT(ErrorsOf("set_real_ip_from 10.0.0.0/99;"),
              ElementsAre(HasSubstr("invalid parameter")));
  EXPECT_THAT(ErrorsOf("set_real_ip_from 'no such host';"),
              ElementsAre(HasSubstr("host not found in set_real_ip_from")));
  EXPECT_THAT(ErrorsOf("real_ip_header 'a b';"), ElementsAre(HasSubstr("invalid parameter")));
}

TEST(HeadersDirectives, AddAndExpire) {
  const Loaded loaded = LoadHttp(
      "add_header X-A $uri; add_header X-B b always; add_trailer T t; expires modified +1h;\n"
      "server { expires @5h; } server { expires $arg_e; } server { expires -1; }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const HeaderSettings& headers = Settings(loaded).headers;
  ASSERT_EQ(headers.add_header.size(), 2u);
  EXPECT_TRUE(headers.add_header[1].always);
  EXPECT_EQ(headers.add_trailer.size(), 1u);
  EXPECT_TRUE(headers.expires.modified);
  EXPECT_EQ(headers.expires.value.source, "+1h");
  EXPECT_FALSE(loaded.config->http.servers[0]->root.settings.headers.expires.modified);
  EXPECT_THAT(ErrorsOf("add_header A b sometimes;"),
              ElementsAre(HasSubstr("invalid parameter \"sometimes\"")));
  EXPECT_THAT(ErrorsOf("add_header 'A:' b;"), ElementsAre(HasSubstr("invalid header name")));
  EXPECT_THAT(ErrorsOf("expires soon;"), ElementsAre(HasSubstr("invalid value \"soon\"")));
  EXPECT_THAT(ErrorsOf("expires @25h;"), ElementsAre(HasSubstr("less than 24 hours")));
  EXPECT_THAT(ErrorsOf("expires @24h;"), IsEmpty());
  EXPECT_THAT(ErrorsOf("expires modified @1h;"), ElementsAre(HasSubstr("cannot be used")));
  EXPECT_THAT(ErrorsOf("expires changed 1h;"), ElementsAre(HasSubstr("invalid parameter")));
}

TEST(LogDirectives, FormatsAndTargets) {
  const Loaded loaded = LoadHttp(
      "log_format one escape=json '$uri' ' $host'; access_log a.log one buffer=8k flush=5s gzip "
      "if=$arg_l;\n access_log /b.log; server { access_log off; }\n"
      "server { access_log syslog:server=127.0.0.1 combined; }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const auto& formats = loaded.config->http.log_formats;
  ASSERT_EQ(formats.size(), 2u);
  EXPECT_EQ(formats[1].escape, LogEscape::kJson);
  EXPECT_EQ(formats[1].format.source, "$uri $host");
  const LogSettings& log = Settings(loaded).log;
  ASSERT_EQ(log.access_log.size(), 2u);
  EXPECT_EQ(log.access_log[0].path.source, loaded.config->prefix + "a.log");
  EXPECT_EQ(log.access_log[0].format, &formats[1]);
  EXPECT_EQ(log.access_log[0].buffer_size, 8192u);
  EXPECT_EQ(log.access_log[0].flush.count(), 5000);
  EXPECT_EQ(log.access_log[0].gzip_level, 1);
  EXPECT_TRUE(log.access_log[0].condition);
  EXPECT_EQ(log.access_log[1].format, &formats[0]);
  const LogSettings& off = loaded.config->http.servers[0]->root.settings.log;
  EXPECT_TRUE(off.access_log_set);
  EXPECT_TRUE(off.access_log.empty());
  EXPECT_EQ(loaded.config->http.servers[1]->root.settings.log.access_log[0].path.source,
            "syslog:server=127.0.0.1");
}

TEST(LogDirectives, RefuseBadValues) {
  EXPECT_THAT(ErrorsOf("log_format combined x;"),
              ElementsAre(HasSubstr("duplicate \"log_format\" name \"combined\"")));
  EXPECT_THAT(ErrorsOf("log_format a escape=xml x;"),
              ElementsAre(HasSubstr("unknown log format escaping \"xml\"")));
  EXPECT_THAT(ErrorsOf("access_log a nosuch;"),
              ElementsAre(HasSubstr("unknown log format \"nosuch\"")));
  EXPECT_THAT(ErrorsOf("access_log off x;"), ElementsAre(HasSubstr("invalid parameter \"x\"")));
  EXPECT_THAT(ErrorsOf("access_log a combined buffer=0;"),
              ElementsAre(HasSubstr("invalid buffer size \"0\"")));
  EXPECT_THAT(ErrorsOf("access_log a combined flush=1s;"),
              ElementsAre(HasSubstr("no buffer is defined for access_log \"a\"")));
  EXPECT_THAT(ErrorsOf("access_log a combined gzip=10;"),
              ElementsAre(HasSubstr("invalid compression level \"10\"")));
  EXPECT_THAT(ErrorsOf("access_log $host combined buffer=1k;"),
              ElementsAre(HasSubstr("buffered logs cannot have variables in name")));
  EXPECT_THAT(ErrorsOf("access_log syslog:server=a combined buffer=1k;"),
              ElementsAre(HasSubstr("logs to syslog cannot be buffered")));
  EXPECT_THAT(ErrorsOf("access_log a combined colour;"),
              ElementsAre(HasSubstr("invalid parameter \"colour\"")));
}

TEST(LogDirectives, ErrorLogOfMainAndOfPlaces) {
  const Loaded loaded = LoadText(
      "error_log e.log notice; error_log stderr;\nevents {}\n"
      "http { error_log h.log debug_http; server { error_log syslog:server=a crit; } }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const auto& main = loaded.config->main.error_log;
  ASSERT_EQ(main.size(), 2u);
  EXPECT_EQ(main[0].path, loaded.config->prefix + "e.log");
  EXPECT_EQ(main[0].level, static_cast<int>(LogLevel::kNotice));
  EXPECT_EQ(main[1].path, "stderr");
  EXPECT_EQ(main[1].level, static_cast<int>(LogLevel::kError));
  EXPECT_EQ(Settings(loaded).log.error_log[0].level, static_cast<int>(LogLevel::kDebug));
  EXPECT_EQ(loaded.config->http.servers[0]->root.settings.log.error_log[0].level,
            static_cast<int>(LogLevel::kCrit));
  EXPECT_THAT(ErrorsOf("error_log a loud;"), ElementsAre(HasSubstr("invalid log level \"loud\"")));
}

TEST(TlsDirectives, Set) {
  const Loaded loaded = LoadHttp(
      "ssl_certificate a.pem; ssl_certificate /b.pem; ssl_certificate_key a.key;\n"
      "ssl_certificate_key data:x; ssl_password_file p; ssl_protocols TLSv1.3; ssl_ciphers ALL;\n"
      "ssl_prefer_server_ciphers on; ssl_ecdh_curve X25519; ssl_dhparam dh.pem;\n"
      "ssl_session_cache builtin:100 shared:S:1m; ssl_session_timeout 1m; ssl_session_tickets "
      "off;\n"
      "ssl_session_ticket_key t1; ssl_session_ticket_key t2; ssl_verify_client optional_no_ca;\n"
      "ssl_verify_depth 3; ssl_client_certificate ca; ssl_trusted_certificate tca; ssl_crl crl;\n"
      "ssl_reject_handshake on; ssl_buffer_size 4k; ssl_stapling on; ssl_stapling_file st;\n"
      "ssl_stapling_responder http://r; ssl_stapling_verify on; ssl_ocsp off;\n"
      "ssl_ocsp_responder http://o; ssl_ocsp_cache shared:O:1m; ssl_early_data on;\n"
      "ssl_conf_command Options x; server { ssl_certificate c.pem; ssl_certificate_key c.key; }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const TlsSettings& tls = loaded.config->http.server_settings.tls;
  ASSERT_EQ(tls.certificates.size(), 2u);
  EXPECT_EQ(tls.certificates[0].source, loaded.folder->path() + "/a.pem");
  EXPECT_EQ(tls.certificates[1].source, "/b.pem");
  EXPECT_EQ(tls.certificate_keys[1].source, "data:x");
  EXPECT_EQ(tls.protocols, kTlsV13);
  EXPECT_EQ(tls.session_cache, "builtin:100 shared:S:1m");
  EXPECT_EQ(tls.session_ticket_keys.size(), 2u);
  EXPECT_EQ(tls.verify_client, VerifyClient::kOptionalNoCa);
  EXPECT_EQ(loaded.config->http.servers[0]->settings.tls.certificates.size(), 1u);
}

TEST(TlsDirectives, RefuseBadValues) {
  EXPECT_THAT(ErrorsOf("ssl_session_cache shared:S:1k;"),
              ElementsAre(HasSubstr("invalid session cache \"shared:S:1k\"")));
  EXPECT_THAT(ErrorsOf("ssl_session_cache big;"), ElementsAre(HasSubstr("invalid session cache")));
  EXPECT_THAT(ErrorsOf("ssl_ocsp_cache none;"), ElementsAre(HasSubstr("invalid OCSP cache")));
  EXPECT_THAT(ErrorsOf("ssl_verify_client maybe;"),
              ElementsAre(HasSubstr("\"optional\" or \"optional_no_ca\"")));
  EXPECT_THAT(ErrorsOf("ssl_protocols TLSv9;"), ElementsAre(HasSubstr("invalid value \"TLSv9\"")));
  EXPECT_THAT(ErrorsOf("ssl_ocsp leaf;"), ElementsAre(HasSubstr("\"ssl_ocsp\" is not available")));
  EXPECT_THAT(LoadHttp("ssl off;").errors(), IsEmpty());
  EXPECT_THAT(ErrorsOf("ssl on;"), ElementsAre(HasSubstr("write \"listen ... ssl\" instead")));
}

TEST(WafDirectives, SourcesAddUpFromOutsideIn) {
  const Loaded loaded = LoadHttp(
      "modsecurity on; modsecurity_rules 'SecRuleEngine On'; server { modsecurity_rules_file "
      "r.conf;\n location / { modsecurity off; modsecurity_rules_remote k https://h/r; } }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const LocationConfig& root = loaded.config->http.servers[0]->root;
  EXPECT_EQ(Settings(loaded).waf.sources.size(), 1u);
  ASSERT_EQ(root.settings.waf.sources.size(), 2u);
  EXPECT_EQ(root.settings.waf.sources[0].text, "SecRuleEngine On");
  EXPECT_EQ(root.settings.waf.sources[1].text, loaded.folder->path() + "/r.conf");
  const WafSettings& inner = root.locations[0]->settings.waf;
  EXPECT_FALSE(inner.enabled);
  ASSERT_EQ(inner.sources.size(), 3u);
  EXPECT_EQ(inner.sources[2].key, "k");
  EXPECT_EQ(inner.sources[2].kind, ModSecuritySource::Kind::kRemote);
  EXPECT_THAT(ErrorsOf("modsecurity_rules_remote k http://h/r;"),
              ElementsAre(HasSubstr("https:// was expected")));
}

TEST(WafDirectives, Ours) {
  const Loaded loaded = LoadHttp(
      "modsecurity_transaction_id $arg_id; modsecurity_use_error_log off; modsecurity_order late;\n"
      "waf_on_error pass; waf_request_encoding refuse; waf_response_encoding inflate;\n"
      "waf_inflate_limit 2m; waf_request_hold_limit 3m; waf_worker_hold_limit 4m;");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const WafSettings& waf = Settings(loaded).waf;
  EXPECT_FALSE(waf.use_error_log);
  EXPECT_EQ(waf.order, WafOrder::kLate);
  EXPECT_EQ(waf.on_error, OnWafError::kPass);
  EXPECT_EQ(waf.request_encoding, WafBodyEncoding::kRefuse);
  EXPECT_EQ(waf.response_encoding, WafBodyEncoding::kInflate);
  EXPECT_EQ(waf.inflate_limit, 2u << 20);
  EXPECT_EQ(waf.request_hold_limit, 3u << 20);
  EXPECT_EQ(waf.worker_hold_limit, 4u << 20);
  EXPECT_THAT(ErrorsOf("modsecurity_order early;"),
              ElementsAre(HasSubstr("it must be \"connector\" or \"late\"")));
  EXPECT_THAT(ErrorsOf("waf_on_error allow;"), ElementsAre(HasSubstr("\"deny\" or \"pass\"")));
}

TEST(LimitsDirectives, ZonesAndUses) {
  const Loaded loaded = LoadHttp(
      "limit_req zone=r burst=5 delay=2; limit_req_zone $remote_addr zone=r:1m rate=30r/m;\n"
      "limit_conn_zone $host zone=c:1m; server { limit_conn c 3; limit_req_status 429;\n"
      "limit_conn_status 400; limit_req_log_level info; limit_req_dry_run on; }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const auto& zones = loaded.config->http.limit_zones;
  ASSERT_EQ(zones.size(), 2u);
  EXPECT_TRUE(zones[0]->is_request_zone);
  EXPECT_EQ(zones[0]->rate, 500u);
  const LimitSettings& limits = loaded.config->http.servers[0]->root.settings.limits;
  ASSERT_EQ(limits.limit_req.size(), 1u);
  EXPECT_EQ(limits.limit_req[0].zone, 0) << "the zone came after its use";
  EXPECT_EQ(limits.limit_req[0].burst, 5u);
  EXPECT_EQ(limits.limit_req[0].delay, 2u);
  ASSERT_EQ(limits.limit_conn.size(), 1u);
  EXPECT_EQ(limits.limit_conn[0].zone, 1);
  EXPECT_EQ(limits.limit_req_status, 429);
  EXPECT_EQ(limits.limit_conn_status, 400);
}

TEST(LimitsDirectives, RefuseBadValues) {
  EXPECT_THAT(ErrorsOf("limit_req_zone $host zone=a:1k rate=1r/s;"),
              ElementsAre(HasSubstr("zone \"a\" is too small")));
  EXPECT_THAT(ErrorsOf("limit_req_zone $host zone=a rate=1r/s;"),
              ElementsAre(HasSubstr("invalid zone size \"zone=a\"")));
  EXPECT_THAT(ErrorsOf("limit_req_zone $host zone=a:1m rate=1/s;"),
              ElementsAre(HasSubstr("invalid rate \"rate=1/s\"")));
  EXPECT_THAT(ErrorsOf("limit_conn_zone $host rate=1r/s;"),
              ElementsAre(HasSubstr("invalid parameter \"rate=1r/s\"")));
  EXPECT_THAT(ErrorsOf("limit_req burst=1;"),
              ElementsAre(HasSubstr("must have \"zone\" parameter")));
  EXPECT_THAT(ErrorsOf("limit_req zon=a;"), ElementsAre(HasSubstr("zone=NAME [burst=N]")));
  EXPECT_THAT(ErrorsOf("limit_req zone=a;"),
              ElementsAre(HasSubstr("zero size shared memory zone \"a\"")));
  EXPECT_THAT(ErrorsOf("limit_conn a 0;"),
              ElementsAre(HasSubstr("invalid number of connections \"0\"")));
  EXPECT_THAT(ErrorsOf("limit_conn a 65536;"), ElementsAre(HasSubstr("less 65536")));
  EXPECT_THAT(ErrorsOf("limit_req_status 399;"), ElementsAre(HasSubstr("between 400 and 599")));
  EXPECT_THAT(ErrorsOf("limit_req_status 600;"), ElementsAre(HasSubstr("between 400 and 599")));
  EXPECT_THAT(ErrorsOf("limit_req_zone $host zone=a:1m rate=1r/s; limit_req zone=a; limit_req "
                       "zone=a;"),
              ElementsAre(HasSubstr("\"limit_req\" directive is duplicate")));
}

}  // namespace
}  // namespace framewall::config
