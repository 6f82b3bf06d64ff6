// Exceptions for single values. SecLang can except a rule, or a rule for a named
// argument; it cannot say "not for this value", and a gateway does not know how
// an application names the field that holds what people write.
//
// A rule with `ver:'framewall/excuses=932100,932150'` is an excuse: each argument
// whose value it matches is hidden from the rules it lists, for the rest of this
// transaction, provided that *every* argument of that name matched. It must look
// at ARGS and `pass`. To plain ModSecurity such a rule is one that does nothing.
#pragma once

#include <vector>

#include "waf/library.h"
#include "waf/rule_set.h"

namespace framewall::waf {

// Arms the excuses among `rules`. False where one is not written as above.
bool ArmExcuses(lib::RulesSet& rules, std::vector<RuleError>* errors);

}  // namespace framewall::waf
