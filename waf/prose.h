// Fields of a JSON body that hold what people write for a model: prose and source code, which CRS
// cannot tell from attacks. SecLang's exceptions take whole names, and these have an index in them.
//
// A rule with `ver:'framewall/prose=messages.*.content,images.*@base64'` takes the named members
// out of ARGS and ARGS_NAMES for the rules behind it, up to SecMarker FRAMEWALL-BEHIND-CRS. Letters
// count as they are; `*` is any element of an array; `@base64` asks that the value is base64, or a
// data: URL of it. It leaves what remains to be judged in TX:prose_rest, as octets of names and
// values. To plain ModSecurity such a rule is one that does nothing.
//
// The library's names do not tell {"a":{"b":1}} from {"a.b":1}, nor a member of the body from an
// argument of the query. Where a body has a member that could pass for a named one by that, nothing
// is taken out; where the query has an argument of the same name, that name is left in.
#pragma once

#include <vector>

#include "waf/library.h"
#include "waf/rule_set.h"

namespace framewall::waf {

// Arms such rules among `rules`. False where one is not written as above.
bool ArmProse(lib::RulesSet& rules, std::vector<RuleError>* errors);

}  // namespace framewall::waf
