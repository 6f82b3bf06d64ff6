// ctl:ruleRemoveTargetById=941000-942999;ARGS:x: the library reads the first id
// of the range and drops the rest. CRS itself writes so.
#pragma once

#include "waf/library.h"

namespace framewall::waf {

// Makes every such action in `rules` mean all rules of the range that are there
// when it runs.
void ExpandTargetRanges(lib::RulesSet& rules);

}  // namespace framewall::waf
