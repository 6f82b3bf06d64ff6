// Rows of the blocks that the builder enters, and of `include`.
#pragma once

#include <span>

#include "proxy/config/directive_spec.h"

namespace framewall::config {

std::span<const DirectiveSpec> BlockDirectives();

}  // namespace framewall::config
