// A rate with a burst: tokens fill up at `per_second`, at most `burst` of them.
//
// What is taken may exceed what is there: the bucket is then in debt, and Wait says how long until
// it has a token again. So a message need not be known before it is taken.
#pragma once

#include <algorithm>
#include <cstdint>

#include "proxy/base/clock.h"
#include "proxy/base/parse.h"
#include "proxy/config/model/websocket.h"

namespace framewall::server {

class TokenBucket {
 public:
  // Until a whole token is there; 0: now. A rate of 0 has no limit.
  Milliseconds Wait(const config::SocketRate& rate, SteadyTime now) {
    if (rate.per_second == 0) return Milliseconds(0);
    Fill(rate, now);
    if (tokens_ >= 1) return Milliseconds(0);
    const double seconds = (1 - tokens_) / static_cast<double>(rate.per_second);
    return Milliseconds(static_cast<int64_t>(seconds * 1000) + 1);
  }
  // False where there was no whole token; it is taken all the same.
  bool Take(const config::SocketRate& rate, uint64_t amount, SteadyTime now) {
    if (rate.per_second == 0) return true;
    Fill(rate, now);
    const bool there = tokens_ >= 1;
    tokens_ -= static_cast<double>(amount);
    return there;
  }
  bool full(const config::SocketRate& rate, SteadyTime now) {
    if (rate.per_second == 0) return true;
    Fill(rate, now);
    return tokens_ >= static_cast<double>(rate.burst);
  }

 private:
  void Fill(const config::SocketRate& rate, SteadyTime now) {
    const auto most = static_cast<double>(rate.burst);
    if (last_ == SteadyTime{}) {
      tokens_ = most;
    } else {
      const std::chrono::duration<double> passed = now - last_;
      tokens_ = std::min(most, tokens_ + passed.count() * static_cast<double>(rate.per_second));
    }
    last_ = now;
  }

  double tokens_ = 0;
  SteadyTime last_{};  // none: never used, full
};

}  // namespace framewall::server
