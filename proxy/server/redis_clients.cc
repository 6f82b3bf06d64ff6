#include "proxy/server/redis_clients.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "proxy/redis/client.h"

namespace framewall::server {
namespace {

redis::Settings SettingsOf(const config::RedisConfig& from, const tls::ClientTlsContext* tls) {
  redis::Settings settings;
  settings.name = from.name;
  settings.mode = from.cluster             ? redis::Mode::kCluster
                  : !from.sentinel.empty() ? redis::Mode::kSentinel
                                           : redis::Mode::kSingle;
  for (const config::RedisServer& server : from.servers) {
    settings.servers.push_back({server.host, server.port, server.unix_path, server.addresses});
  }
  settings.master_name = from.sentinel;
  settings.user = from.user;
  settings.password = from.password;
  settings.sentinel_user = from.sentinel_user;
  settings.sentinel_password = from.sentinel_password;
  settings.database = static_cast<int>(from.database);
  settings.key_prefix = from.prefix;
  settings.tls = tls;
  settings.sentinel_tls = tls;
  settings.tls_name = from.ssl_name;
  settings.deadline = from.timeout;
  settings.breaker_failures = static_cast<int>(from.max_fails);
  settings.breaker_pause = from.fail_timeout;
  return settings;
}

}  // namespace

RedisTls BuildRedisTls(const config::Config& config, config::Diagnostics& diagnostics) {
  RedisTls contexts;
  for (const auto& redis : config.http.redis) {
    contexts.push_back(nullptr);
    if (Status valid = redis::Validate(SettingsOf(*redis, nullptr)); !valid.ok()) {
      diagnostics.Error(redis->at, valid.error().message);
    }
    if (!redis->ssl) continue;
    tls::ClientTlsOptions options;
    options.protocols = tls::kTlsV12 | tls::kTlsV13;
    options.verify = redis->ssl_verify;
    options.verify_depth = 4;
    options.trusted_certificate_file = redis->ssl_trusted_certificate;
    options.send_server_name = true;
    options.certificate = {redis->ssl_certificate, redis->ssl_certificate_key};
    auto context = tls::ClientTlsContext::Create(options);
    if (context.ok()) {
      contexts.back() = std::move(context).value();
    } else {
      diagnostics.Error(redis->at, context.error().message);
    }
  }
  return contexts;
}

std::unique_ptr<filter::LimitRedis> MakeLimitRedis(event::EventLoop& loop,
                                                   const config::Config& config,
                                                   const RedisTls& tls) {
  std::vector<std::unique_ptr<redis::Client>> clients(config.http.redis.size());
  bool any = false;
  for (const auto& zone : config.http.limit_zones) {
    if (zone->redis < 0) continue;
    const auto index = static_cast<size_t>(zone->redis);
    any = true;
    if (clients[index] != nullptr) continue;
    clients[index] = std::make_unique<redis::Client>(
        loop, SettingsOf(*config.http.redis[index], tls[index].get()));
  }
  return any ? std::make_unique<filter::LimitRedis>(std::move(clients)) : nullptr;
}

}  // namespace framewall::server
