#include "proxy/filter/limit_bucket.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace framewall::filter {
namespace {

using Ref = LimitZone::Ref;

// A clock further back than this is another clock; a little back is another worker's cached time.
constexpr int64_t kClockJumpMs = 60000;
// States that were idle so long are dropped as soon as their bucket is empty.
constexpr int64_t kIdleMs = 60000;
constexpr int64_t kLongestDelayMs = std::numeric_limits<int32_t>::max();
constexpr int64_t kLongestSeconds = 999'999'999'999;  // of a structured field's integer

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

// Whole seconds, rounded up, in which `thousandths` of a request run out; at least 1.
int64_t SecondsFor(int64_t thousandths, uint64_t rate) {
  if (thousandths <= 0 || rate == 0) return 1;
  const auto divisor = Saturated(rate);
  const int64_t seconds = thousandths / divisor + (thousandths % divisor != 0 ? 1 : 0);
  return std::clamp<int64_t>(seconds, 1, kLongestSeconds);
}

}  // namespace

LimitAnswer AskBucket(const LimitBucket& bucket, LimitCounting counting, int64_t now_ms) {
  LimitZone::Access table(*bucket.zone);
  const uint64_t rate = bucket.setting->rate;
  Ref ref = table.Find(bucket.key, bucket.hash);
  if (ref != 0) {
    table.MakeNewest(ref);
  } else {
    ref = Add(table, bucket.key, bucket.hash, rate, now_ms);
  }
  if (ref == 0) return {LimitAnswer::Kind::kNoRoom, 0};
  LimitState& state = table.state(ref);
  const int64_t excess = ExcessNow(state, rate, now_ms);
  if (excess > Thousands(bucket.use->burst)) return {LimitAnswer::Kind::kExceeds, excess};
  if (counting == LimitCounting::kCount) Count(state, excess, now_ms);
  return {LimitAnswer::Kind::kFits, excess};
}

// The state may be gone since it was asked, when the table is full: no lock is held from one zone
// to the next, and nothing pins a state, so that nobody's death can.
int64_t CountInBucket(const LimitBucket& bucket, int64_t now_ms) {
  LimitZone::Access table(*bucket.zone);
  const uint64_t rate = bucket.setting->rate;
  Ref ref = table.Find(bucket.key, bucket.hash);
  if (ref == 0) ref = Add(table, bucket.key, bucket.hash, rate, now_ms);
  if (ref == 0) return 0;
  LimitState& state = table.state(ref);
  const int64_t excess = ExcessNow(state, rate, now_ms);
  Count(state, excess, now_ms);
  return excess;
}

// One below zero stands for a bucket that nobody has used: the next request's excess is 0.
void GiveBackToBucket(const LimitBucket& bucket) {
  LimitZone::Access table(*bucket.zone);
  const Ref ref = table.Find(bucket.key, bucket.hash);
  if (ref == 0) return;
  LimitState& state = table.state(ref);
  if (state.last_ms != LimitState::kNever) state.excess = std::max<int64_t>(state.excess, 0) - 1000;
}

Milliseconds DelayOf(const LimitBucket& bucket, int64_t excess) {
  if (bucket.use->nodelay) return Milliseconds(0);
  const int64_t allowed = Thousands(bucket.use->delay);
  const uint64_t rate = bucket.setting->rate;
  if (excess <= allowed || rate == 0) return Milliseconds(0);
  int64_t product = 0;
  if (__builtin_mul_overflow(excess - allowed, int64_t{1000}, &product)) {
    return Milliseconds(kLongestDelayMs);
  }
  return Milliseconds(std::min(product / Saturated(rate), kLongestDelayMs));
}

exchange::LimitReport ReportOf(const LimitBucket& bucket, const LimitAnswer& answer) {
  const uint64_t rate = bucket.setting->rate;
  const int64_t burst = std::min(Thousands(bucket.use->burst), kLongestSeconds * 1000);
  exchange::LimitReport report;
  report.zone = bucket.setting->name;
  report.quota = burst / 1000 + 1;
  report.window = SecondsFor(burst + 1000, rate);
  report.refused = answer.kind != LimitAnswer::Kind::kFits;
  if (report.refused) {
    report.reset = SecondsFor(answer.excess - burst, rate);
    return report;
  }
  const int64_t excess = std::max<int64_t>(answer.excess, 0);
  report.remaining = std::max<int64_t>(burst - excess, 0) / 1000;
  // With this request the bucket is `excess + 1000` ahead.
  report.reset = SecondsFor(report.remaining == 0 ? excess + 1000 - burst : excess + 1000, rate);
  return report;
}

}  // namespace framewall::filter
