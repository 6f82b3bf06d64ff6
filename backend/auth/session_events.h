// What ended: whoever holds something open for a session or a key (sockets, streams) hears of it
// and closes.
#pragma once

#include <memory>
#include <string>

namespace framewall::backend::auth {

struct SessionEnd {
  std::string user;
  // Identity::session of what ended: a session or a key. Empty: all of this user, keys included.
  std::string session;
  // logout, reuse, password, lock, role, expired, revoked
  std::string reason;
};

class SessionWatcher {
 public:
  virtual ~SessionWatcher() = default;
  // From the loop, once it is in the database; tokens of it are refused already.
  virtual void OnSessionEnd(const SessionEnd& end) = 0;
};

class SessionEvents {
 public:
  // Its end is the end of the watch.
  class Watch {
   public:
    virtual ~Watch() = default;
  };
  virtual ~SessionEvents() = default;
  // `watcher` outlives the Watch, which may be destroyed from OnSessionEnd.
  virtual std::unique_ptr<Watch> Add(SessionWatcher* watcher) = 0;
};

}  // namespace framewall::backend::auth
