#include "proxy/filter/limit_decision.h"

#include <utility>

#include "proxy/base/check.h"
#include "proxy/filter/limit_redis.h"

namespace framewall::filter {

LimitDecision::LimitDecision(FilterServices& services, std::vector<LimitBucket> buckets,
                             std::function<void()> done)
    : services_(services), buckets_(std::move(buckets)), done_(std::move(done)) {}

LimitDecision::~LimitDecision() = default;

bool LimitDecision::Start() {
  if (!DecideHere()) return true;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    if (buckets_[i].setting->redis >= 0 && services_.limit_redis != nullptr) {
      remotes_.push_back(Remote{.bucket = i});
    }
  }
  if (remotes_.empty()) {
    Conclude();
    return true;
  }
  for (size_t k = 0; k < remotes_.size(); ++k) {
    const LimitBucket& bucket = buckets_[remotes_[k].bucket];
    if (!services_.limit_redis->available(bucket)) {
      DecideAlone(k);
      continue;
    }
    ++awaited_;
    remotes_[k].pending =
        services_.limit_redis->Take(bucket, [this, k](const std::optional<RedisAnswer>& answer) {
          OnRedis(k, answer ? &*answer : nullptr);
        });
  }
  if (awaited_ > 0) return false;
  Conclude();
  return true;
}

// False: one of this machine's zones refuses.
bool LimitDecision::DecideHere() {
  const int64_t now_ms = LimitClockMs();
  size_t last = buckets_.size();
  const auto is_here = [this](size_t i) {
    return buckets_[i].setting->redis < 0 || services_.limit_redis == nullptr;
  };
  for (size_t i = 0; i < buckets_.size(); ++i) {
    if (is_here(i)) last = i;
  }
  for (size_t i = 0; i < buckets_.size(); ++i) {
    if (!is_here(i)) continue;
    LimitBucket& bucket = buckets_[i];
    bucket.answer =
        AskBucket(bucket, i == last ? LimitCounting::kCount : LimitCounting::kAskOnly, now_ms);
    if (bucket.answer->kind == LimitAnswer::Kind::kFits) continue;
    Refuse(i);
    return false;
  }
  // The last is counted already; of all, the longest delay counts.
  for (size_t i = buckets_.size(); i-- > 0;) {
    if (!is_here(i)) continue;
    LimitBucket& bucket = buckets_[i];
    if (i != last) bucket.answer->excess = CountInBucket(bucket, now_ms);
    Delay(i, DelayOf(bucket, bucket.answer->excess));
  }
  return true;
}

void LimitDecision::OnRedis(size_t k, const RedisAnswer* answer) {
  Remote& remote = remotes_[k];
  if (answer != nullptr) {
    buckets_[remote.bucket].answer = answer->answer;
    remote.delay = answer->delay;
    if (answer->answer.kind == LimitAnswer::Kind::kFits) {
      remote.counted = Remote::Counted::kInRedis;
    }
  } else {
    DecideAlone(k);
  }
  if (--awaited_ > 0) return;
  Conclude();
  const std::function<void()> done = std::move(done_);
  done();
}

void LimitDecision::DecideAlone(size_t k) {
  Remote& remote = remotes_[k];
  const size_t i = remote.bucket;
  LimitBucket& bucket = buckets_[i];
  Count(i, LimitCount::kWithoutRedis);
  switch (bucket.setting->redis_down) {
    case config::RedisDown::kPass:
      return;  // no answer: nothing is known that could be told
    case config::RedisDown::kRefuse:
      bucket.answer = LimitAnswer{LimitAnswer::Kind::kRedisDown};
      return;
    case config::RedisDown::kLocal:
      bucket.answer = AskBucket(bucket, LimitCounting::kCount, LimitClockMs());
      if (bucket.answer->kind != LimitAnswer::Kind::kFits) return;
      remote.counted = Remote::Counted::kHere;
      remote.delay = DelayOf(bucket, bucket.answer->excess);
      return;
  }
}

void LimitDecision::Conclude() {
  for (const Remote& remote : remotes_) {
    const size_t i = remote.bucket;
    const std::optional<LimitAnswer>& answer = buckets_[i].answer;
    if (!answer || answer->kind == LimitAnswer::Kind::kFits) continue;
    // Of the zones here all have counted it.
    for (size_t other = 0; other < buckets_.size(); ++other) {
      if (buckets_[other].setting->redis < 0) GiveBackToBucket(buckets_[other]);
    }
    for (const Remote& one : remotes_) {
      const LimitBucket& bucket = buckets_[one.bucket];
      if (one.counted == Remote::Counted::kHere) GiveBackToBucket(bucket);
      if (one.counted == Remote::Counted::kInRedis) services_.limit_redis->GiveBack(bucket);
    }
    return Refuse(i);
  }
  for (const Remote& remote : remotes_) Delay(remote.bucket, remote.delay);
  for (size_t i = 0; i < buckets_.size(); ++i) {
    Count(i, &buckets_[i] == outcome_.bucket ? LimitCount::kDelayed : LimitCount::kPassed);
  }
}

void LimitDecision::Delay(size_t i, Milliseconds delay) {
  if (delay <= outcome_.delay) return;
  outcome_ = {LimitOutcome::Kind::kDelay, delay, &buckets_[i], *buckets_[i].answer};
}

void LimitDecision::Refuse(size_t i) {
  outcome_ = {LimitOutcome::Kind::kRefuse, Milliseconds(0), &buckets_[i], *buckets_[i].answer};
  Count(i, LimitCount::kRefused);
}

void LimitDecision::Count(size_t i, LimitCount what) {
  if (services_.count_limit) services_.count_limit(buckets_[i].setting->index, what);
}

}  // namespace framewall::filter
