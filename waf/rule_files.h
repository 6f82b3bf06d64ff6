// Finds rule files and checks what libmodsecurity does not before it is let at
// them: it follows an include circle until it crashes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "waf/rule_set.h"

namespace framewall::waf {

// `path` itself where absolute, otherwise below `base_directory`.
std::string AbsolutePath(const std::string& base_directory, const std::string& path);

// Checks that `path` is a readable regular file, and every file it includes,
// and theirs; an Include that names or matches nothing, a circle, and an
// operator that the library would take for a regular expression ("@steq x") are
// errors at the line of the directive. True if all is well.
bool CheckRuleFile(const std::string& path, std::vector<RuleError>* errors);
// The same for rules that stand in a configuration file.
bool CheckInlineRules(const RuleSource& source, std::vector<RuleError>* errors);

// "Rules error. File: a.conf. Line: 3. Column: 9. text" into its parts. Where
// the library names no place, `source` is the place.
RuleError ParseLibraryError(std::string_view text, const RuleSource& source);

}  // namespace framewall::waf
