// A regex of the configuration: compiled once, owned by Config, its named groups made variables.
#pragma once

#include <string_view>

#include "proxy/base/regex.h"
#include "proxy/base/result.h"
#include "proxy/config/directive.h"
#include "proxy/config/model/http.h"

namespace framewall::config {

// A failure has PCRE2's reason as Regex::Compile words it.
Result<RegexUse> CompileRegex(Config& config, std::string_view pattern, Regex::Case sensitivity,
                              const SourceLocation& at);

}  // namespace framewall::config
