#include "proxy/filter/limit_redis.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "proxy/base/digest.h"
#include "proxy/base/encoding.h"

namespace framewall::filter {
namespace {

// KEYS[1]: the theoretical arrival time. ARGV, in microseconds: what one request takes (negative:
// one is given back), how far ahead a request may come, how far ahead it need not wait (negative:
// it never waits), how far ahead no state can be, unless a clock jumped. Replies {0, 0, ahead}:
// pass; {1, ms, ahead}: pass after so long; {2, ms, ahead}: refused, try again after so long, and
// nothing was counted.
//
// Numbers of Lua are doubles: whole microseconds are exact in them until the year 2255. Redis
// before 5 replicates scripts by their text unless told otherwise, and then refuses to write behind
// TIME.
constexpr const char* kScript = R"lua(
if redis.replicate_commands then redis.replicate_commands() end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local period, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local free, horizon = tonumber(ARGV[3]), tonumber(ARGV[4])
local arrival = tonumber(redis.call('GET', KEYS[1]))
if period < 0 and not arrival then return {0, 0, 0} end
if not arrival or arrival < now or arrival > now + horizon then arrival = now end
local ahead = arrival - now
if period > 0 and ahead > burst then
  return {2, math.ceil((ahead - burst) / 1000), ahead}
end
arrival = arrival + period
if arrival <= now then
  redis.call('DEL', KEYS[1])
  return {0, 0, 0}
end
local life = math.ceil((arrival - now) / 1000)
redis.call('SET', KEYS[1], string.format('%.0f', arrival), 'PX', string.format('%.0f', life))
if period > 0 and free >= 0 and ahead > free then
  return {1, math.floor((ahead - free) / 1000), ahead}
end
return {0, 0, ahead}
)lua";

const redis::Script& TheScript() {
  static const redis::Script script(kScript);
  return script;
}

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
  if (!reply.is_array() || reply.elements.size() != 3) return std::nullopt;
  const auto outcome = reply.elements[0].AsInteger();
  const auto wait = reply.elements[1].AsInteger();
  const auto ahead = reply.elements[2].AsInteger();
  if (!outcome || !wait || !ahead || *wait < 0 || *ahead < 0) return std::nullopt;
  RedisAnswer answer;
  answer.answer.excess = ExcessOf(std::min(*ahead, kFurthest * 2), PeriodOf(bucket));
  switch (*outcome) {
    case 0:
      return answer;
    case 1:
      answer.delay = Milliseconds(std::min(*wait, kLongestDelayMs));
      return answer;
    case 2:
      answer.answer.kind = LimitAnswer::Kind::kExceeds;
      return answer;
    default:
      return std::nullopt;
  }
}

LimitRedis::LimitRedis(std::vector<std::unique_ptr<redis::Client>> clients)
    : clients_(std::move(clients)) {}

redis::Pending LimitRedis::Take(const LimitBucket& bucket,
                                std::function<void(const std::optional<RedisAnswer>&)> on_answer) {
  const Arguments arguments(bucket, false);
  return ClientOf(bucket).Evaluate(
      TheScript(), RedisKey(bucket), arguments.views,
      [&bucket, on_answer = std::move(on_answer)](const Result<redis::Reply>& reply) {
        on_answer(reply.ok() ? ReadRedisAnswer(bucket, *reply) : std::nullopt);
      });
}

void LimitRedis::GiveBack(const LimitBucket& bucket) {
  std::erase_if(unawaited_, [](const redis::Pending& one) { return !one.active(); });
  const Arguments arguments(bucket, true);
  unawaited_.push_back(ClientOf(bucket).Evaluate(TheScript(), RedisKey(bucket), arguments.views,
                                                 [](const Result<redis::Reply>&) {}));
}

}  // namespace framewall::filter
