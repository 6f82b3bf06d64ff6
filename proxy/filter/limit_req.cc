// Of several zones all are asked first, each under its own lock; only when all agree is the request
// counted. A refused request is counted nowhere.
#include "proxy/filter/limit_req.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "proxy/event/timer.h"
#include "proxy/filter/limit_zone.h"

namespace framewall::filter {
namespace {

using config::LimitReqUse;
using Ref = LimitZone::Ref;

constexpr size_t kLongestKey = 65535;
// A clock further back than this is another clock; a little back is another worker's cached time.
constexpr int64_t kClockJumpMs = 60000;
// States that were idle so long are dropped as soon as their bucket is empty.
constexpr int64_t kIdleMs = 60000;
constexpr int64_t kLongestDelayMs = std::numeric_limits<int32_t>::max();

int64_t Saturated(uint64_t value) {
  constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(std::min(value, kMost));
}

int64_t Thousands(uint64_t requests) {
  uint64_t product = 0;
  if (__builtin_mul_overflow(requests, uint64_t{1000}, &product)) product = UINT64_MAX;
  return Saturated(product);
}

// What runs out in that time: `rate` is in thousandths of a request per second.
int64_t Leaked(uint64_t rate, int64_t ms) {
  uint64_t product = 0;
  if (__builtin_mul_overflow(rate, static_cast<uint64_t>(ms), &product)) product = UINT64_MAX;
  return Saturated(product / 1000);
}

int64_t SinceLast(const LimitState& state, int64_t now_ms) {
  const int64_t ms = now_ms - state.last_ms;
  if (ms < -kClockJumpMs) return 1;
  return std::max<int64_t>(ms, 0);
}

// With one request more.
int64_t ExcessNow(const LimitState& state, uint64_t rate, int64_t now_ms) {
  if (state.last_ms == LimitState::kNever) return 0;
  const int64_t leaked = Leaked(rate, SinceLast(state, now_ms));
  // Not above the burst's limit by more than one request, so no overflow.
  if (leaked >= state.excess + 1000) return 0;
  return state.excess + 1000 - leaked;
}

void Count(LimitState& state, int64_t excess, int64_t now_ms) {
  if (state.last_ms == LimitState::kNever || SinceLast(state, now_ms) != 0) state.last_ms = now_ms;
  state.excess = excess;
}

bool IsIdle(const LimitState& state, uint64_t rate, int64_t now_ms) {
  // Refused by a later zone, or being counted right now: then it is made once more.
  if (state.last_ms == LimitState::kNever) return true;
  const int64_t ms = std::abs(now_ms - state.last_ms);
  return ms >= kIdleMs && state.excess <= Leaked(rate, ms);
}

// A state for a new key: at the price of one or two idle ones, or of the oldest.
Ref Add(LimitZone::Access& table, std::string_view key, uint32_t hash, uint64_t rate,
        int64_t now_ms) {
  if (!table.MayFit(key)) return 0;
  for (int i = 0; i < 2; ++i) {
    const Ref oldest = table.oldest();
    if (oldest == 0 || !IsIdle(table.state(oldest), rate, now_ms)) break;
    table.Remove(oldest);
  }
  Ref added = table.Insert(key, hash);
  while (added == 0 && table.oldest() != 0) {
    table.Remove(table.oldest());
    added = table.Insert(key, hash);
  }
  return added;
}

// One zone of the list, as it concerns this request.
struct Bucket {
  const LimitReqUse* use;
  LimitZone* zone;
  uint64_t rate;
  std::string_view key;
  uint32_t hash;
};

enum class Answer { kFits, kExceeds, kNoRoom };

Answer Ask(const Bucket& bucket, bool count, int64_t now_ms, int64_t* excess) {
  LimitZone::Access table(*bucket.zone);
  Ref ref = table.Find(bucket.key, bucket.hash);
  if (ref != 0) {
    table.MakeNewest(ref);
  } else {
    ref = Add(table, bucket.key, bucket.hash, bucket.rate, now_ms);
  }
  *excess = 0;
  if (ref == 0) return Answer::kNoRoom;
  LimitState& state = table.state(ref);
  *excess = ExcessNow(state, bucket.rate, now_ms);
  if (*excess > Thousands(bucket.use->burst)) return Answer::kExceeds;
  if (count) Count(state, *excess, now_ms);
  return Answer::kFits;
}

// The request passes all zones. The state may be gone since it was asked, when the table is full:
// no lock is held from one zone to the next, and nothing pins a state, so that nobody's death can.
int64_t CountLater(const Bucket& bucket, int64_t now_ms) {
  LimitZone::Access table(*bucket.zone);
  Ref ref = table.Find(bucket.key, bucket.hash);
  if (ref == 0) ref = Add(table, bucket.key, bucket.hash, bucket.rate, now_ms);
  if (ref == 0) return 0;
  LimitState& state = table.state(ref);
  const int64_t excess = ExcessNow(state, bucket.rate, now_ms);
  Count(state, excess, now_ms);
  return excess;
}

int64_t DelayFor(const Bucket& bucket, int64_t excess) {
  if (bucket.use->nodelay) return 0;
  const int64_t allowed = Thousands(bucket.use->delay);
  if (excess <= allowed || bucket.rate == 0) return 0;
  int64_t product = 0;
  if (__builtin_mul_overflow(excess - allowed, int64_t{1000}, &product)) return kLongestDelayMs;
  return std::min(product / Saturated(bucket.rate), kLongestDelayMs);
}

class Refusal final : public Filter {
 public:
  explicit Refusal(int status) : status_(status) {}
  Verdict OnRequestHead(Exchange&) override { return Verdict::Respond(status_); }

