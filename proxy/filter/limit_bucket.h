// The leaky bucket of limit_req in a zone of this machine, as nginx counts it.
//
// Rates and excesses are in thousandths of a request. The excess of a bucket is by how much its
// requests are ahead of the rate; a request fits while the excess that it makes is at most the
// burst.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "proxy/base/parse.h"
#include "proxy/config/model/limits.h"
#include "proxy/exchange/exchange.h"
#include "proxy/filter/limit_zone.h"

namespace framewall::filter {

struct LimitAnswer {
  enum class Kind : uint8_t {
    kFits,
    kExceeds,
    kNoRoom,    // the zone is too small for this key
    kRedisDown  // refused because nobody could be asked
  };
  Kind kind = Kind::kFits;
  int64_t excess = 0;
};

// One zone of a list, with the key of who asks. It refers to the configuration, the zone, and a key
// that must outlive it.
struct LimitBucket {
  LimitBucket(const config::LimitReqUse& use_in, const config::LimitZone& setting_in,
              LimitZone& zone_in, std::string_view key_in)
      : use(&use_in),
        setting(&setting_in),
        zone(&zone_in),
        key(key_in),
        hash(zone_in.Hash(key_in)) {}

  const config::LimitReqUse* use;
  const config::LimitZone* setting;
  LimitZone* zone;
  std::string_view key;
  uint32_t hash;
  // Once it has been asked.
  std::optional<LimitAnswer> answer = std::nullopt;
};

enum class LimitCounting : uint8_t { kAskOnly, kCount };

// `now_ms` is LimitClockMs(). What does not fit is never counted.
LimitAnswer AskBucket(const LimitBucket& bucket, LimitCounting counting, int64_t now_ms);
// Counts one that AskBucket found to fit, whatever has come in between. The excess with it.
int64_t CountInBucket(const LimitBucket& bucket, int64_t now_ms);
// Takes one request back that was counted.
void GiveBackToBucket(const LimitBucket& bucket);

// How long a request with this excess waits, by delay= and nodelay.
Milliseconds DelayOf(const LimitBucket& bucket, int64_t excess);

// What limit_req_headers says of it.
exchange::LimitReport ReportOf(const LimitBucket& bucket, const LimitAnswer& answer);

}  // namespace framewall::filter
