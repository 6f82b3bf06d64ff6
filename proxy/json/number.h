// Numbers as JSON Schema sees them: 1 and 1.0 are the same, and are integers.
#pragma once

#include "proxy/json/document.h"

namespace framewall::json {

// All require numbers.

// Below, equal, above: -1, 0, 1. Exact, also between an integer and a real.
int Compare(Value a, Value b);
bool IsInteger(Value number);
// Exact over the shortest decimal form of each: 0.0075 is a multiple of 0.0001. False for `of` 0.
bool IsMultipleOf(Value number, Value of);

}  // namespace framewall::json
