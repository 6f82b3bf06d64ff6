// Are two values the same, as const, enum and uniqueItems mean it: the order of members does not
// count, and 1 is 1.0. What a comparison costs is taken from a budget; once that is spent the
// answers mean nothing.
#pragma once

#include <cstdint>

#include "proxy/json/budget.h"
#include "proxy/json/document.h"

namespace framewall::json {

bool Equal(Value a, Value b, Budget& budget);
// The same for values that are equal.
uint64_t Hash(Value value, Budget& budget);
// Are no two elements of the array equal?
bool AllDifferent(Value array, Budget& budget);

}  // namespace framewall::json
