// Databases of geoip2 with auto_reload: a new file takes the place of the old one while requests
// go on.
#pragma once

#include <memory>
#include <vector>

#include "proxy/config/model/http.h"
#include "proxy/event/loop.h"
#include "proxy/route/geoip2.h"

namespace framewall::route {

// Looks at each file in its interval and reads and checks a new one in a thread, for the length of
// that alone; the loop only takes over what has passed. A file that cannot be used is reported
// once, as long as it stays the same, and the database before it is kept.
class Geoip2Reload {
 public:
  // All outlive it. Made in the worker, after the fork.
  Geoip2Reload(event::EventLoop& loop, const config::Config& config, Geoip2& geoip2);
  // Waits for the threads.
  ~Geoip2Reload();
  Geoip2Reload(const Geoip2Reload&) = delete;
  Geoip2Reload& operator=(const Geoip2Reload&) = delete;

 private:
  class Watch;
  std::vector<std::unique_ptr<Watch>> watches_;
};

}  // namespace framewall::route
