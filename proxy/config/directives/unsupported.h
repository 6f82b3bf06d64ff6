// The pieces that UnsupportedDirectives joins.
#pragma once

#include <span>
#include <string_view>

#include "proxy/config/directive_spec.h"

namespace framewall::config {

// Names that share places, state and reason.
struct Unserved {
  ContextSet contexts;
  std::string_view doc;
  std::span<const std::string_view> names;
};

// Accepted with a warning that says why nothing is lost.
std::span<const Unserved> InertFamilies();
// The start is refused; the reason says what to do instead.
std::span<const Unserved> RefusedFamilies();

}  // namespace framewall::config
