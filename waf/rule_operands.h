// What a rule looks at and what it looks for: the list of variables, the
// operator. Finds what libmodsecurity 3.0.9 takes without a word and then reads
// as something else, or never matches, or dies of.
#pragma once

#include <vector>

#include "waf/rule_text.h"

namespace framewall::waf {

// "ARGS|!ARGS:x|REQUEST_HEADERS:/^x-/". With `must_look` a list that only
// excludes is a fault: the rule would look at nothing.
void CheckVariables(const RuleWord& word, bool must_look, std::vector<RuleFault>* faults);

// "@rx ^a", "!@eq 0", "^a". The text that is no macro is compiled where it is a
// pattern; with macros it is known only when the rule runs, and left.
void CheckOperator(const RuleWord& word, std::vector<RuleFault>* faults);

// Is "%{" in it, save as "\%{"?
bool HasMacro(std::string_view text);

}  // namespace framewall::waf
