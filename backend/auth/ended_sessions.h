// Sessions whose access tokens may still be alive although they ended, and who wants to know of it.
// In memory; filled from the database at the start. On the loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "backend/auth/session_events.h"

namespace framewall::backend::auth {

class EndedSessions final : public SessionEvents {
 public:
  // `token_life`: of an access token, in milliseconds; an entry is kept a little longer.
  explicit EndedSessions(int64_t token_life) : kept_(token_life + kSlack) {}

  std::unique_ptr<Watch> Add(SessionWatcher* watcher) override;

  // It ended at `at`; nobody is told.
  void Remember(const std::string& session, int64_t at) { ended_[session] = at; }
  bool Contains(const std::string& session) const { return ended_.contains(session); }
  // Remembers and tells.
  void End(const SessionEnd& end, int64_t now);
  // Forgets those whose tokens are over.
  void Clean(int64_t now);
  size_t size() const { return ended_.size(); }

 private:
  static constexpr int64_t kSlack = 60'000;
  class Watching;
  // Null where it went during a round of telling.
  using Watchers = std::vector<SessionWatcher*>;

  const int64_t kept_;
  std::unordered_map<std::string, int64_t> ended_;
  // Shared, so that a Watch may outlive this.
  std::shared_ptr<Watchers> watchers_ = std::make_shared<Watchers>();
};

}  // namespace framewall::backend::auth
