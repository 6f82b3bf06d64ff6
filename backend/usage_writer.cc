#include "backend/usage_writer.h"

#include <chrono>
#include <utility>

#include "backend/base/time.h"
#include "proxy/base/log.h"

namespace framewall::backend {
namespace {

constexpr std::chrono::milliseconds kMoment{200};

}  // namespace

UsageWriter::UsageWriter(event::EventLoop& loop, store::Database& database)
    : database_(database), timer_(loop, [this] { Flush(); }) {}

void UsageWriter::Add(const llm::Payer& payer, const std::string& model, const llm::Usage& usage) {
  if (payer.user.empty()) return;
  const std::string day = store::UtcDay(UnixMilliseconds());
  store::Usage& sum = waiting_[{payer.user, day, model}];
  sum.user = payer.user;
  sum.day = day;
  sum.model = model;
  sum.requests += 1;
  sum.prompt_tokens += usage.prompt_tokens;
  sum.completion_tokens += usage.completion_tokens;
  if (!timer_.active()) timer_.Set(kMoment);
}

// What could not be written is in the log, and nobody waits for it.
void UsageWriter::Flush() {
  timer_.Cancel();
  for (auto& [key, sum] : std::exchange(waiting_, {})) {
    // Each for itself, for one user may have been deleted; they are in one commit all the same.
    database_.Write<bool>(
        [used = std::move(sum)](store::Connection& db) -> Result<bool> {
          FW_TRY(store::AddUsage(db, used));
          return true;
        },
        [](const Result<bool>& added) {
          if (!added.ok()) MainLog().Write(LogLevel::kError, "usage: " + added.error().message);
        });
  }
}

}  // namespace framewall::backend
