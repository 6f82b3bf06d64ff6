// Settings from a file and the environment, all errors at once.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/settings/settings.h"

namespace framewall::backend {

using Environment = std::vector<std::pair<std::string, std::string>>;
// Those variables of the process that begin with FRAMEWALL_BACKEND_.
Environment ProcessEnvironment();

struct LoadedSettings {
  Settings settings;
  std::vector<std::string> errors;    // with their place; `settings` is of no use then
  std::vector<std::string> warnings;  // to be said once
};

// `file`: empty: none. A variable wins over the file; NAME_FILE names a file that holds the value
// (of secrets above all), without its last line end. A FRAMEWALL_BACKEND_ variable that is no
// setting is an error, but FRAMEWALL_BACKEND_CONFIG, which is the caller's.
LoadedSettings LoadSettings(const std::string& file, const Environment& environment);

}  // namespace framewall::backend
