#include "proxy/filter/limit_redis.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "proxy/base/digest.h"
#include "proxy/base/encoding.h"
#include "proxy/redis/bucket_script.h"

namespace framewall::filter {
namespace {

// Far below 2^53, so that sums stay exact in Lua.
constexpr int64_t kFurthest = int64_t{1} << 50;
// A state further ahead than the zone can bring it, by more than this, is another clock's.
constexpr int64_t kClockJump = 60'000'000;
constexpr int64_t kLongestDelayMs = std::numeric_limits<int32_t>::max();

int64_t PeriodOf(const LimitBucket& bucket) {
  const uint64_t rate = std::max<uint64_t>(bucket.setting->rate, 1);
  return static_cast<int64_t>(std::max<uint64_t>((1'000'000'000 + rate / 2) / rate, 1));
}

// So many requests ahead.
int64_t Ahead(uint64_t requests, int64_t period) {
  int64_t product = 0;
  const auto count = static_cast<int64_t>(std::min<uint64_t>(requests, kFurthest));
  if (__builtin_mul_overflow(count, period, &product)) return kFurthest;
  return std::min(product, kFurthest);
}

// Thousandths of a request in `ahead` microseconds.
int64_t ExcessOf(int64_t ahead, int64_t period) {
  return ahead / period * 1000 + ahead % period * 1000 / period;
}

struct Arguments {
  Arguments(const LimitBucket& bucket, bool give_back) {
    const int64_t period = PeriodOf(bucket);
    const config::LimitReqUse& use = *bucket.use;
    texts[0] = std::to_string(give_back ? -period : period);
    texts[1] = std::to_string(Ahead(use.burst, period));
    texts[2] = use.nodelay ? "-1" : std::to_string(Ahead(use.delay, period));
    texts[3] = std::to_string(Ahead(std::max(bucket.setting->largest_burst, use.burst), period) +
                              period + kClockJump);
    std::copy(texts.begin(), texts.end(), views.begin());
  }
  std::array<std::string, 4> texts;
  std::array<std::string_view, 4> views;
};

}  // namespace

std::string RedisKey(const LimitBucket& bucket) {
  constexpr size_t kDigestOctets = 16;
  const std::string digest = Sha256(bucket.key);
  return fmt::format("limit:{}:{}", bucket.setting->name,
                     HexEncode(std::string_view(digest).substr(0, kDigestOctets)));
}

std::optional<RedisAnswer> ReadRedisAnswer(const LimitBucket& bucket, const redis::Reply& reply) {
  const auto said = redis::ReadBucketReply(reply);
  if (!said) return std::nullopt;
  RedisAnswer answer;
  answer.answer.excess = ExcessOf(std::min(said->ahead, kFurthest * 2), PeriodOf(bucket));
  switch (said->outcome) {
    case redis::BucketReply::Outcome::kPass:
      break;
    case redis::BucketReply::Outcome::kDelay:
      answer.delay = Milliseconds(std::min(said->milliseconds, kLongestDelayMs));
      break;
    case redis::BucketReply::Outcome::kRefuse:
      answer.answer.kind = LimitAnswer::Kind::kExceeds;
      break;
  }
  return answer;
}

LimitRedis::LimitRedis(std::vector<std::unique_ptr<redis::Client>> clients)
    : clients_(std::move(clients)) {}

redis::Pending LimitRedis::Take(const LimitBucket& bucket,
                                std::function<void(const std::optional<RedisAnswer>&)> on_answer) {
  const Arguments arguments(bucket, false);
  return ClientOf(bucket).Evaluate(
      redis::BucketScript(), RedisKey(bucket), arguments.views,
      [&bucket, on_answer = std::move(on_answer)](const Result<redis::Reply>& reply) {
        on_answer(reply.ok() ? ReadRedisAnswer(bucket, *reply) : std::nullopt);
      });
}

void LimitRedis::GiveBack(const LimitBucket& bucket) {
  std::erase_if(unawaited_, [](const redis::Pending& one) { return !one.active(); });
  const Arguments arguments(bucket, true);
  unawaited_.push_back(ClientOf(bucket).Evaluate(redis::BucketScript(), RedisKey(bucket),
                                                 arguments.views,
                                                 [](const Result<redis::Reply>&) {}));
}

}  // namespace framewall::filter
