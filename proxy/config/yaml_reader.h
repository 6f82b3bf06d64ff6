// YAML to the same Directive tree as nginx text; docs/yaml.md shows the spelling.
#pragma once

#include <string_view>
#include <vector>

#include "proxy/config/diagnostics.h"
#include "proxy/config/directive.h"

namespace framewall::config {

// Appends to `tree` what `text` holds. `file` names it in messages and must outlive the tree.
// Anchors, aliases, tags and duplicate keys are errors: each line says what it means.
void ReadYamlText(std::string_view text, std::string_view file, Diagnostics& diagnostics,
                  std::vector<Directive>& tree);

}  // namespace framewall::config
