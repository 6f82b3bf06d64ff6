// The bucket of limit_req in a Redis that machines share: one script, one key, one question for
// each decision.
//
// The state is GCRA's theoretical arrival time in microseconds of Redis' own clock, which is the
// leaky bucket of nginx counted in time instead of requests: `ahead` of now it is the excess times
// the period. A key is PREFIX "limit:" ZONE ":" and 32 hex digits of the SHA-256 of what the
// template gave, so its length is bounded and nobody's token stands in Redis.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/filter/limit_bucket.h"
#include "proxy/redis/client.h"

namespace framewall::filter {

// What the script says.
struct RedisAnswer {
  LimitAnswer answer;
  Milliseconds delay{0};
};

// Its reply {outcome, milliseconds, ahead}; nothing where it is none of its replies.
std::optional<RedisAnswer> ReadRedisAnswer(const LimitBucket& bucket, const redis::Reply& reply);
// Behind the prefix.
std::string RedisKey(const LimitBucket& bucket);

// The Redis of one worker, as limits use them.
class LimitRedis {
 public:
  // By RedisConfig::index; null where nobody names it.
  explicit LimitRedis(std::vector<std::unique_ptr<redis::Client>> clients);

  // Requires: bucket.setting->redis >= 0.
  bool available(const LimitBucket& bucket) const { return ClientOf(bucket).available(); }
  // Counts the request where it fits. `on_answer` gets nothing where Redis did not answer in time;
  // it is called from the loop, and not after the Pending is gone. `bucket` lives as long.
  [[nodiscard]] redis::Pending Take(
      const LimitBucket& bucket, std::function<void(const std::optional<RedisAnswer>&)> on_answer);
  // Takes one request back that was counted. Nobody waits for it; where it is lost, the key has one
  // request less for a while.
  void GiveBack(const LimitBucket& bucket);

 private:
  redis::Client& ClientOf(const LimitBucket& bucket) const {
    return *clients_[static_cast<size_t>(bucket.setting->redis)];
  }

  std::vector<std::unique_ptr<redis::Client>> clients_;
  std::vector<redis::Pending> unawaited_;
};

}  // namespace framewall::filter
