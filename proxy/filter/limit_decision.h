// May it pass? One decision over the zones of a list, for a request or a message.
//
// Zones of this machine are asked first, all before any counts; where one refuses nothing is
// counted and no Redis is asked. Then the zones in Redis are asked at once, each by itself (a
// Cluster has no way to ask two keys as one), and a zone whose Redis does not answer in time
// decides as its redis_down says. Where one of them refuses, the others are given the request back,
// so between question and give-back a key may look fuller than it is, never emptier.
#pragma once

#include <functional>
#include <vector>

#include "proxy/filter/limit_bucket.h"
#include "proxy/filter/services.h"
#include "proxy/redis/client.h"

namespace framewall::filter {

struct RedisAnswer;

struct LimitOutcome {
  enum class Kind : uint8_t { kPass, kDelay, kRefuse };
  Kind kind = Kind::kPass;
  Milliseconds delay{0};
  const LimitBucket* bucket = nullptr;  // that delays or refuses
  LimitAnswer answer;                   // its answer
};

class LimitDecision {
 public:
  // `done` is called once, from the loop, unless Start has said true; not after the decision is
  // gone. It may destroy the decision.
  LimitDecision(FilterServices& services, std::vector<LimitBucket> buckets,
                std::function<void()> done);
  ~LimitDecision();
  LimitDecision(const LimitDecision&) = delete;
  LimitDecision& operator=(const LimitDecision&) = delete;

  // True: the outcome is there.
  bool Start();
  const LimitOutcome& outcome() const { return outcome_; }
  // With their answers once the outcome is there; without one where nobody could be asked.
  const std::vector<LimitBucket>& buckets() const { return buckets_; }

 private:
  bool DecideHere();
  // By place in remotes_; null: no answer.
  void OnRedis(size_t k, const RedisAnswer* answer);
  void DecideAlone(size_t k);
  void Conclude();
  void Delay(size_t i, Milliseconds delay);
  void Refuse(size_t i);
  void Count(size_t i, LimitCount what);

  FilterServices& services_;
  std::vector<LimitBucket> buckets_;
  std::function<void()> done_;
  LimitOutcome outcome_;
  struct Remote {
    size_t bucket;
    enum class Counted : uint8_t { kNo, kHere, kInRedis } counted = Counted::kNo;
    Milliseconds delay{0};
    redis::Pending pending;
  };
  std::vector<Remote> remotes_;
  size_t awaited_ = 0;
};

}  // namespace framewall::filter
