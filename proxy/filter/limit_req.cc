#include "proxy/filter/limit_req.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "proxy/event/timer.h"
#include "proxy/filter/limit_decision.h"
#include "proxy/filter/limit_key.h"
#include "proxy/filter/limit_row.h"

namespace framewall::filter {
namespace {

using config::LimitReqUse;

// The milder ones first: of two rows the worse one is said.
constexpr std::array<std::string_view, 5> kStatuses = {"PASSED", "DELAYED_DRY_RUN", "DELAYED",
                                                       "REJECTED_DRY_RUN", "REJECTED"};

void Say(Exchange& exchange, std::string_view status) {
  const auto rank = [](std::string_view text) {
    return std::find(kStatuses.begin(), kStatuses.end(), text) - kStatuses.begin();
  };
  if (exchange.limit_req_status.empty() || rank(status) > rank(exchange.limit_req_status)) {
    exchange.limit_req_status = status;
  }
}

LogLevel OneLess(int level) {
  return static_cast<LogLevel>(std::min(level + 1, static_cast<int>(LogLevel::kInfo)));
}

void LogRefusal(Exchange& exchange, const LimitOutcome& outcome, std::string_view dry) {
  const config::LimitSettings& settings = exchange.settings().limits;
  const config::LimitZone& zone = *outcome.bucket->setting;
  const int64_t excess = outcome.answer.excess;
  switch (outcome.answer.kind) {
    case LimitAnswer::Kind::kFits:
      return;
    case LimitAnswer::Kind::kExceeds:
      return exchange.LogError(static_cast<LogLevel>(settings.limit_req_log_level),
                               fmt::format("limiting requests{}, excess: {}.{:03} by zone \"{}\"",
                                           dry, excess / 1000, excess % 1000, zone.name));
    case LimitAnswer::Kind::kRedisDown:
      return exchange.LogError(static_cast<LogLevel>(settings.limit_req_log_level),
                               fmt::format("limiting requests{}, redis \"{}\" does not answer, by "
                                           "zone \"{}\"",
                                           dry, zone.redis_name, zone.name));
    case LimitAnswer::Kind::kNoRoom:
      return MainLog().Write(
          LogLevel::kAlert,
          fmt::format("could not allocate node in limit_req zone \"{}\"", zone.name));
  }
}

// Of the location that counted it: a redirect may lead to another.
Verdict VerdictOf(Exchange& exchange, const LimitDecision& decision, Milliseconds* delay) {
  const config::LimitSettings& settings = exchange.settings().limits;
  const LimitOutcome& outcome = decision.outcome();
  const std::string_view dry = settings.limit_req_dry_run ? ", dry run" : "";
  if (settings.limit_req_headers && !settings.limit_req_dry_run) {
    for (const LimitBucket& bucket : decision.buckets()) {
      // Who refuses is told alone: nobody else has counted it.
      if (outcome.kind == LimitOutcome::Kind::kRefuse && &bucket != outcome.bucket) continue;
      if (bucket.answer) exchange.limit_reports.push_back(ReportOf(bucket, *bucket.answer));
    }
  }
  *delay = Milliseconds(0);
  switch (outcome.kind) {
    case LimitOutcome::Kind::kPass:
      Say(exchange, "PASSED");
      return Verdict::Continue();
    case LimitOutcome::Kind::kRefuse:
      LogRefusal(exchange, outcome, dry);
      Say(exchange, settings.limit_req_dry_run ? "REJECTED_DRY_RUN" : "REJECTED");
      if (settings.limit_req_dry_run) return Verdict::Continue();
      return Verdict::Respond(settings.limit_req_status);
    case LimitOutcome::Kind::kDelay:
      exchange.LogError(OneLess(settings.limit_req_log_level),
                        fmt::format("delaying request{}, excess: {}.{:03}, by zone \"{}\"", dry,
                                    outcome.answer.excess / 1000, outcome.answer.excess % 1000,
                                    outcome.bucket->setting->name));
      Say(exchange, settings.limit_req_dry_run ? "DELAYED_DRY_RUN" : "DELAYED");
      if (!settings.limit_req_dry_run) *delay = outcome.delay;
      return Verdict::Continue();
  }
  return Verdict::Continue();
}

// What was decided when the filter was made.
class Decided final : public Filter {
 public:
  Decided(Exchange& exchange, Verdict verdict, Milliseconds delay)
      : timer_(exchange.driver->loop(),
               [&exchange] {
                 if (exchange.driver != nullptr) exchange.driver->Resume();
               }),
        verdict_(verdict),
        delay_(delay) {}
  Verdict OnRequestHead(Exchange&) override {
    if (delay_.count() == 0) return verdict_;
    timer_.Set(delay_);
    return Verdict::Pause();
  }

