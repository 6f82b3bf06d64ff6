// The Directive tree to a typed Config: checks each directive against its row, applies the leaves
// of a block, then enters its children with a copy of the settings.
#pragma once

#include <vector>

#include "proxy/config/diagnostics.h"
#include "proxy/config/directive.h"
#include "proxy/config/model/http.h"

namespace framewall::config {

// Fills `config`, whose paths are set. Every error is collected; with errors the Config is of no
// use. `tree` may go afterwards, the files that it was read from may not.
void Build(const std::vector<Directive>& tree, Config& config, Diagnostics& diagnostics);

}  // namespace framewall::config
