#include "proxy/filter/message/limit.h"

#include <fmt/format.h>

#include <utility>

#include "proxy/base/check.h"
#include "proxy/filter/limit_key.h"

namespace framewall::filter {

std::unique_ptr<MessageLimit> MessageLimit::Make(exchange::Exchange& exchange,
                                                 FilterServices& services,
                                                 std::function<void()> done) {
  const auto& uses = exchange.settings().limits.messages;
  if (uses.empty() || services.limit_zones == nullptr) return nullptr;
  std::unique_ptr<MessageLimit> limit(new MessageLimit(exchange, services, std::move(done)));
  for (const config::MessageLimitUse& use : uses) {
    if (use.limit.zone < 0) continue;
    const auto& zone = *exchange.config.http.limit_zones[static_cast<size_t>(use.limit.zone)];
    const std::string_view key = LimitKey(exchange, zone);
    if (!key.empty()) limit->entries_.push_back({&use, std::string(key)});
  }
  return limit->entries_.empty() ? nullptr : std::move(limit);
}

bool MessageLimit::Ask() {
  std::vector<LimitBucket> buckets;
  buckets.reserve(entries_.size());
  for (const Entry& entry : entries_) {
    const config::LimitReqUse& use = entry.use->limit;
    const auto& zone = *exchange_.config.http.limit_zones[static_cast<size_t>(use.zone)];
    buckets.emplace_back(use, zone, services_.limit_zones->zone(use.zone), entry.key);
  }
  decision_ = std::make_unique<LimitDecision>(services_, std::move(buckets), done_);
  return decision_->Start();
}

const config::MessageLimitUse& MessageLimit::UseOf(const LimitBucket& bucket) const {
  for (const Entry& entry : entries_) {
    if (&entry.use->limit == bucket.use) return *entry.use;
  }
  FW_UNREACHABLE();
}

void MessageLimit::LogRefusal() const {
  const LimitOutcome& outcome = decision_->outcome();
  const config::LimitZone& zone = *outcome.bucket->setting;
  const auto level = static_cast<LogLevel>(exchange_.settings().limits.limit_req_log_level);
  if (outcome.answer.kind == LimitAnswer::Kind::kRedisDown) {
    return exchange_.LogError(level,
                              fmt::format("limiting messages, redis \"{}\" does not answer, by "
                                          "zone \"{}\"",
                                          zone.redis_name, zone.name));
  }
  exchange_.LogError(
      level, fmt::format("limiting messages, excess: {}.{:03} by zone \"{}\"",
                         outcome.answer.excess / 1000, outcome.answer.excess % 1000, zone.name));
}

void MessageLimit::Cancel() { decision_.reset(); }

}  // namespace framewall::filter
