#include "backend/budgets.h"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "backend/base/time.h"
#include "backend/llm/shared_meter.h"
#include "backend/settings/redis_rows.h"
#include "backend/store/usage.h"

namespace framewall::backend {
namespace {

constexpr int64_t kDayMs = 86'400'000;

llm::MeterLimits LimitsOf(const Settings::LlmLimits& limits) {
  return {limits.requests_per_minute, limits.tokens_per_minute, limits.requests_per_day,
          limits.tokens_per_day, limits.concurrent};
}

llm::WhenDown WhenDownOf(const Settings& settings) {
  if (settings.redis_when_down == "pass") return llm::WhenDown::kPass;
  if (settings.redis_when_down == "refuse") return llm::WhenDown::kRefuse;
  return llm::WhenDown::kLocal;
}

}  // namespace

Result<std::unique_ptr<Budgets>> Budgets::Make(event::EventLoop& loop, const Settings& settings) {
  std::unique_ptr<Budgets> made(new Budgets());
  const llm::MeterLimits of_user = LimitsOf(settings.llm_user);
  const llm::MeterLimits of_key = LimitsOf(settings.llm_key);
  made->has_day_limit_ = of_user.requests_per_day > 0 || of_user.tokens_per_day > 0;
  if (settings.redis_servers.empty()) {
    made->meter_ = llm::MakeLocalMeter(of_user, of_key);
    return made;
  }
  FW_ASSIGN(made->tls_, RedisTlsOf(settings));
  redis::Settings redis = RedisSettingsOf(settings);
  redis.tls = made->tls_.get();
  redis.sentinel_tls = made->tls_.get();
  made->redis_ = std::make_unique<redis::Client>(loop, std::move(redis));
  made->meter_ = llm::MakeSharedMeter(loop, *made->redis_, of_user, of_key, WhenDownOf(settings));
  return made;
}

// The last 24 hours as if all of it had been spent just now; of yesterday the part of it that they
// reach into. So a restart never gives more than there was.
Status Budgets::Restore(event::EventLoop& loop, store::Database& database) {
  if (!has_day_limit_) return OkStatus();
  const int64_t now = UnixMilliseconds();
  std::optional<Result<std::vector<store::Usage>>> rows;
  database.Read<std::vector<store::Usage>>(
      [from = store::UtcDay(now - kDayMs)](store::Connection& db) {
        return store::SumUsageByUser(db, from);
      },
      [&rows](Result<std::vector<store::Usage>> found) { rows = std::move(found); });
  while (!rows) loop.RunOnce(std::chrono::milliseconds(100));
  if (!rows->ok()) return rows->error();
  const std::string today = store::UtcDay(now);
  const auto part = [&](const store::Usage& row, int64_t count) {
    if (row.day == today) return count;
    return static_cast<int64_t>(static_cast<double>(count) *
                                static_cast<double>(kDayMs - now % kDayMs) /
                                static_cast<double>(kDayMs));
  };
  std::map<std::string, std::pair<int64_t, int64_t>> users;  // requests, tokens
  for (const store::Usage& row : **rows) {
    auto& [requests, tokens] = users[row.user];
    requests += part(row, row.requests);
    tokens += part(row, row.prompt_tokens + row.completion_tokens);
  }
  for (const auto& [user, used] : users) meter_->Restore(user, used.first, used.second);
  return OkStatus();
}

// One question is under way at a time, however many ask.
void Budgets::Probe(std::function<void(Status)> done) {
  probing_.push_back(std::move(done));
  if (probing_.size() > 1) return;
  probe_ = redis_->Execute("PING", "ready", {}, [this](const Result<redis::Reply>& reply) {
    for (const auto& tell : std::exchange(probing_, {})) {
      tell(reply.ok() ? OkStatus() : Status(reply.error()));
    }
  });
}

void Budgets::Watch(std::vector<Dependency>& dependencies, Metrics& metrics) {
  if (redis_ == nullptr) return;
  dependencies.push_back(
      {.name = "redis", .decisive = false, .ask = [this](std::function<void(Status)> done) {
         Probe(std::move(done));
       }});
  const auto count = [&](std::string name, std::string help, std::string kind,
                         std::function<uint64_t()> value) {
    metrics.Add({"framewall_backend_" + std::move(name), std::move(help), std::move(kind),
                 std::move(value)});
  };
  count("redis_answered_total", "Questions that Redis answered.", "counter",
        [this] { return redis_->counters().answered; });
  count("redis_failed_total", "Questions that it did not answer in time, or with an error.",
        "counter", [this] {
          const redis::Counters& all = redis_->counters();
          return all.errors + all.timeouts + all.rejected;
        });
  count("redis_left_alone", "1 while Redis is left alone after failures in a row.", "gauge",
        [this] { return uint64_t{redis_->breaker() == redis::BreakerState::kOpen}; });
  count("redis_outages_total", "How often that began.", "counter",
        [this] { return redis_->counters().breaker_opened; });
  count("budget_decided_alone_total", "Requests to models that were decided without Redis.",
        "counter", [this] { return meter_->decided_alone(); });
}

}  // namespace framewall::backend
