// Does a regular expression compile as libmodsecurity compiles it? It keeps what
// does not for a rule that never matches, or dies of it at the first request.
#pragma once

#include <string>
#include <string_view>

namespace framewall::waf {

// Nothing if it does, else why not and where:
//   `missing closing parenthesis at offset 1 of "("`
std::string PatternFault(std::string_view pattern);

}  // namespace framewall::waf
