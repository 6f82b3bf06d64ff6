// Finds rule files and looks through them before libmodsecurity is let at them:
// it follows an include circle until it crashes, and takes much that is wrong
// without a word.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "waf/rule_set.h"

namespace framewall::waf {

// `path` itself where absolute, otherwise below `base_directory`.
std::string AbsolutePath(const std::string& base_directory, const std::string& path);

// Checks that `path` is a readable regular file, and every file it includes, and
// theirs, statement by statement (waf/rule_check.h). An Include that names or
// matches nothing, or a circle, is an error at the line of the directive. True
// if all is well.
bool CheckRuleFile(const std::string& path, std::vector<RuleError>* errors);
// The same for rules that are no file: `text` begins at line `line` of what
// messages call `name`, beside which its includes are looked for.
bool CheckRules(const std::string& text, const std::string& name, int line,
                std::vector<RuleError>* errors);

// "Rules error. File: a.conf. Line: 3. Column: 9. text" into its parts. Where
// the library names no place, `source` is the place.
RuleError ParseLibraryError(std::string_view text, const RuleSource& source);

}  // namespace framewall::waf
