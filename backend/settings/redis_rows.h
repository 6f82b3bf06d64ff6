// The settings of Redis, and what a client of it is made from.
#pragma once

#include <memory>
#include <vector>

#include "backend/settings/rows.h"
#include "proxy/base/result.h"
#include "proxy/redis/settings.h"
#include "proxy/tls/context.h"

namespace framewall::backend {

std::vector<SettingRow> RedisRows();
// Nothing where redis.servers is empty.
void CheckRedis(const Settings& settings, Complaints& complaints);

// Requires: CheckRedis had nothing to say, and there are servers. `tls` is not in it.
redis::Settings RedisSettingsOf(const Settings& settings);
// Null without redis.tls. Reads the certificates.
Result<std::unique_ptr<tls::ClientTlsContext>> RedisTlsOf(const Settings& settings);

}  // namespace framewall::backend
