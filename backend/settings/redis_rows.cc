#include "backend/settings/redis_rows.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "backend/settings/scalar_row.h"
#include "proxy/base/address.h"
#include "proxy/http/target.h"

namespace framewall::backend {
namespace {

using namespace rows;

constexpr std::string_view kSystemCertificates = "/etc/ssl/certs/ca-certificates.crt";
constexpr uint16_t kPort = 6379;
constexpr uint16_t kSentinelPort = 26379;
constexpr size_t kLongestSecret = 4096;
constexpr uint64_t kLongestMs = 60'000;

// A host without brackets; where no port is written it is 0.
std::optional<redis::Endpoint> ParseServer(std::string_view text) {
  redis::Endpoint server;
  if (text.starts_with("unix:")) {
    server.unix_path = text.substr(5);
    if (server.unix_path.empty() || !SocketAddress::FromUnixPath(server.unix_path).ok()) {
      return std::nullopt;
    }
    return server;
  }
  auto where = http::ParseHost(text);
  if (!where.ok() || where->host.empty() || where->port == uint16_t{0}) return std::nullopt;
  server.host = where->host;
  if (server.host.starts_with('[')) {
    server.host = server.host.substr(1, server.host.size() - 2);
    if (!IpAddress::Parse(server.host)) return std::nullopt;
  }
  server.port = where->port.value_or(0);
  return server;
}

bool IsAnything(std::string_view) { return true; }

// What ends a word of a Redis command's text has no place in a name or a secret.
bool IsPlain(std::string_view text) {
  return text.size() <= kLongestSecret && std::none_of(text.begin(), text.end(), [](char c) {
           return c >= 0 && (c < ' ' || c == 0x7f);
         });
}

SettingRow ServersRow() {
  SettingRow row;
  row.section = "redis";
  row.name = "servers";
  row.doc =
      "Where budgets are kept that several backends share; several of Sentinels or a Cluster, one "
      "else. Port 6379, of Sentinels 26379, unless written. None: budgets are this process's.";
  row.expected = "a list of HOST[:PORT] or unix:PATH";
  row.list = true;
  row.read = [full = row.FullName(), expected = row.expected](
                 Settings& settings, const SettingValue& value, const SettingRow::PlaceOf& place_of,
                 Complaints& complaints) {
    const auto complain = [&](int line, const std::string& found) {
      complaints.Add(place_of(line), full + ": " + expected + " was expected, found " + found);
    };
    settings.redis_servers.clear();
    const auto take = [&](const SettingValue& one) {
      if (one.kind != SettingValue::Kind::kScalar) return complain(one.line, "no text");
      if (!ParseServer(one.text)) return complain(one.line, Quoted(one.text));
      settings.redis_servers.push_back(one.text);
    };
    switch (value.kind) {
      case SettingValue::Kind::kNothing:
        break;
      case SettingValue::Kind::kScalar:
        take(value);
        break;
      case SettingValue::Kind::kList:
        for (const SettingValue& one : value.items) take(one);
        break;
      case SettingValue::Kind::kMapping:
        complain(value.line, "a mapping");
        break;
    }
  };
  row.show = [](const Settings&) { return std::string("[]"); };
  return row;
}

SettingRow Secret(std::string_view name, std::string Settings::*member, std::string_view doc) {
  SettingRow row;
  row.section = "redis";
  row.name = name;
  row.doc = doc;
  row.expected = "redis." + std::string(name) + "_file: PATH";
  row.secret = true;
  row.file_only = true;
  row.read = [full = row.FullName(), member](Settings& settings, const SettingValue& value,
                                             const SettingRow::PlaceOf& place_of,
                                             Complaints& complaints) {
    if (!IsPlain(value.text)) {
      return complaints.Add(place_of(value.line), full + ": one line was expected in its file");
    }
    settings.*member = value.text;
  };
  row.show = [](const Settings&) { return std::string(); };
  return row;
}

// The file is read by whoever speaks TLS; it is as secret as ours.
SettingRow CertificateKey() {
  SettingRow row = Text("redis", "certificate_key", &Settings::redis_certificate_key,
                        "a path, or nothing", "The key of redis.certificate.", IsAnything);
  row.secrets_in = [](const SettingValue& value) {
    return SettingRow::Secrets{.has_text = false, .files = {value.text}};
  };
  return row;
}

}  // namespace

std::vector<SettingRow> RedisRows() {
  using S = Settings;
  return {
      ServersRow(),
      Text("redis", "sentinel", &S::redis_sentinel, "a name, or nothing",
           "The servers are Sentinels, and this is what they call the master.", IsPlain),
      Flag("redis", "cluster", &S::redis_cluster, "The servers are nodes of a Redis Cluster."),
      Text("redis", "user", &S::redis_user, "a name, or nothing", "Of Redis; empty: its default.",
           IsPlain),
      Secret("password", &S::redis_password,
             "Of Redis, from a file alone; none: it asks for none."),
      Text("redis", "sentinel_user", &S::redis_sentinel_user, "a name, or nothing",
           "Where Sentinels ask for their own.", IsPlain),
      Secret("sentinel_password", &S::redis_sentinel_password,
             "Where Sentinels ask for their own; from a file alone."),
      Number("redis", "database", &S::redis_database, 0, 1'000'000, Unit::kNone, "",
             "A Cluster has 0 alone."),
      Text("redis", "prefix", &S::redis_prefix, "a text", "Of every key.", IsPlain),
      Flag("redis", "tls", &S::redis_tls, "TLS towards it and its Sentinels; always verified."),
      Text("redis", "tls_name", &S::redis_tls_name, "a name, or nothing",
           "In its certificate; empty: each server's host.", IsPlain),
      Text("redis", "ca_file", &S::redis_ca_file, "a path, or nothing",
           "PEM; empty: the system's certificates.", IsAnything),
      Text("redis", "certificate", &S::redis_certificate, "a path, or nothing",
           "Ours, PEM, where it asks for one.", IsAnything),
      CertificateKey(),
      Number("redis", "deadline_ms", &S::redis_deadline_ms, 1, kLongestMs, Unit::kNone,
             "milliseconds", "No request waits longer for it, connecting included."),
      Count("redis", "failures", &S::redis_failures, 1, 1000, "failures",
            "In a row; then nothing is asked for redis.pause_ms."),
      Number("redis", "pause_ms", &S::redis_pause_ms, 1, kLongestMs, Unit::kNone, "milliseconds",
             "Then one question tries it for all."),
      Text("redis", "when_down", &S::redis_when_down, "local, pass or refuse",
           "Who decides while it does not answer: what this process knows, nobody, or 503.",
           [](std::string_view text) {
             return text == "local" || text == "pass" || text == "refuse";
           }),
  };
}

redis::Settings RedisSettingsOf(const Settings& settings) {
  redis::Settings made;
  made.name = "redis";
  made.mode = settings.redis_cluster             ? redis::Mode::kCluster
              : !settings.redis_sentinel.empty() ? redis::Mode::kSentinel
                                                 : redis::Mode::kSingle;
  for (const std::string& text : settings.redis_servers) {
    auto server = ParseServer(text).value_or(redis::Endpoint{});
    if (server.port == 0) server.port = settings.redis_sentinel.empty() ? kPort : kSentinelPort;
    made.servers.push_back(std::move(server));
  }
  made.master_name = settings.redis_sentinel;
  made.user = settings.redis_user;
  made.password = settings.redis_password;
  made.sentinel_user = settings.redis_sentinel_user;
  made.sentinel_password = settings.redis_sentinel_password;
  made.database = static_cast<int>(settings.redis_database);
  made.key_prefix = settings.redis_prefix;
  made.client_name = "framewall-backend";
  made.tls_name = settings.redis_tls_name;
  made.deadline = std::chrono::milliseconds(settings.redis_deadline_ms);
  made.breaker_failures = settings.redis_failures;
  made.breaker_pause = std::chrono::milliseconds(settings.redis_pause_ms);
  return made;
}

Result<std::unique_ptr<tls::ClientTlsContext>> RedisTlsOf(const Settings& settings) {
  if (!settings.redis_tls) return std::unique_ptr<tls::ClientTlsContext>();
  tls::ClientTlsOptions options;
  options.protocols = tls::kTlsV12 | tls::kTlsV13;
  options.verify = true;
  options.verify_depth = 8;
  options.trusted_certificate_file =
      settings.redis_ca_file.empty() ? std::string(kSystemCertificates) : settings.redis_ca_file;
  options.send_server_name = true;
  options.certificate = {settings.redis_certificate, settings.redis_certificate_key};
  return tls::ClientTlsContext::Create(options);
}

void CheckRedis(const Settings& settings, Complaints& complaints) {
  const auto complain = [&complaints](const std::string& text) {
    complaints.Add("settings", "redis: " + text);
  };
  if (settings.redis_servers.empty()) {
    if (settings.redis_cluster || settings.redis_tls || !settings.redis_sentinel.empty() ||
        !settings.redis_user.empty() || !settings.redis_password.empty()) {
      complain("redis.servers is empty, but how to speak to them is set");
    }
    return;
  }
  if (settings.redis_cluster && !settings.redis_sentinel.empty()) {
    complain("redis.cluster and redis.sentinel exclude each other");
  }
  if (const Status valid = redis::Validate(RedisSettingsOf(settings)); !valid.ok()) {
    complain(valid.error().message);
  }
  const bool names_files = !settings.redis_tls_name.empty() || !settings.redis_ca_file.empty() ||
                           !settings.redis_certificate.empty() ||
                           !settings.redis_certificate_key.empty();
  if (names_files && !settings.redis_tls) {
    complain("certificates and names in them are set without redis.tls: true");
  }
  if (settings.redis_certificate.empty() != settings.redis_certificate_key.empty()) {
    return complain("redis.certificate and redis.certificate_key belong together");
  }
  if (const auto tls = RedisTlsOf(settings); !tls.ok()) complain(tls.error().message);
}

}  // namespace framewall::backend
