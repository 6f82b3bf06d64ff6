// A leaky bucket as a script, so that machines may share it: GCRA, one key, one question for each
// decision, by the clock of Redis.
//
// KEYS[1] holds the theoretical arrival time. ARGV, whole microseconds: what one request takes
// (negative: that much is given back), how far ahead a request may come, how far ahead it need not
// wait (negative: it never waits), how far ahead no state can be, unless a clock jumped.
#pragma once

#include <cstdint>
#include <optional>

#include "proxy/redis/reply.h"
#include "proxy/redis/script.h"

namespace framewall::redis {

const Script& BucketScript();

// Its reply {outcome, milliseconds, ahead}.
struct BucketReply {
  enum class Outcome : uint8_t {
    kPass = 0,
    kDelay = 1,   // passes after `milliseconds`
    kRefuse = 2,  // nothing was counted; try again after `milliseconds`
  };
  Outcome outcome = Outcome::kPass;
  int64_t milliseconds = 0;
  int64_t ahead = 0;  // microseconds, before what was asked for
};
// Nothing where it is none of its replies.
std::optional<BucketReply> ReadBucketReply(const Reply& reply);

}  // namespace framewall::redis
