#include "proxy/redis/bucket_script.h"

namespace framewall::redis {
namespace {

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

}  // namespace

const Script& BucketScript() {
  static const Script script(kScript);
  return script;
}

std::optional<BucketReply> ReadBucketReply(const Reply& reply) {
  if (!reply.is_array() || reply.elements.size() != 3) return std::nullopt;
  const auto outcome = reply.elements[0].AsInteger();
  const auto wait = reply.elements[1].AsInteger();
  const auto ahead = reply.elements[2].AsInteger();
  if (!outcome || !wait || !ahead || *wait < 0 || *ahead < 0) return std::nullopt;
  if (*outcome < 0 || *outcome > 2) return std::nullopt;
  return BucketReply{static_cast<BucketReply::Outcome>(*outcome), *wait, *ahead};
}

}  // namespace framewall::redis
