// limit_conn: at most so many exchanges at a time for a key.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "proxy/filter/filter.h"
#include "proxy/filter/limit_zone.h"
#include "proxy/filter/services.h"

namespace framewall::filter {

// Counts the exchange in every zone of its location, once in its life and until its log phase. Null
// where no key is to be counted, else a filter that holds the counts or refuses.
std::unique_ptr<Filter> MakeLimitConn(Exchange& exchange, FilterServices& services);
// Of the zones whose key is made of identity (config/identity): behind the access phase.
std::unique_ptr<Filter> MakeIdentityLimitConn(Exchange& exchange, FilterServices& services);

// One exchange in one zone, counted as long as this lives. A state belongs to a key and a process,
// so what a dead worker had counted is known by its owner: it is dropped when a worker starts, when
// the key is at its limit (looked at once a second), and when the table is full. Left over is only
// what a stranger keeps alive who was given the dead worker's process id.
class CountedConnection {
 public:
  enum class Outcome : uint8_t { kCounted, kAtLimit, kNoRoom };

  // `owner` is this process; another one only in tests.
  static Outcome Take(LimitZone& zone, std::string_view key, uint64_t limit, int32_t owner,
                      CountedConnection* into);
  CountedConnection() = default;
  CountedConnection(CountedConnection&& other) noexcept;
  CountedConnection& operator=(CountedConnection&& other) noexcept;
  ~CountedConnection();

 private:
  LimitZone* zone_ = nullptr;
  LimitZone::Ref ref_ = 0;
  uint32_t epoch_ = 0;
};

// A worker starts: nothing is counted for its process id, or for processes that are gone.
void ForgetDeadConnections(const LimitZones& zones, int32_t own_id);

}  // namespace framewall::filter
