#include "proxy/config/regex_use.h"

#include <utility>

namespace framewall::config {

Result<RegexUse> CompileRegex(Config& config, std::string_view pattern, Regex::Case sensitivity,
                              const SourceLocation& at) {
  FW_ASSIGN(Regex regex, Regex::Compile(pattern, sensitivity));
  RegexUse use;
  use.regex = &config.regexes.emplace_back(std::move(regex));
  for (const auto& [name, number] : use.regex->names()) {
    use.capture_slots.push_back(config.variables.Define(name, VariableKind::kSet, -1, at));
  }
  return use;
}

}  // namespace framewall::config
