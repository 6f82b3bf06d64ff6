// The two places where limits are counted, and the bits in Exchange::limits_counted that say where
// an exchange was.
#pragma once

#include <cstdint>

#include "proxy/config/model/limits.h"

namespace framewall::filter {

enum class LimitRow : uint8_t { kBeforeAccess, kByIdentity };

constexpr uint8_t RequestsCounted(LimitRow row) { return row == LimitRow::kByIdentity ? 2 : 1; }
constexpr uint8_t ConnectionsCounted(LimitRow row) { return row == LimitRow::kByIdentity ? 8 : 4; }

inline bool StandsIn(const config::LimitZone& zone, LimitRow row) {
  return zone.by_identity == (row == LimitRow::kByIdentity);
}

}  // namespace framewall::filter
