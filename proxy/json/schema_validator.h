// One document against a compiled schema. Made for a validation and gone with it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/json/budget.h"
#include "proxy/json/schema_tree.h"

namespace framewall::json {

class SchemaValidator {
 public:
  SchemaValidator(const SchemaTree& tree, uint64_t steps) : tree_(tree), budget_(steps) {}

  std::optional<Mismatch> Validate(Value document);

 private:
  // Which members or elements of one value were judged by a schema that it matched, by their
  // number: what unevaluatedProperties and unevaluatedItems leave out.
  struct Evaluated {
    std::vector<bool> members;
    std::vector<bool> elements;
  };

  // Does `value` match? `seen`, which may be null, is added to where it does.
  bool Evaluate(const Node& node, Value value, Evaluated* seen);
  bool Judge(const Node& node, Value value, Evaluated* seen);
  // A child of `parent` at the same value, or at one further in; it is `keyword` that fails where
  // the child is `false`.
  bool Apply(const Node& parent, const Node& child, std::string_view keyword, Value value,
             Evaluated* seen);
  bool ApplyToMember(const Node& parent, const Node& child, std::string_view keyword,
                     const Member& member);
  bool ApplyToElement(const Node& parent, const Node& child, std::string_view keyword, Value array,
                      size_t index);
  // Without a mismatch to be told.
  bool Matches(const Node& child, Value value, Evaluated* seen);

  bool JudgeAny(const Node& node, Value value);
  bool JudgeNumber(const Node& node, Value value);
  bool JudgeString(const Node& node, std::string_view text);
  bool JudgeReferences(const Node& node, Value value, Evaluated* seen);
  bool JudgeLogic(const Node& node, Value value, Evaluated* seen);
  bool JudgeOneOf(const Node& node, Value value, Evaluated* seen);
  bool JudgeCondition(const Node& node, Value value, Evaluated* seen);
  bool JudgeArray(const Node& node, Value array, Evaluated* seen);
  bool JudgeContains(const Node& node, Value array, Evaluated* seen);
  bool JudgeUnevaluatedItems(const Node& node, Value array, Evaluated& seen);
  bool JudgeObject(const Node& node, Value object, Evaluated* seen);
  bool JudgeMember(const Node& node, const Member& member, bool* evaluated);
  bool JudgeUnevaluatedProperties(const Node& node, Value object, Evaluated& seen);

  bool Search(const Regex& pattern, std::string_view text);
  const Node& DynamicTarget(const Node& node) const;
  bool Merge(Evaluated& to, const Evaluated& from);
  bool Fail(const Node& node, std::string_view keyword);

  // One step into the document; a name is valid as long as the document.
  struct Step {
    std::string_view name;
    size_t index = 0;
    bool is_name = false;
  };

  const SchemaTree& tree_;
  Budget budget_;
  size_t depth_ = 0;
  size_t quiet_ = 0;  // over 0: a mismatch is no answer yet
  std::vector<Step> path_;
  std::vector<const SchemaResource*> scope_;  // dynamic, outermost first
  std::optional<Mismatch> mismatch_;
};

}  // namespace framewall::json
