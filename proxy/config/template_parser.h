// Cuts "$scheme://${host}/x$1" into a Template, as nginx reads names.
#pragma once

#include <string_view>

#include "proxy/base/result.h"
#include "proxy/config/directive.h"
#include "proxy/config/template.h"
#include "proxy/config/variable_scope.h"

namespace framewall::config {

// $name, ${name} (letters, digits, underscore; lower-cased, referenced in `variables`) and $1 to
// $9. A '$' without a name after it, or a brace that is not closed, is an error.
Result<Template> ParseTemplate(VariableScope& variables, std::string_view text,
                               const SourceLocation& at);

// Does the text name anything? What nginx treats as constant is exactly what has no '$'.
inline bool HasNames(std::string_view text) { return text.find('$') != std::string_view::npos; }

// "$name" alone, with nothing around it: the name without '$'; empty for anything else.
std::string_view VariableNameOf(std::string_view text);

}  // namespace framewall::config
