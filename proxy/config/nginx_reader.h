// nginx text to the Directive tree, one file at a time; `include` is still a leaf in it.
#pragma once

#include <string_view>
#include <vector>

#include "proxy/config/diagnostics.h"
#include "proxy/config/directive.h"
#include "proxy/config/lexer.h"

namespace framewall::config {

// Blocks inside blocks; more than anybody writes, and little enough for the stack.
constexpr int kMaxDepth = 100;

// Appends to `tree` what `text` holds. `file` names it in messages and must outlive the tree.
// The first error ends the text: what follows cannot be told from what was meant.
void ReadNginxText(std::string_view text, std::string_view file, Diagnostics& diagnostics,
                   std::vector<Directive>& tree, Lexer::Origin origin = Lexer::Origin::kFile);

}  // namespace framewall::config
