// Short forms of the most common rows, so that a table stays readable.
#pragma once

#include <string_view>

#include "proxy/config/directive_spec.h"

namespace framewall::config {

// One argument, copied into child blocks, once a block.
constexpr DirectiveSpec One(std::string_view name, ContextSet contexts, ApplyFunction apply,
                            std::string_view doc) {
  return DirectiveSpec{
      .name = name, .contexts = contexts, .arity = {1, 1}, .apply = apply, .doc = doc};
}

// A list: repeatable; its first use in a block drops the parent's.
constexpr DirectiveSpec List(std::string_view name, ContextSet contexts, Arity arity,
                             ApplyFunction apply, std::string_view doc,
                             std::string_view group = {}) {
  return DirectiveSpec{.name = name,
                       .contexts = contexts,
                       .arity = arity,
                       .apply = apply,
                       .inherits = Inherits::kReplacedAsList,
                       .repeatable = true,
                       .group = group,
                       .doc = doc};
}

}  // namespace framewall::config
