// The actions of a statement, each by itself. Finds what libmodsecurity 3.0.9
// takes without a word and then reads as something else or not at all.
#pragma once

#include <string_view>
#include <vector>

#include "waf/rule_text.h"

namespace framewall::waf {

void CheckActions(const RuleStatement& statement, std::vector<RuleFault>* faults);

// The first action of that name, or null.
const RuleAction* FindAction(const RuleStatement& statement, std::string_view name);
// allow, deny, drop, pass, redirect; not block, which stands for one of them.
const RuleAction* FindDisruptive(const RuleStatement& statement);

}  // namespace framewall::waf
