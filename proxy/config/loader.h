// A path to a Config: reads, checks, builds, validates; collects every error.
#pragma once

#include <memory>
#include <string>

#include "proxy/config/diagnostics.h"
#include "proxy/config/model/http.h"

namespace framewall::config {

struct LoadOptions {
  std::string prefix;             // -p, absolute or relative to the working directory
  std::string conf_path;          // -c, relative to the prefix; ".yaml"/".yml": YAML
  std::string global_directives;  // -g
  std::string error_log_path;     // -e: the default error log; empty: logs/error.log
  const VariableCatalog* variables = nullptr;
};

// Null where there is an error; `diagnostics` has all of them. Names of upstreams are resolved
// (blocking); files that must exist are checked; nothing is opened for writing.
std::unique_ptr<Config> Load(const LoadOptions& options, Diagnostics& diagnostics);

// -T: every file read, once, in order: "# configuration file /abs/path:\n", its text, an empty
// line.
std::string Dump(const Config& config);

}  // namespace framewall::config
