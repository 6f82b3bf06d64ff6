// Names of things: UUID version 7 (RFC 9562 5.7), 36 characters, lower case. Those of one process
// sort in the order they were made, and their 62 random bits cannot be guessed. From any thread.
#pragma once

#include <string>
#include <string_view>

namespace framewall::backend {

std::string NewId();
// Spelled as NewId spells: what a path or a body names is checked before it is looked up.
bool IsId(std::string_view text);

}  // namespace framewall::backend