 private:
  event::Timer timer_;
  Verdict verdict_;
  Milliseconds delay_;
};

// Waits for Redis, no longer than its deadline, and then as long as the decision says.
class Asking final : public Filter {
 public:
  Asking(Exchange& exchange, FilterServices& services, std::vector<LimitBucket> buckets)
      : exchange_(exchange),
        decision_(services, std::move(buckets), [this] { OnDecided(); }),
        timer_(exchange.driver->loop(), [this] { Resume(); }) {}

  Verdict OnRequestHead(Exchange&) override {
    if (!decision_.Start()) return Verdict::Pause();
    Milliseconds delay{0};
    const Verdict verdict = VerdictOf(exchange_, decision_, &delay);
    if (delay.count() == 0) return verdict;
    timer_.Set(delay);
    return Verdict::Pause();
  }

 private:
  void OnDecided() {
    if (exchange_.driver == nullptr) return;
    Milliseconds delay{0};
    const Verdict verdict = VerdictOf(exchange_, decision_, &delay);
    if (verdict.kind == Verdict::Kind::kRespond) return exchange_.driver->Finish(verdict.status);
    if (delay.count() == 0) return Resume();
    timer_.Set(delay);
  }
  void Resume() {
    if (exchange_.driver != nullptr) exchange_.driver->Resume();
  }

  Exchange& exchange_;
  LimitDecision decision_;
  event::Timer timer_;
};

// Buckets of this exchange, in the order of the list; keys that are empty are not counted.
std::vector<LimitBucket> BucketsOf(Exchange& exchange, const LimitZones& zones, LimitRow row) {
  std::vector<LimitBucket> buckets;
  const std::vector<LimitReqUse>& uses = exchange.settings().limits.limit_req;
  for (const LimitReqUse& use : uses) {
    if (use.zone < 0) continue;
    const auto& setting = *exchange.config.http.limit_zones[static_cast<size_t>(use.zone)];
    if (!StandsIn(setting, row)) continue;
    const std::string_view key = LimitKey(exchange, setting);
    if (key.empty()) continue;
    if (buckets.empty()) buckets.reserve(uses.size());
    buckets.emplace_back(use, setting, zones.zone(use.zone), key);
  }
  return buckets;
}

std::unique_ptr<Filter> Make(Exchange& exchange, FilterServices& services, LimitRow row) {
  if (exchange.settings().limits.limit_req.empty() || services.limit_zones == nullptr ||
      (exchange.limits_counted & RequestsCounted(row)) != 0) {
    return nullptr;
  }
  std::vector<LimitBucket> buckets = BucketsOf(exchange, *services.limit_zones, row);
  if (buckets.empty()) return nullptr;
  exchange.limits_counted |= RequestsCounted(row);
  const bool asks_redis = std::any_of(buckets.begin(), buckets.end(),
                                      [](const auto& one) { return one.setting->redis >= 0; });
  if (asks_redis) return std::make_unique<Asking>(exchange, services, std::move(buckets));

  LimitDecision decision(services, std::move(buckets), nullptr);
  decision.Start();
  Milliseconds delay{0};
  const Verdict verdict = VerdictOf(exchange, decision, &delay);
  if (verdict.kind == Verdict::Kind::kContinue && delay.count() == 0) return nullptr;
  return std::make_unique<Decided>(exchange, verdict, delay);
}

}  // namespace

std::unique_ptr<Filter> MakeLimitReq(Exchange& exchange, FilterServices& services) {
  return Make(exchange, services, LimitRow::kBeforeAccess);
}

std::unique_ptr<Filter> MakeIdentityLimitReq(Exchange& exchange, FilterServices& services) {
  return Make(exchange, services, LimitRow::kByIdentity);
}

}  // namespace framewall::filter
