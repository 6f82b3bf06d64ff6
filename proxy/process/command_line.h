// The command line, which is nginx's: combined short flags, values attached or as the next word.
#pragma once

#include <optional>
#include <string>

#include "proxy/base/result.h"

namespace framewall::process {

struct CommandLine {
  bool show_version = false;             // -v, and with all that follow from it
  bool show_configure = false;           // -V
  bool show_help = false;                // -h, -?
  bool test = false;                     // -t, -T
  bool dump = false;                     // -T
  bool quiet = false;                    // -q
  std::optional<std::string> prefix;     // -p
  std::optional<std::string> conf_path;  // -c
  std::optional<std::string> error_log;  // -e; "stderr" means the inherited standard error
  std::string global_directives;         // -g
  std::string signal;                    // -s: stop, quit, reopen or reload
};

// The error's message is nginx's, without "nginx: ".
Result<CommandLine> ParseCommandLine(int argc, const char* const* argv);

}  // namespace framewall::process
