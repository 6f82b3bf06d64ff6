#include "proxy/config/variable_scope.h"

#include "proxy/base/text.h"
#include "proxy/config/identity.h"

namespace framewall::config {

VariableSlot VariableScope::Reference(std::string_view name, const SourceLocation& at) {
  return Define(name, VariableKind::kReferenced, -1, at);
}

// A definition wins over references; the first computed definition (map, geo, split_clients) keeps
// its place, since a later `set` of the same name only stores a value beside it.
VariableSlot VariableScope::Define(std::string_view name, VariableKind kind, int index,
                                   const SourceLocation& at) {
  std::string lower = ToLower(name);
  if (const auto found = slots_.find(lower); found != slots_.end()) {
    VariableName& known = names_[static_cast<size_t>(found->second)];
    if (known.kind == VariableKind::kReferenced && kind != VariableKind::kReferenced) {
      known.kind = kind;
      known.index = index;
      known.first = at;
    }
    return found->second;
  }
  const auto slot = static_cast<VariableSlot>(names_.size());
  names_.push_back(VariableName{lower, kind, index, at, IsIdentityName(lower)});
  slots_.emplace(std::move(lower), slot);
  return slot;
}

}  // namespace framewall::config
