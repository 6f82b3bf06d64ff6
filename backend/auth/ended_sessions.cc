#include "backend/auth/ended_sessions.h"

#include <algorithm>
#include <utility>

namespace framewall::backend::auth {

class EndedSessions::Watching final : public Watch {
 public:
  Watching(std::shared_ptr<Watchers> watchers, SessionWatcher* watcher)
      : watchers_(std::move(watchers)), watcher_(watcher) {}
  ~Watching() override { std::replace(watchers_->begin(), watchers_->end(), watcher_, kNobody); }

 private:
  static constexpr SessionWatcher* kNobody = nullptr;
  std::shared_ptr<Watchers> watchers_;
  SessionWatcher* watcher_;
};

std::unique_ptr<SessionEvents::Watch> EndedSessions::Add(SessionWatcher* watcher) {
  watchers_->push_back(watcher);
  return std::make_unique<Watching>(watchers_, watcher);
}

void EndedSessions::End(const SessionEnd& end, int64_t now) {
  if (!end.session.empty()) Remember(end.session, now);
  const std::shared_ptr<Watchers> watchers = watchers_;
  // By number: who is told may add others and end watches.
  for (size_t i = 0; i < watchers->size(); ++i) {
    if ((*watchers)[i] != nullptr) (*watchers)[i]->OnSessionEnd(end);
  }
}

void EndedSessions::Clean(int64_t now) {
  std::erase_if(ended_, [&](const auto& entry) { return entry.second + kept_ < now; });
  std::erase(*watchers_, nullptr);
}

}  // namespace framewall::backend::auth
