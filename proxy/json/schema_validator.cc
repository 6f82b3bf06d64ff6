// Walking a document and its schema; keywords of arrays and objects are schema_containers.cc.
#include "proxy/json/schema_validator.h"

#include <time.h>

#include <algorithm>
#include <iterator>

#include "proxy/json/equality.h"
#include "proxy/json/number.h"
#include "proxy/json/pointer.h"

namespace framewall::json {
namespace {

// Schemas in each other, references among them; a level costs about 1 kB of stack.
constexpr size_t kMaxDepth = 1000;
constexpr uint64_t kNanosecondsPerStep = 100;

uint8_t TypesOf(Value value) {
  switch (value.kind()) {
    case Kind::kNull:
      return kTypeNull;
    case Kind::kBoolean:
      return kTypeBoolean;
    case Kind::kInteger:
      return kTypeInteger | kTypeNumber;
    case Kind::kReal:
      return IsInteger(value) ? kTypeInteger | kTypeNumber : kTypeNumber;
    case Kind::kString:
      return kTypeString;
    case Kind::kArray:
      return kTypeArray;
    case Kind::kObject:
      break;
  }
  return kTypeObject;
}

// Of UTF-8.
uint64_t CodePoints(std::string_view text) {
  return static_cast<uint64_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

uint64_t ThreadNanoseconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

}  // namespace

std::optional<Mismatch> SchemaValidator::Validate(Value document) {
  const bool matches = Evaluate(*tree_.root, document, nullptr);
  // A "not" over what was given up would be true.
  if (budget_.spent()) return Mismatch{};
  if (matches) return std::nullopt;
  return mismatch_ ? *mismatch_ : Mismatch{};
}

bool SchemaValidator::Evaluate(const Node& node, Value value, Evaluated* seen) {
  if (!budget_.Take()) return false;
  if (depth_ >= kMaxDepth) {
    budget_.Exhaust();
    return false;
  }
  if (node.boolean) return *node.boolean || Fail(node, "false");
  ++depth_;
  const bool enters = scope_.empty() || scope_.back() != node.resource;
  if (enters) scope_.push_back(node.resource);
  bool matches = false;
  if (seen != nullptr || node.unevaluated_items != nullptr ||
      node.unevaluated_properties != nullptr) {
    Evaluated own;
    matches = Judge(node, value, &own);
    if (matches && seen != nullptr) matches = Merge(*seen, own);
  } else {
    matches = Judge(node, value, nullptr);
  }
  if (enters) scope_.pop_back();
  --depth_;
  return matches;
}

bool SchemaValidator::Judge(const Node& node, Value value, Evaluated* seen) {
  if (!JudgeAny(node, value)) return false;
  const Kind kind = value.kind();
  if (value.is_number() && !JudgeNumber(node, value)) return false;
  if (kind == Kind::kString && !JudgeString(node, value.AsString())) return false;
  if (kind == Kind::kArray && !JudgeArray(node, value, seen)) return false;
  if (kind == Kind::kObject && !JudgeObject(node, value, seen)) return false;
  if (!JudgeReferences(node, value, seen) || !JudgeLogic(node, value, seen)) return false;
  // Last: they ask what all others have looked at.
  if (kind == Kind::kArray && node.unevaluated_items != nullptr) {
    return JudgeUnevaluatedItems(node, value, *seen);
  }
  if (kind == Kind::kObject && node.unevaluated_properties != nullptr) {
    return JudgeUnevaluatedProperties(node, value, *seen);
  }
  return true;
}

bool SchemaValidator::Apply(const Node& parent, const Node& child, std::string_view keyword,
                            Value value, Evaluated* seen) {
  if (child.boolean && !*child.boolean) return Fail(parent, keyword);
  return Evaluate(child, value, seen);
}

bool SchemaValidator::ApplyToMember(const Node& parent, const Node& child, std::string_view keyword,
                                    const Member& member) {
  path_.push_back({.name = member.name, .is_name = true});
  const bool matches = Apply(parent, child, keyword, member.value, nullptr);
  path_.pop_back();
  return matches;
}

bool SchemaValidator::ApplyToElement(const Node& parent, const Node& child,
                                     std::string_view keyword, Value array, size_t index) {
  path_.push_back({.index = index});
  const bool matches = Apply(parent, child, keyword, array.At(index), nullptr);
  path_.pop_back();
  return matches;
}

bool SchemaValidator::Matches(const Node& child, Value value, Evaluated* seen) {
  ++quiet_;
  const bool matches = Evaluate(child, value, seen);
  --quiet_;
  return matches;
}

bool SchemaValidator::Fail(const Node& node, std::string_view keyword) {
  if (quiet_ > 0 || mismatch_ || budget_.spent()) return false;
  mismatch_.emplace();
  mismatch_->keyword = keyword;
  mismatch_->schema = node.pointer;
  for (const Step& step : path_) {
    AppendPointerToken(mismatch_->instance,
                       step.is_name ? step.name : std::string_view(std::to_string(step.index)));
  }
  return false;
}

bool SchemaValidator::Merge(Evaluated& to, const Evaluated& from) {
  if (!budget_.Take(1 + (from.members.size() + from.elements.size()) / 16)) return false;
  const auto merge = [](std::vector<bool>& into, const std::vector<bool>& more) {
    if (into.size() < more.size()) into.resize(more.size());
    for (size_t i = 0; i < more.size(); ++i) {
      if (more[i]) into[i] = true;
    }
  };
  merge(to.members, from.members);
  merge(to.elements, from.elements);
  return true;
}

// --- Keywords for any value ---------------------------------------------------------------------

bool SchemaValidator::JudgeAny(const Node& node, Value value) {
  if (node.types != 0 && (node.types & TypesOf(value)) == 0) return Fail(node, "type");
  if (node.constant && !Equal(*node.constant, value, budget_)) return Fail(node, "const");
  if (node.has_enum && std::none_of(node.enumeration.begin(), node.enumeration.end(),
                                    [&](Value one) { return Equal(one, value, budget_); })) {
    return Fail(node, "enum");
  }
  return true;
}

bool SchemaValidator::JudgeNumber(const Node& node, Value value) {
  if (node.multiple_of && !IsMultipleOf(value, *node.multiple_of)) return Fail(node, "multipleOf");
  if (node.maximum && Compare(value, *node.maximum) > 0) return Fail(node, "maximum");
  if (node.exclusive_maximum && Compare(value, *node.exclusive_maximum) >= 0) {
    return Fail(node, "exclusiveMaximum");
  }
  if (node.minimum && Compare(value, *node.minimum) < 0) return Fail(node, "minimum");
  if (node.exclusive_minimum && Compare(value, *node.exclusive_minimum) <= 0) {
    return Fail(node, "exclusiveMinimum");
  }
  return true;
}

bool SchemaValidator::JudgeString(const Node& node, std::string_view text) {
  if (node.min_length || node.max_length) {
    if (!budget_.Take(text.size() / 64)) return false;
    const uint64_t length = CodePoints(text);
    if (node.max_length && length > *node.max_length) return Fail(node, "maxLength");
    if (node.min_length && length < *node.min_length) return Fail(node, "minLength");
  }
  return !node.pattern || Search(*node.pattern, text) || Fail(node, "pattern");
}

// A pattern costs the time it took: the library's limits bound one search, the budget all of them.
bool SchemaValidator::Search(const Regex& pattern, std::string_view text) {
  const uint64_t began = ThreadNanoseconds();
  const Regex::Outcome outcome = pattern.Match(text, nullptr);
  budget_.Take(1 + (ThreadNanoseconds() - began) / kNanosecondsPerStep);
  if (outcome == Regex::Outcome::kLimit) budget_.Exhaust();
  return outcome == Regex::Outcome::kMatch;
}

bool SchemaValidator::JudgeReferences(const Node& node, Value value, Evaluated* seen) {
  if (node.ref != nullptr && !Apply(node, *node.ref, "$ref", value, seen)) return false;
  if (node.dynamic_ref == nullptr) return true;
  return Apply(node, DynamicTarget(node), "$dynamicRef", value, seen);
}

// Core 8.2.3.2: the outermost resource on the way here that has the anchor.
const Node& SchemaValidator::DynamicTarget(const Node& node) const {
  if (!node.dynamic_name.empty()) {
    for (const SchemaResource* resource : scope_) {
      const auto found = resource->dynamic_anchors.find(node.dynamic_name);
      if (found != resource->dynamic_anchors.end()) return *found->second;
    }
  }
  return *node.dynamic_ref;
}

bool SchemaValidator::JudgeLogic(const Node& node, Value value, Evaluated* seen) {
  for (const Node* one : node.all_of) {
    if (!Apply(node, *one, "allOf", value, seen)) return false;
  }
  if (!node.any_of.empty()) {
    bool any = false;
    for (const Node* one : node.any_of) {
      any = Matches(*one, value, seen) || any;
      if (any && seen == nullptr) break;
    }
    if (!any) return Fail(node, "anyOf");
  }
  if (!node.one_of.empty() && !JudgeOneOf(node, value, seen)) return false;
  if (node.not_schema != nullptr && Matches(*node.not_schema, value, nullptr)) {
    return Fail(node, "not");
  }
  return node.if_schema == nullptr || JudgeCondition(node, value, seen);
}

bool SchemaValidator::JudgeOneOf(const Node& node, Value value, Evaluated* seen) {
  size_t matching = 0;
  for (const Node* one : node.one_of) {
    if (Matches(*one, value, seen) && ++matching > 1) break;
  }
  return matching == 1 || Fail(node, "oneOf");
}

bool SchemaValidator::JudgeCondition(const Node& node, Value value, Evaluated* seen) {
  const bool holds = Matches(*node.if_schema, value, seen);
  const Node* next = holds ? node.then_schema : node.else_schema;
  return next == nullptr || Apply(node, *next, holds ? "then" : "else", value, seen);
}

}  // namespace framewall::json
