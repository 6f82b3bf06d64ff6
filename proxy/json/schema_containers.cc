// Keywords of arrays and objects.
#include <algorithm>
#include <cstdint>

#include "proxy/json/equality.h"
#include "proxy/json/schema_validator.h"

namespace framewall::json {

// --- Arrays -------------------------------------------------------------------------------------

bool SchemaValidator::JudgeArray(const Node& node, Value array, Evaluated* seen) {
  const size_t size = array.size();
  if (node.max_items && size > *node.max_items) return Fail(node, "maxItems");
  if (node.min_items && size < *node.min_items) return Fail(node, "minItems");
  const size_t prefix = std::min(size, node.prefix_items.size());
  for (size_t i = 0; i < prefix; ++i) {
    if (!ApplyToElement(node, *node.prefix_items[i], "prefixItems", array, i)) return false;
  }
  if (node.items != nullptr) {
    for (size_t i = prefix; i < size; ++i) {
      if (!ApplyToElement(node, *node.items, "items", array, i)) return false;
    }
  }
  if (seen != nullptr) {
    if (!budget_.Take(size / 16)) return false;
    seen->elements.resize(size);
    const size_t judged = node.items != nullptr ? size : prefix;
    std::fill_n(seen->elements.begin(), judged, true);
  }
  if (node.contains != nullptr && !JudgeContains(node, array, seen)) return false;
  return !node.unique_items || AllDifferent(array, budget_) || Fail(node, "uniqueItems");
}

bool SchemaValidator::JudgeContains(const Node& node, Value array, Evaluated* seen) {
  const uint64_t least = node.min_contains.value_or(1);
  uint64_t matching = 0;
  for (size_t i = 0; i < array.size(); ++i) {
    if (!Matches(*node.contains, array.At(i), nullptr)) {
      if (budget_.spent()) return false;
      continue;
    }
    ++matching;
    if (node.max_contains && matching > *node.max_contains) return Fail(node, "maxContains");
    if (seen != nullptr) {
      seen->elements[i] = true;
    } else if (matching >= least && !node.max_contains) {
      return true;
    }
  }
  return matching >= least || Fail(node, node.min_contains ? "minContains" : "contains");
}

bool SchemaValidator::JudgeUnevaluatedItems(const Node& node, Value array, Evaluated& seen) {
  for (size_t i = 0; i < array.size(); ++i) {
    if (seen.elements[i]) continue;
    if (!ApplyToElement(node, *node.unevaluated_items, "unevaluatedItems", array, i)) return false;
    seen.elements[i] = true;
  }
  return true;
}

// --- Objects ------------------------------------------------------------------------------------

bool SchemaValidator::JudgeObject(const Node& node, Value object, Evaluated* seen) {
  const size_t size = object.size();
  if (node.max_properties && size > *node.max_properties) return Fail(node, "maxProperties");
  if (node.min_properties && size < *node.min_properties) return Fail(node, "minProperties");
  const auto has_all = [&](const std::vector<std::string>& names) {
    return budget_.Take(names.size()) &&
           std::all_of(names.begin(), names.end(),
                       [&](const std::string& name) { return object.Find(name).has_value(); });
  };
  if (!has_all(node.required)) return Fail(node, "required");
  for (const auto& [name, others] : node.dependent_required) {
    if (object.Find(name) && !has_all(others)) return Fail(node, "dependentRequired");
  }
  if (seen != nullptr) {
    if (!budget_.Take(size / 16)) return false;
    seen->members.resize(size);
  }
  if (node.judges_members()) {
    size_t number = 0;
    for (MemberCursor at(object); const auto member = at.Next(); ++number) {
      bool evaluated = false;
      if (!JudgeMember(node, *member, &evaluated)) return false;
      if (evaluated && seen != nullptr) seen->members[number] = true;
    }
  }
  for (const auto& [name, schema] : node.dependent_schemas) {
    if (!budget_.Take()) return false;
    if (object.Find(name) && !Apply(node, *schema, "dependentSchemas", object, seen)) return false;
  }
  return true;
}

bool SchemaValidator::JudgeMember(const Node& node, const Member& member, bool* evaluated) {
  if (!budget_.Take(1 + member.name.size() / 64)) return false;
  if (node.property_names != nullptr) {
    const Document name = Document::OfString(member.name);
    // What fails is told of the name, whose pointer is its member's.
    path_.push_back({.name = member.name, .is_name = true});
    const bool matches =
        Matches(*node.property_names, name.root(), nullptr) || Fail(node, "propertyNames");
    path_.pop_back();
    if (!matches) return false;
  }
  if (const auto found = node.properties.find(member.name); found != node.properties.end()) {
    *evaluated = true;
    if (!ApplyToMember(node, *found->second, "properties", member)) return false;
  }
  for (const auto& [pattern, schema] : node.pattern_properties) {
    if (!Search(pattern, member.name)) {
      if (budget_.spent()) return false;
      continue;
    }
    *evaluated = true;
    if (!ApplyToMember(node, *schema, "patternProperties", member)) return false;
  }
  if (*evaluated || node.additional_properties == nullptr) return true;
  *evaluated = true;
  return ApplyToMember(node, *node.additional_properties, "additionalProperties", member);
}

bool SchemaValidator::JudgeUnevaluatedProperties(const Node& node, Value object, Evaluated& seen) {
  size_t number = 0;
  for (MemberCursor at(object); const auto member = at.Next(); ++number) {
    if (!budget_.Take()) return false;
    if (seen.members[number]) continue;
    if (!ApplyToMember(node, *node.unevaluated_properties, "unevaluatedProperties", *member)) {
      return false;
    }
    seen.members[number] = true;
  }
  return true;
}

}  // namespace framewall::json
