// What stands in a redis block.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include "proxy/base/text.h"
#include "proxy/config/directives/directives.h"
#include "proxy/config/directives/rows.h"
#include "proxy/config/host_port.h"
#include "proxy/config/setters.h"

namespace framewall::config {
namespace {

constexpr uint16_t kDefaultPort = 6379;
constexpr uint16_t kSentinelPort = 26379;
constexpr Range kTries{1, 1'000'000};
constexpr Range kDatabases{0, 1'000'000};

// Its address is looked up when all of the block is known: Sentinels have another port.
void ApplyServer(BuildContext& context, const Directive& directive) {
  RedisServer server;
  server.name = directive.args[0];
  server.at = directive.at;
  context.redis->servers.push_back(std::move(server));
}

void ApplyDatabase(BuildContext& context, const Directive& directive) {
  context.redis->database_at = directive.at;
  NumberIn<kDatabases, &RedisConfig::database>(context, directive);
}

// Lines in any order: "user NAME" (may be left out) and "password TEXT", and the same with
// "sentinel_" before them where Sentinels ask for their own.
void ApplyCredentials(BuildContext& context, const Directive& directive) {
  const std::string path = context.config.ConfPath(directive.args[0]);
  std::ifstream file(path, std::ios::binary);
  std::string text;
  if (file) {
    std::ostringstream all;
    all << file.rdbuf();
    text = all.str();
  }
  if (!file) {
    return context.Error(directive,
                         fmt::format("cannot read \"{}\": {}", path, std::strerror(errno)));
  }
  constexpr std::array<std::pair<std::string_view, std::string RedisConfig::*>, 4> kWords = {
      {{"user ", &RedisConfig::user},
       {"password ", &RedisConfig::password},
       {"sentinel_user ", &RedisConfig::sentinel_user},
       {"sentinel_password ", &RedisConfig::sentinel_password}}};
  RedisConfig& redis = *context.redis;
  std::string_view rest = text;
  for (int number = 1; !rest.empty(); ++number) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    bool is_known = false;
    for (const auto& [prefix, member] : kWords) {
      const auto value = AfterPrefix(line, prefix);
      if (!value || value->empty()) continue;
      redis.*member = *value;
      is_known = true;
    }
    if (!is_known) {
      // Not the line itself: it may be the password.
      return context.Error(
          directive,
          fmt::format("{}:{}: \"user NAME\" or \"password TEXT\" was expected", path, number));
    }
  }
  if (redis.password.empty()) {
    context.Error(directive, fmt::format("no \"password TEXT\" line in \"{}\"", path));
  }
}

constexpr DirectiveSpec kRows[] = {
    {.name = "server",
     .contexts = kRedis,
     .arity = {1, 1},
     .apply = ApplyServer,
     .repeatable = true,
     .doc = "ADDRESS: the Redis; with sentinel each of the Sentinels, with cluster some nodes; "
            "port 6379 (Sentinels 26379) unless written"},
    One("sentinel", kRedis, Text<&RedisConfig::sentinel>,
        "NAME: the servers are Sentinels, NAME is what they call the master"),
    One("cluster", kRedis, Flag<&RedisConfig::cluster>,
        "on | off: the servers are nodes of a Redis Cluster; off unless set"),
    One("database", kRedis, ApplyDatabase, "N: 0 unless set; a Cluster has no other"),
    One("prefix", kRedis, Text<&RedisConfig::prefix>,
        "TEXT: begins every key; framewall: unless set"),
    One("timeout", kRedis, Time<&RedisConfig::timeout>,
        "TIME: how long an answer is waited for, connecting included; 100ms unless set"),
    One("max_fails", kRedis, NumberIn<kTries, &RedisConfig::max_fails>,
        "N: questions without an answer, one after the other, until nothing is asked for "
        "fail_timeout; 3 unless set"),
    One("fail_timeout", kRedis, Time<&RedisConfig::fail_timeout>,
        "TIME: how long nothing is asked then; 1s unless set"),
    One("credentials_file", kRedis, ApplyCredentials,
        "FILE: the lines \"user NAME\" (may be left out) and \"password TEXT\"; \"sentinel_user\" "
        "and "
        "\"sentinel_password\" where Sentinels ask for their own"),
    One("ssl", kRedis, Flag<&RedisConfig::ssl>,
        "on | off: TLS towards it and its Sentinels; off unless set"),
    One("ssl_verify", kRedis, Flag<&RedisConfig::ssl_verify>,
        "on | off: its certificate is checked; on unless set"),
    One("ssl_name", kRedis, Text<&RedisConfig::ssl_name>,
        "NAME: in its certificate, and for SNI; the server's unless set"),
    One("ssl_trusted_certificate", kRedis, ConfigPath<&RedisConfig::ssl_trusted_certificate>,
        "FILE: CA certificates for ssl_verify"),
    One("ssl_certificate", kRedis, ConfigPath<&RedisConfig::ssl_certificate>,
        "FILE: ours, where it asks for one"),
    One("ssl_certificate_key", kRedis, ConfigPath<&RedisConfig::ssl_certificate_key>,
        "FILE: of ssl_certificate"),
};

void Resolve(RedisConfig& redis, Diagnostics& diagnostics) {
  const uint16_t port = redis.sentinel.empty() ? kDefaultPort : kSentinelPort;
  for (RedisServer& server : redis.servers) {
    const auto where = ParseHostPort(server.name, false);
    auto addresses =
        where ? ResolveHostPort(*where, port) : Result<std::vector<SocketAddress>>(where.error());
    if (addresses) {
      server.host = where->host;
      server.port = where->port != 0 ? where->port : port;
      server.unix_path = where->unix_path;
      server.addresses = std::move(*addresses);
    } else {
      diagnostics.Error(server.at, fmt::format("{} in redis server \"{}\"",
                                               addresses.error().message, server.name));
    }
  }
}

void CheckOne(const RedisConfig& redis, Diagnostics& diagnostics) {
  const auto refuse = [&](const SourceLocation& at, std::string text) {
    diagnostics.Error(at, fmt::format("{} in redis \"{}\"", text, redis.name));
  };
  if (redis.servers.empty()) return refuse(redis.at, "no \"server\"");
  if (redis.cluster && !redis.sentinel.empty()) {
    refuse(redis.at, "\"cluster\" and \"sentinel\" exclude each other; one of them was expected");
  }
  if (!redis.cluster && redis.sentinel.empty() && redis.servers.size() > 1) {
    refuse(
        redis.servers[1].at,
        "a second \"server\" without \"sentinel NAME\" or \"cluster on\", so that it would never "
        "be asked,");
  }
  if (redis.cluster && redis.database != 0) {
    refuse(redis.database_at,
           fmt::format("\"database {}\" with \"cluster on\": a Redis Cluster has database 0 alone,",
                       redis.database));
  }
  if (redis.timeout.count() == 0) refuse(redis.at, "\"timeout\" of 1ms and more was expected");
  if (redis.fail_timeout.count() == 0) {
    refuse(redis.at, "\"fail_timeout\" of 1ms and more was expected");
  }
  if (redis.ssl && redis.ssl_verify && redis.ssl_trusted_certificate.empty()) {
    refuse(redis.at, "no \"ssl_trusted_certificate\" for \"ssl_verify\"");
  }
  if (redis.ssl_certificate.empty() != redis.ssl_certificate_key.empty()) {
    refuse(redis.at, "\"ssl_certificate\" and \"ssl_certificate_key\" belong together,");
  }
}

}  // namespace

std::span<const DirectiveSpec> RedisDirectives() { return kRows; }

void ResolveRedis(Config& config, Diagnostics& diagnostics) {
  for (const auto& redis : config.http.redis) {
    CheckOne(*redis, diagnostics);
    Resolve(*redis, diagnostics);
  }
}

}  // namespace framewall::config
