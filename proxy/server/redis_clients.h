// redis blocks made ready: TLS contexts in the master, clients in each worker.
#pragma once

#include <memory>
#include <vector>

#include "proxy/config/diagnostics.h"
#include "proxy/config/model/http.h"
#include "proxy/event/loop.h"
#include "proxy/filter/limit_redis.h"
#include "proxy/tls/context.h"

namespace framewall::server {

using RedisTls = std::vector<std::unique_ptr<tls::ClientTlsContext>>;

// By RedisConfig::index, null where it speaks plain text. Problems, those of the rest of the block
// included, are errors in `diagnostics`; the result is then of no use.
RedisTls BuildRedisTls(const config::Config& config, config::Diagnostics& diagnostics);

// Null where no zone names a Redis. `loop`, `config` and `tls` outlive it. Nothing is connected
// before the first request that asks.
std::unique_ptr<filter::LimitRedis> MakeLimitRedis(event::EventLoop& loop,
                                                   const config::Config& config,
                                                   const RedisTls& tls);

}  // namespace framewall::server
