// Patterns of schemas: ECMA-262's language with its flag "u", rewritten for PCRE2.
//
// Where PCRE2 would read the same text otherwise, it gets another text: "$" is the end alone, "."
// leaves out all line ends, \s knows Unicode, \d and \w do not, [^] is any character, [[:alpha:]]
// is no name, \u{1F600} and \p{Letter} are known. What ECMA-262 has not (\A, \Q, (*VERB)) is an
// error. Not rewritten: a back reference to a group that took no part matches nothing here.
#pragma once

#include <string>
#include <string_view>

#include "proxy/base/regex.h"
#include "proxy/base/result.h"

namespace framewall::json {

Result<std::string> PatternForPcre(std::string_view pattern);

// Matches anywhere in UTF-8 text, as "pattern" does.
Result<Regex> CompilePattern(std::string_view pattern);

}  // namespace framewall::json
