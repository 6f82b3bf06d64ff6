// /health, /ready, /version and /metrics: what watches us asks these.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/observer.h"
#include "backend/server/router.h"

namespace framewall::backend {

// Something that we need or use. `ask` calls back once, on the loop.
struct Dependency {
  std::string name;       // "database"
  bool decisive = false;  // not ready without it; others are only reported
  std::function<void(std::function<void(Status)>)> ask;
};

// "0.1.0"; and what it was built from and when.
std::string_view VersionNumber();
std::string_view BuildText();

// `metrics` and `dependencies` outlive the routes.
std::vector<server::Route> ProbeRoutes(const Metrics& metrics,
                                       const std::vector<Dependency>& dependencies);

}  // namespace framewall::backend
