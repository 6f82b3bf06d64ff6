#include "proxy/filter/limit_conn.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "proxy/base/check.h"
#include "proxy/filter/limit_key.h"
#include "proxy/filter/limit_row.h"

namespace framewall::filter {
namespace {

using Ref = LimitZone::Ref;

constexpr int64_t kLookAgainMs = 1000;

bool IsGone(int32_t process) { return ::kill(process, 0) != 0 && errno == ESRCH; }

// All states of `own_id` and of the dead.
void Sweep(LimitZone::Access& table, int32_t own_id) {
  std::vector<std::pair<int32_t, bool>> known;
  const auto gone = [&known](int32_t process) {
    for (const auto& [id, is_gone] : known) {
      if (id == process) return is_gone;
    }
    return known.emplace_back(process, IsGone(process)).second;
  };
  for (Ref ref = table.oldest(); ref != 0;) {
    const Ref next = table.newer(ref);
    const int32_t owner = table.state(ref).owner;
    if (owner == own_id || gone(owner)) table.Remove(ref);
    ref = next;
  }
}

// Exchanges of this key in all processes; `own` is the state of `owner`, or 0.
uint64_t Total(LimitZone::Access& table, std::string_view key, uint32_t hash, int32_t owner,
               Ref* own) {
  uint64_t total = 0;
  *own = 0;
  for (Ref ref = table.Find(key, hash); ref != 0; ref = table.Find(key, hash, ref)) {
    total += table.state(ref).count;
    if (table.state(ref).owner == owner) *own = ref;
  }
  return total;
}

// Counts of others, where they have not been looked at for a second; true where some were dropped.
bool DropDead(LimitZone::Access& table, std::string_view key, uint32_t hash, int32_t owner) {
  const int64_t now_ms = LimitClockMs();
  bool dropped = false;
  for (Ref ref = table.Find(key, hash); ref != 0;) {
    const Ref next = table.Find(key, hash, ref);
    LimitState& state = table.state(ref);
    if (state.owner != owner && now_ms - state.last_ms >= kLookAgainMs) {
      state.last_ms = now_ms;
      if (IsGone(state.owner)) {
        table.Remove(ref);
        dropped = true;
      }
    }
    ref = next;
  }
  return dropped;
}

class Holder final : public Filter {
 public:
  explicit Holder(std::vector<CountedConnection> counted) : counted_(std::move(counted)) {}
  bool OnUpgraded(Exchange&) override { return true; }
  void OnLog(const Exchange&) override { counted_.clear(); }

 private:
  std::vector<CountedConnection> counted_;
};

class Refusal final : public Filter {
 public:
  explicit Refusal(int status) : status_(status) {}
  Verdict OnRequestHead(Exchange&) override { return Verdict::Respond(status_); }

 private:
  int status_;
};

}  // namespace

CountedConnection::Outcome CountedConnection::Take(LimitZone& zone, std::string_view key,
                                                   uint64_t limit, int32_t owner,
                                                   CountedConnection* into) {
  const uint32_t hash = zone.Hash(key);
  LimitZone::Access table(zone);
  Ref own = 0;
  uint64_t total = Total(table, key, hash, owner, &own);
  if (total >= limit && DropDead(table, key, hash, owner)) {
    total = Total(table, key, hash, owner, &own);
  }
  if (total >= limit) return Outcome::kAtLimit;
  if (own == 0) {
    const int64_t now_ms = LimitClockMs();
    own = table.Insert(key, hash);
    if (own == 0 && now_ms - table.swept_ms() >= kLookAgainMs) {
      table.swept_ms() = now_ms;
      Sweep(table, 0);
      own = table.Insert(key, hash);
    }
    if (own == 0) return Outcome::kNoRoom;
    table.state(own).owner = owner;
    table.state(own).last_ms = now_ms;
  }
  ++table.state(own).count;
  CountedConnection counted;
  counted.zone_ = &zone;
  counted.ref_ = own;
  counted.epoch_ = table.epoch();
  // What `into` held would be given back under the same lock.
  FW_CHECK(into->zone_ == nullptr);
  *into = std::move(counted);
  return Outcome::kCounted;
}

CountedConnection::CountedConnection(CountedConnection&& other) noexcept
    : zone_(std::exchange(other.zone_, nullptr)), ref_(other.ref_), epoch_(other.epoch_) {}

CountedConnection& CountedConnection::operator=(CountedConnection&& other) noexcept {
  std::swap(zone_, other.zone_);
  std::swap(ref_, other.ref_);
  std::swap(epoch_, other.epoch_);
  return *this;
}

CountedConnection::~CountedConnection() {
  if (zone_ == nullptr) return;
  LimitZone::Access table(*zone_);
  // Emptied since then: our count went with the rest.
  if (table.epoch() != epoch_) return;
  if (--table.state(ref_).count == 0) table.Remove(ref_);
}

void ForgetDeadConnections(const LimitZones& zones, int32_t own_id) {
  for (const auto& zone : zones.all()) {
    if (zone->is_request_zone()) continue;
    LimitZone::Access table(*zone);
    Sweep(table, own_id);
  }
}

namespace {

std::unique_ptr<Filter> Make(Exchange& exchange, FilterServices& services, LimitRow row) {
  const config::LimitSettings& settings = exchange.settings().limits;
  if (settings.limit_conn.empty() || services.limit_zones == nullptr ||
      (exchange.limits_counted & ConnectionsCounted(row)) != 0) {
    return nullptr;
  }
  const int32_t owner = ::getpid();
  std::vector<CountedConnection> counted;
  for (const config::LimitConnUse& use : settings.limit_conn) {
    if (use.zone < 0) continue;
    const auto& setting = *exchange.config.http.limit_zones[static_cast<size_t>(use.zone)];
    if (!StandsIn(setting, row)) continue;
    const std::string_view key = LimitKey(exchange, setting);
    if (key.empty()) continue;
    exchange.limits_counted |= ConnectionsCounted(row);
    // What the row before this one has said is worse.
    if (exchange.limit_conn_status.empty()) exchange.limit_conn_status = "PASSED";
    LimitZone& zone = services.limit_zones->zone(use.zone);
    CountedConnection one;
    const auto outcome = CountedConnection::Take(zone, key, use.connections, owner, &one);
    if (outcome == CountedConnection::Outcome::kCounted) {
      counted.push_back(std::move(one));
      continue;
    }
    if (outcome == CountedConnection::Outcome::kAtLimit) {
      exchange.LogError(static_cast<LogLevel>(settings.limit_conn_log_level),
                        fmt::format("limiting connections{} by zone \"{}\"",
                                    settings.limit_conn_dry_run ? ", dry run," : "", zone.name()));
    } else {
      MainLog().Write(LogLevel::kCrit, fmt::format("could not allocate node in limit_conn_zone "
                                                   "\"{}\"",
                                                   zone.name()));
    }
    exchange.limit_conn_status = settings.limit_conn_dry_run ? "REJECTED_DRY_RUN" : "REJECTED";
    if (settings.limit_conn_dry_run) return nullptr;
    return std::make_unique<Refusal>(settings.limit_conn_status);
  }
  if (counted.empty()) return nullptr;
  return std::make_unique<Holder>(std::move(counted));
}

}  // namespace

std::unique_ptr<Filter> MakeLimitConn(Exchange& exchange, FilterServices& services) {
  return Make(exchange, services, LimitRow::kBeforeAccess);
}

std::unique_ptr<Filter> MakeIdentityLimitConn(Exchange& exchange, FilterServices& services) {
  return Make(exchange, services, LimitRow::kByIdentity);
}

}  // namespace framewall::filter