 private:
  int status_;
};

class Delay final : public Filter {
 public:
  Delay(Exchange& exchange, Milliseconds delay)
      : timer_(exchange.driver->loop(),
               [&exchange] {
                 if (exchange.driver != nullptr) exchange.driver->Resume();
               }),
        delay_(delay) {}
  Verdict OnRequestHead(Exchange&) override {
    timer_.Set(delay_);
    return Verdict::Pause();
  }

 private:
  event::Timer timer_;
  Milliseconds delay_;
};

LogLevel OneLess(int level) {
  return static_cast<LogLevel>(std::min(level + 1, static_cast<int>(LogLevel::kInfo)));
}

// Buckets of this exchange, in the order of the list; keys that are empty are not counted.
std::vector<Bucket> BucketsOf(Exchange& exchange, const LimitZones& zones) {
  std::vector<Bucket> buckets;
  for (const LimitReqUse& use : exchange.settings().limits.limit_req) {
    if (use.zone < 0) continue;
    const auto& setting = *exchange.config.http.limit_zones[static_cast<size_t>(use.zone)];
    const std::string_view key = exchange.Expand(setting.key);
    if (key.empty()) continue;
    if (key.size() > kLongestKey) {
      exchange.LogError(LogLevel::kError,
                        fmt::format("the value of the \"{}\" key is more than 65535 bytes: \"{}\"",
                                    setting.key.source, key));
      continue;
    }
    LimitZone& zone = zones.zone(use.zone);
    buckets.push_back({&use, &zone, setting.rate, key, zone.Hash(key)});
  }
  return buckets;
}

}  // namespace

std::unique_ptr<Filter> MakeLimitReq(Exchange& exchange, FilterServices& services) {
  const config::LimitSettings& settings = exchange.settings().limits;
  if (settings.limit_req.empty() || services.limit_zones == nullptr ||
      !exchange.limit_req_status.empty()) {
    return nullptr;
  }
  const std::vector<Bucket> buckets = BucketsOf(exchange, *services.limit_zones);
  if (buckets.empty()) return nullptr;
  const std::string_view dry = settings.limit_req_dry_run ? ", dry run" : "";
  const int64_t now_ms = LimitClockMs();

  int64_t excess = 0;
  for (const Bucket& bucket : buckets) {
    const Answer answer = Ask(bucket, &bucket == &buckets.back(), now_ms, &excess);
    if (answer == Answer::kFits) continue;
    if (answer == Answer::kExceeds) {
      exchange.LogError(static_cast<LogLevel>(settings.limit_req_log_level),
                        fmt::format("limiting requests{}, excess: {}.{:03} by zone \"{}\"", dry,
                                    excess / 1000, excess % 1000, bucket.zone->name()));
    } else {
      MainLog().Write(LogLevel::kAlert, fmt::format("could not allocate node in limit_req zone "
                                                    "\"{}\"",
                                                    bucket.zone->name()));
    }
    exchange.limit_req_status = settings.limit_req_dry_run ? "REJECTED_DRY_RUN" : "REJECTED";
    if (settings.limit_req_dry_run) return nullptr;
    return std::make_unique<Refusal>(settings.limit_req_status);
  }

  // The last is counted already; of all, the longest delay counts.
  const Bucket* slowest = &buckets.back();
  int64_t delay = DelayFor(*slowest, excess);
  for (size_t i = buckets.size() - 1; i-- > 0;) {
    const int64_t own_excess = CountLater(buckets[i], now_ms);
    const int64_t own_delay = DelayFor(buckets[i], own_excess);
    if (own_delay <= delay) continue;
    delay = own_delay;
    excess = own_excess;
    slowest = &buckets[i];
  }
  if (delay == 0) {
    exchange.limit_req_status = "PASSED";
    return nullptr;
  }
  exchange.LogError(OneLess(settings.limit_req_log_level),
                    fmt::format("delaying request{}, excess: {}.{:03}, by zone \"{}\"", dry,
                                excess / 1000, excess % 1000, slowest->zone->name()));
  exchange.limit_req_status = settings.limit_req_dry_run ? "DELAYED_DRY_RUN" : "DELAYED";
  if (settings.limit_req_dry_run) return nullptr;
  return std::make_unique<Delay>(exchange, Milliseconds(delay));
}

}  // namespace framewall::filter
